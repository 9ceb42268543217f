import type {
  CallId,
  CallMedia,
  ClientMessageId,
  ConsultationId,
  DeviceId,
  FollowUpId,
  MessageId,
  NoteId,
  PersonId,
  RecordingId,
} from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import { openHealthChannel, requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import type { Next, Outcome } from '@teleconsult/server/consultation/outcome';
import { type ConsultationState, DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { step } from '@teleconsult/server/consultation/step';
import type { TicketHash } from '@teleconsult/server/consultation/tickets';

interface Joining {
  readonly brings?: TicketHash | null;
  readonly given?: TicketHash;
  readonly takeOver?: boolean;
}

export const patient = 'patient-1' as PersonId;
export const doctor = 'doctor-1' as PersonId;
/** The doctor who is asked in a thread of colleagues. */
export const colleague = 'doctor-2' as PersonId;
/** Drawn in by `withRelative`. */
export const relative = 'relative-1' as PersonId;
export const phone = 'device-phone' as DeviceId;
export const tablet = 'device-tablet' as DeviceId;
export const desk = 'device-desk' as DeviceId;
export const laptop = 'device-laptop' as DeviceId;
export const watch = 'device-watch' as DeviceId;
/** The relative's device. */
export const tv = 'device-tv' as DeviceId;
export const callId = 'cal_0000000000000000000001' as CallId;
export const otherCallId = 'cal_0000000000000000000002' as CallId;
export const recordingId = 'rec_0000000000000000000001' as RecordingId;
export const otherRecordingId = 'rec_0000000000000000000002' as RecordingId;
export const followUpId = 'fup_0000000000000000000001' as FollowUpId;
export const otherFollowUpId = 'fup_0000000000000000000002' as FollowUpId;
export const noteId = 'not_0000000000000000000001' as NoteId;
export const timings = DEFAULT_TIMINGS;

const consultationId = 'cns_0000000000000000000001' as ConsultationId;

export const requested = (): ConsultationState =>
  requestConsultation(
    consultationId,
    {
      participants: [
        { personId: patient, role: 'patient', displayName: 'P' },
        { personId: doctor, role: 'doctor', displayName: 'D' },
      ],
    },
    0,
  ).state;

/** A thread that the doctor asked a colleague for. */
export const requestedThread = (): ConsultationState =>
  requestConsultation(
    consultationId,
    {
      participants: [
        { personId: doctor, role: 'doctor', displayName: 'D' },
        { personId: colleague, role: 'doctor', displayName: 'C' },
      ],
      requestedBy: doctor,
    },
    0,
  ).state;

/** The health channel of the doctor. */
export const openedChannel = (): ConsultationState =>
  openHealthChannel(consultationId, { personId: doctor, role: 'doctor', displayName: 'D' }, 0).state;

export const at = (state: ConsultationState, event: ConsultationEvent, now = 1_000): Outcome =>
  step(state, event, { now, timings });

/** Steps an event that must be possible. */
export function must(state: ConsultationState, event: ConsultationEvent, now = 1_000): Next {
  const outcome = at(state, event, now);
  if (outcome.kind === 'refused')
    throw new Error(`${event.type} was refused: ${outcome.code} ${outcome.detail ?? ''}`);
  return outcome;
}

export const after = (state: ConsultationState, ...events: ConsultationEvent[]): ConsultationState =>
  events.reduce((now, event) => must(now, event).state, state);

export const active = (): ConsultationState =>
  after(requested(), { type: 'enter', by: patient }, { type: 'accept', by: doctor });

export const addRelative = {
  type: 'participant.add',
  participant: { personId: relative, role: 'relative', displayName: 'R' },
} as const;
export const withRelative = (): ConsultationState => after(active(), addRelative);

export const start = (media: CallMedia = 'video', by = doctor, deviceId = desk, id = callId) =>
  ({ type: 'call.start', by, deviceId, callId: id, media }) as const;
export const answer = (deviceId = phone) => ({ type: 'call.accept', by: patient, deviceId, callId }) as const;
/** What a device is given when it joins, unless a test says otherwise. Here a ticket is its own hash. */
export const ticketOf = (deviceId: DeviceId) => `ticket-of-${deviceId}` as TicketHash;
export const join = (
  by: PersonId,
  deviceId: DeviceId,
  { brings = null, given = ticketOf(deviceId), takeOver = false }: Joining = {},
) => ({ type: 'seat.join', by, deviceId, callId, ticket: brings, nextTicket: given, takeOver }) as const;
/** Again, with the ticket of the first time. */
export const rejoin = (by: PersonId, deviceId: DeviceId) =>
  join(by, deviceId, { brings: ticketOf(deviceId) });
export const takeOver = (by: PersonId, deviceId: DeviceId) => join(by, deviceId, { takeOver: true });

export const ringing = (media: CallMedia = 'video') => after(active(), start(media));
export const connecting = (media: CallMedia = 'video') => after(ringing(media), answer());
export const live = (media: CallMedia = 'video') =>
  after(connecting(media), join(doctor, desk), join(patient, phone));

/** The doctor in a live call that the patient was lost from at the moment of the other fixtures, with the whole window. */
export const alone = (media: CallMedia = 'video') => {
  const { seatGraceMs, returnMs } = timings;
  const lost = after(live(media), { type: 'device.lost', personId: patient, deviceId: phone });
  return movedTo(must(lost, { type: 'tick' }, 1_000 + seatGraceMs).state, { at: 1_000, returnMs });
};

/** Every seat as if its state had begun at this moment. */
export function movedTo(
  state: ConsultationState,
  { at: since, returnMs }: { at: number; returnMs: number },
): ConsultationState {
  const { call } = state;
  const seats = call?.seats.map((seat) =>
    seat.state === 'left' && seat.wayBack !== null
      ? { ...seat, since, wayBack: { ...seat.wayBack, until: since + returnMs } }
      : { ...seat, since },
  );
  return { ...state, call: call && { ...call, seats: seats ?? [] } };
}

/** Patient and doctor in a live call, and the relative rung. */
export const rungThird = (media: CallMedia = 'video') =>
  after(withRelative(), start(media), answer(), join(doctor, desk), join(patient, phone));
/** All three in a live call. */
export const liveThree = (media: CallMedia = 'video') =>
  after(rungThird(media), { type: 'call.accept', by: relative, deviceId: tv, callId }, join(relative, tv));

const deviceOf = new Map([
  [patient, phone],
  [doctor, desk],
  [relative, tv],
]);
const ofCall = (by: PersonId) => ({ by, deviceId: deviceOf.get(by) ?? phone, callId, recordingId });

/** Asks to record the call. */
export const record = (by = doctor, id = recordingId) =>
  ({ type: 'recording.start', ...ofCall(by), recordingId: id }) as const;
export const agree = (by: PersonId) => ({ type: 'recording.answer', ...ofCall(by), granted: true }) as const;
export const refuseRecording = (by: PersonId) =>
  ({ type: 'recording.answer', ...ofCall(by), granted: false }) as const;
export const pauseRecording = (by = doctor) => ({ type: 'recording.pause', ...ofCall(by) }) as const;
export const resumeRecording = (by = doctor) => ({ type: 'recording.resume', ...ofCall(by) }) as const;
export const stopRecording = (by = doctor) => ({ type: 'recording.stop', ...ofCall(by) }) as const;
/** The relative takes part in the call that rings them. */
export const thirdJoins = (state: ConsultationState) =>
  after(state, { type: 'call.accept', by: relative, deviceId: tv, callId }, join(relative, tv));

/** A day in a week from the moment of the fixtures. */
export const IN_A_WEEK = 1_000 + 7 * 24 * 3_600_000;
export const plan = (dueAt = IN_A_WEEK, clientFollowUpId = 'follow-up-0001', id = followUpId) =>
  ({ type: 'followUp.plan', by: doctor, followUpId: id, clientFollowUpId, dueAt, reason: 'why' }) as const;
export const begin = { type: 'followUp.begin', by: doctor, followUpId } as const;
export const complete = (outcome: 'reached' | 'not_reached' | 'refused' = 'reached') =>
  ({ type: 'followUp.complete', by: doctor, followUpId, outcome }) as const;
export const setContact = (refused: boolean, by = patient) => ({ type: 'contact.set', by, refused }) as const;
/** An ended visit with a follow-up in a week. */
export const followedUp = () => after(active(), plan(), { type: 'end', by: doctor });

export const say = (text = 'hello', by = patient, id = 'message-0001') =>
  ({
    type: 'send',
    by,
    messageId: 'msg_0000000000000000000001' as MessageId,
    clientMessageId: id as ClientMessageId,
    content: { type: 'text', text },
  }) as const;

export const kinds = (outcome: Next): string[] => outcome.facts.map(({ fact }) => fact.kind);
