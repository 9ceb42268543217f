import { type ConsultationId, type Entry, FollowUpBoard } from '@teleconsult/protocol';
import {
  CANARY,
  callId,
  doctor,
  type FakeThreads,
  messageId,
  patient,
  person,
  textMessage,
} from './fake-threads.ts';

const attachment = {
  kind: 'file',
  attachmentId: `att_${'0'.repeat(22)}`,
  fileName: `${CANARY}.pdf`,
  contentType: 'application/pdf',
  byteSize: 10,
};

const call = { callId: callId() };
const recording = { recordingId: `rec_${'0'.repeat(21)}1` };
export const followUp = { followUpId: `fup_${'0'.repeat(21)}1` };
/** The same as the host knows it when its day has come. */
export const dueFollowUp = {
  ...followUp,
  plannedBy: doctor,
  plannedAt: 1,
  dueAt: 1_790_600_000_000,
  reason: `${CANARY} pressure`,
  state: 'due',
  since: 2,
  outcome: null,
  noteId: null,
};
const noteId = `not_${'0'.repeat(21)}1`;
const binding = { bindingId: `pbd_${'0'.repeat(21)}1` };
const phoneCall = { phoneCallId: `pcl_${'0'.repeat(21)}1` };
const planned = { ...followUp, dueAt: 1_790_600_000_000, reason: `${CANARY} pressure` };

/** One entry of every kind, with something to be kept secret wherever there is room for it. */
export const everyDraft = [
  { draft: { kind: 'consultation.requested' }, by: null },
  {
    draft: {
      kind: 'consultation.subjectSet',
      subject: {
        displayName: `${CANARY} child`,
        relationship: 'child',
        authorisation: { basis: 'guardian', reference: `${CANARY} paper` },
        authorisedAt: 1,
      },
    },
    by: patient,
  },
  { draft: { kind: 'consultation.waiting' }, by: patient },
  { draft: { kind: 'consultation.accepted' }, by: doctor },
  {
    draft: {
      kind: 'participant.joined',
      personId: person('guest-1'),
      role: 'relative',
      displayName: `${CANARY} relative`,
    },
    by: person('guest-1'),
  },
  { draft: textMessage(6), by: patient },
  {
    draft: {
      ...textMessage(7),
      content: { type: 'file', attachment, caption: `${CANARY} caption` },
      replyTo: 6,
    },
    by: doctor,
  },
  {
    draft: {
      ...textMessage(8),
      content: { type: 'form', form: { chiefComplaint: `${CANARY} pain`, attachments: [] } },
    },
    by: patient,
  },
  { draft: { kind: 'message.recalled', target: 6, messageId: messageId(6) }, by: patient },
  {
    draft: { kind: 'message.removed', target: 7, messageId: messageId(7), reason: `${CANARY} reason` },
    by: null,
  },
  { draft: { kind: 'call.started', ...call, media: 'voice' }, by: patient },
  { draft: { kind: 'call.answered', ...call }, by: doctor },
  { draft: { kind: 'call.invited', ...call, personId: person('guest-1') }, by: doctor },
  { draft: { kind: 'call.mediaChanged', ...call, media: 'video' }, by: doctor },
  {
    draft: { kind: 'call.left', ...call, personId: person('guest-1'), reason: 'no_answer' },
    by: null,
  },
  { draft: { kind: 'call.ended', ...call, reason: 'completed', durationMs: 95_000 }, by: doctor },
  {
    draft: { kind: 'participant.left', personId: person('guest-1'), reason: 'removed' },
    by: doctor,
  },
  {
    draft: {
      kind: 'consultation.ended',
      reason: 'declined',
      declineReason: 'see_a_doctor_in_person',
      note: `${CANARY} note`,
    },
    by: doctor,
  },
  { draft: { kind: 'recording.asked', ...call, ...recording }, by: doctor },
  { draft: { kind: 'recording.agreed', ...recording }, by: patient },
  { draft: { kind: 'recording.started', ...recording }, by: doctor },
  { draft: { kind: 'recording.paused', ...recording }, by: doctor },
  { draft: { kind: 'recording.resumed', ...recording }, by: doctor },
  { draft: { kind: 'recording.stopped', ...recording, reason: 'consent_withdrawn' }, by: patient },
  { draft: { kind: 'note.signed', noteId, purpose: 'summary' }, by: doctor },
  { draft: { kind: 'note.added', noteId, addition: 1 }, by: doctor },
  { draft: { kind: 'followUp.planned', ...planned }, by: doctor },
  { draft: { kind: 'followUp.changed', ...planned }, by: doctor },
  { draft: { kind: 'followUp.due', ...followUp }, by: null },
  { draft: { kind: 'followUp.begun', ...followUp }, by: doctor },
  { draft: { kind: 'followUp.completed', ...followUp, outcome: 'reached', noteId }, by: doctor },
  { draft: { kind: 'followUp.cancelled', ...followUp }, by: doctor },
  { draft: { kind: 'contact.changed', refused: true }, by: patient },
  { draft: { kind: 'phone.bound', ...binding, expiresAt: 1_790_000_000_000 }, by: doctor },
  { draft: { kind: 'phone.callStarted', ...binding, ...phoneCall }, by: doctor },
  { draft: { kind: 'phone.callAnswered', ...phoneCall }, by: patient },
  { draft: { kind: 'phone.callEnded', ...phoneCall, reason: 'completed', talkMs: 61_000 }, by: null },
  { draft: { kind: 'phone.refused', personId: patient, refused: true }, by: patient },
  { draft: { kind: 'phone.unbound', ...binding, reason: 'refused' }, by: null },
] as const;

export function addEvery(threads: FakeThreads, id: ConsultationId): readonly Entry[] {
  threads.boards.set(id, FollowUpBoard.parse({ followUps: [dueFollowUp], contactRefusedSince: null }));
  return everyDraft.map(({ draft, by }) => threads.add(id, draft, by));
}
