import { z } from 'zod';
import { ConsultationId, Moment, NoteId, PersonId } from './ids.ts';
import { ConsultationView } from './model.ts';

/** What of a clip's sound was cut off at its ends, in milliseconds from its beginning, its files counting one after the other. */
const ClipTrim = z.strictObject({
  startMs: z.int().min(0),
  /** null: to its end. */
  endMs: z.int().min(1).nullable(),
});

/** One file of a clip: there is one, and one more for each time it was continued after a crash of its device. */
const ClipFile = z.strictObject({
  /** 0 for the first: its place in the address of its bytes. */
  number: z.int().min(0),
  /** Such as `audio/webm;codecs=opus`. */
  contentType: z.string(),
  /** null where nobody knows it: its device was lost, and it is not measured yet. */
  durationMs: z.int().min(0).nullable(),
});

/**
 * A clip of a health channel that its doctor has handed over for publication: a signed note of purpose `health_channel`.
 * Neither words nor sound ever change; all that can follow is that it is taken back.
 */
export const PublishedClip = z.strictObject({
  noteId: NoteId,
  /** The health channel. */
  consultationId: ConsultationId,
  author: PersonId,
  publishedAt: Moment,
  /** `withdrawn`: the host application took it back; its sound is erased. */
  state: z.enum(['published', 'withdrawn']),
  /** Title and description, as the doctor wrote them; the first line is the title. */
  text: z.string(),
  /** The bytes are whole: whoever publishes cuts, or plays this part alone. */
  trim: ClipTrim,
  /** In the order in which they follow each other; none once it is withdrawn. */
  files: z.array(ClipFile),
});
export type PublishedClip = z.infer<typeof PublishedClip>;

export const healthChannelRequests = {
  'healthChannel.open': {
    summary:
      'The doctor’s own health channel, made when there is none that is open: a consultation of kind `health_channel` with this doctor alone. The token must hold a name and a doctor’s profession. Asking again answers the same.',
    payload: z.strictObject({}),
    result: z.strictObject({ consultation: ConsultationView }),
  },
};
