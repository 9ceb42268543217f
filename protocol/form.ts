import { z } from 'zod';
import { Attachment, DisplayName } from './attachment.ts';
import { AttachmentId, Moment } from './ids.ts';
import { MAX_FORM_ATTACHMENTS } from './limits.ts';

const line = (max: number) => z.string().trim().min(1).max(max);

/** What a picture or document of a form shows. Tongue and face are customary in traditional medicine. */
export const FormAttachmentPurpose = z.enum(['tongue', 'face', 'affected_area', 'report', 'record', 'other']);
export type FormAttachmentPurpose = z.infer<typeof FormAttachmentPurpose>;

const fields = {
  /** What brings the patient, in their own words. */
  chiefComplaint: line(2_000),
  /** For how long, counted in `unit`. */
  duration: z
    .strictObject({
      value: z.int().min(1).max(999),
      unit: z.enum(['hours', 'days', 'weeks', 'months', 'years']),
    })
    .optional(),
  symptoms: z.array(line(100)).max(20).optional(),
  /** Earlier illnesses, operations, illnesses in the family. */
  history: line(2_000).optional(),
  medications: line(1_000).optional(),
  allergies: line(1_000).optional(),
  pregnancy: z.enum(['yes', 'no', 'unknown', 'not_applicable']).optional(),
  /** Body temperature in degrees Celsius. */
  temperatureCelsius: z.number().min(30).max(45).optional(),
};

/** The consultation form as the patient hands it in (S1.2). */
export const ConsultationFormDraft = z.strictObject({
  ...fields,
  attachments: z
    .array(z.strictObject({ purpose: FormAttachmentPurpose, attachmentId: AttachmentId }))
    .max(MAX_FORM_ATTACHMENTS)
    .default([]),
});
export type ConsultationFormDraft = z.infer<typeof ConsultationFormDraft>;

/** The form as everybody in the consultation reads it. */
export const ConsultationForm = z.strictObject({
  ...fields,
  attachments: z.array(z.strictObject({ purpose: FormAttachmentPurpose, attachment: Attachment })),
});
export type ConsultationForm = z.infer<typeof ConsultationForm>;

/** A person on whose behalf somebody consults, with the authorisation for it (S1.3). */
export const SubjectDraft = z.strictObject({
  displayName: DisplayName,
  relationship: z.enum(['child', 'parent', 'spouse', 'sibling', 'grandparent', 'other']),
  birthYear: z.int().min(1900).max(2200).optional(),
  authorisation: z.strictObject({
    basis: z.enum(['guardian', 'written_consent', 'verbal_consent', 'power_of_attorney']),
    /** Where the paper lies, for example a file number of the host application. */
    reference: line(200).optional(),
  }),
});
export type SubjectDraft = z.infer<typeof SubjectDraft>;

export const Subject = z.strictObject({
  ...SubjectDraft.shape,
  /** When the authorisation was declared, by the server's clock; `by` of the entry says by whom. */
  authorisedAt: Moment,
});
export type Subject = z.infer<typeof Subject>;
