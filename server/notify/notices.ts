import type {
  CallView,
  ConsultationId,
  ConsultationView,
  Entry,
  FollowUpBoard,
  PersonId,
  Preferences,
  PushPayload,
  SeatView,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';

/** How long news is worth waking a device for. */
const NEWS_MS = 24 * 3_600_000;
/** That a call rings no more: the notice of the ring has its own end in it, so this need not reach a sleeping device. */
const OVER_MS = 60_000;

/** What one person should be told of an entry while their app is closed. */
export interface Notice {
  readonly consultationId: ConsultationId;
  readonly personId: PersonId;
  readonly payload: PushPayload;
  /** The choice of the person that it falls under. */
  readonly choice: keyof Preferences['push'];
  readonly urgency: 'high' | 'normal';
  /** Nobody needs to hear of it after this moment. */
  readonly until: number;
}

/** A call as it was when it ended. */
export interface EndedCall {
  readonly startedBy: PersonId;
  /** Of all but those who had left it earlier. */
  readonly seats: readonly Pick<SeatView, 'personId' | 'state' | 'leftReason'>[];
}

/** What must be known beside an entry to tell whom it concerns. */
export interface Situation {
  readonly view: ConsultationView;
  /** The call that runs now, if any: rings are told by what is true now, not by what was. */
  readonly call: CallView | null;
  /** For `call.ended`. */
  readonly ended: EndedCall | null;
  /** For `message.sent`: how far people have read. */
  readonly read: ReadonlyMap<PersonId, number>;
  /** For `followUp.due`: how the follow-ups are now, and whether the patient may be contacted. */
  readonly board: FollowUpBoard | null;
  readonly now: number;
}

/**
 * Who should be told of an entry, whatever they have chosen and wherever they are connected. Never the person who did
 * it, but for two things that concern other devices of the same person: a call that was answered or declined on one
 * of them, and a consultation that they were drawn into.
 */
export function noticesOf(entry: Entry, situation: Situation): readonly Notice[] {
  return noticesWhenever(entry, situation).filter(({ until }) => until > situation.now);
}

function noticesWhenever(entry: Entry, situation: Situation): readonly Notice[] {
  const { view, read } = situation;
  const people = view.participants.map(({ personId }) => personId);
  const others = people.filter((personId) => personId !== entry.by);
  const doctors = view.participants
    .filter(({ role, personId }) => role === 'doctor' && personId !== view.requestedBy)
    .map(({ personId }) => personId)
    .filter((personId) => personId !== entry.by);
  switch (entry.kind) {
    case 'consultation.requested':
      return doctors.map((personId) => consultationNotice(entry, personId, 'requested'));
    case 'consultation.waiting':
      return doctors.map((personId) => consultationNotice(entry, personId, 'waiting'));
    case 'consultation.accepted':
      return others.map((personId) => consultationNotice(entry, personId, 'accepted'));
    case 'consultation.ended':
      return others.map((personId) => consultationNotice(entry, personId, 'ended'));
    case 'participant.joined':
      return people.includes(entry.personId) ? [consultationNotice(entry, entry.personId, 'invited')] : [];
    case 'message.sent':
      if (entry.content.type === 'withdrawn') return [];
      return others
        .filter((personId) => (read.get(personId) ?? 0) < entry.sequence)
        .map((personId) => messageNotice(entry, personId));
    case 'call.started':
      return ringing(entry, situation, () => true);
    case 'call.invited':
      return ringing(entry, situation, ({ personId }) => personId === entry.personId);
    case 'call.answered':
      return entry.by === null ? [] : [overNotice(entry, entry.by, false)];
    case 'call.left':
      return left(entry);
    case 'call.ended':
      return ended(entry, situation);
    case 'followUp.due':
      return reminders(entry, situation);
    case 'note.signed':
      return patientsOf(view).map((personId) => consultationNotice(entry, personId, 'noteSigned'));
    case 'recording.asked':
    case 'recording.agreed':
    case 'recording.started':
    case 'recording.paused':
    case 'recording.resumed':
    case 'recording.stopped':
    case 'note.added':
    case 'followUp.planned':
    case 'followUp.changed':
    case 'followUp.cancelled':
    case 'followUp.begun':
    case 'followUp.completed':
    case 'contact.changed':
    case 'phone.bound':
    case 'phone.unbound':
    case 'phone.callStarted':
    case 'phone.callAnswered':
    case 'phone.callEnded':
    case 'phone.refused':
    case 'consultation.subjectSet':
    case 'participant.left':
    case 'message.recalled':
    case 'message.removed':
    case 'call.mediaChanged':
      return [];
    default:
      return unreachable(entry);
  }
}

const patientsOf = ({ participants }: ConsultationView): readonly PersonId[] =>
  participants.filter(({ role }) => role === 'patient').map(({ personId }) => personId);

/** Of a follow-up that is still due. Who does not want to be contacted is not reminded either; the doctor sees that. */
function reminders(
  { followUpId, ...entry }: Extract<Entry, { kind: 'followUp.due' }>,
  { view, board }: Situation,
): readonly Notice[] {
  if (!board?.followUps.some((one) => one.followUpId === followUpId && one.state === 'due')) return [];
  const doctors = view.participants.filter(({ role }) => role === 'doctor').map(({ personId }) => personId);
  const isRefused = board.contactRefusedSince !== null;
  const what = isRefused ? 'followUpRefused' : 'followUpDue';
  return [
    ...doctors.map((personId) => consultationNotice(entry, personId, what)),
    ...(isRefused ? [] : patientsOf(view)).map((personId) => consultationNotice(entry, personId, what)),
  ];
}

type CallEntry = Extract<Entry, { kind: `call.${string}` }>;

function ringing(
  entry: CallEntry,
  { call }: Situation,
  concerns: (seat: SeatView) => boolean,
): readonly Notice[] {
  if (call?.callId !== entry.callId) return [];
  return call.seats.filter(concerns).flatMap(({ personId, state, ringUntil }): Notice[] => {
    const until = ringUntil ?? call.ringUntil;
    if (state !== 'invited' || until === null) return [];
    const payload = {
      ...base(entry),
      kind: 'call.ringing',
      callId: call.callId,
      media: call.media,
      until,
    } as const;
    return [
      { personId, consultationId: entry.consultationId, payload, choice: 'calls', urgency: 'high', until },
    ];
  });
}

/** Who hung up or was lost had answered, and was told then. */
function left(entry: Extract<Entry, { kind: 'call.left' }>): readonly Notice[] {
  switch (entry.reason) {
    case 'no_answer':
    case 'busy':
      return [overNotice(entry, entry.personId, true)];
    case 'declined':
    case 'removed':
      return [overNotice(entry, entry.personId, false)];
    case 'hung_up':
    case 'lost':
      return [];
    default:
      return unreachable(entry.reason);
  }
}

/** Those who were rung and did not take part. Whoever ended it by declining has missed nothing. */
function ended(entry: Extract<Entry, { kind: 'call.ended' }>, { ended: call }: Situation): readonly Notice[] {
  if (call === null) return [];
  return call.seats
    .filter(({ personId }) => personId !== call.startedBy)
    .flatMap(({ personId, state, leftReason }): Notice[] => {
      if (state === 'invited') return [overNotice(entry, personId, personId !== entry.by)];
      if (state !== 'left') return [];
      if (leftReason === 'no_answer' || leftReason === 'busy') return [overNotice(entry, personId, true)];
      const rangStill = leftReason === 'declined' || leftReason === 'removed';
      return rangStill ? [overNotice(entry, personId, false)] : [];
    });
}

const base = ({ consultationId, at }: Pick<Entry, 'consultationId' | 'at'>) =>
  ({ v: 1, consultationId, at }) as const;

const consultationNotice = (
  entry: Pick<Entry, 'consultationId' | 'at'>,
  personId: PersonId,
  what: Extract<PushPayload, { kind: 'consultation' }>['what'],
): Notice => ({
  personId,
  consultationId: entry.consultationId,
  payload: { ...base(entry), kind: 'consultation', what },
  choice: 'consultations',
  urgency: 'normal',
  until: entry.at + NEWS_MS,
});

const messageNotice = (entry: Entry, personId: PersonId): Notice => ({
  personId,
  consultationId: entry.consultationId,
  payload: { ...base(entry), kind: 'message' },
  choice: 'messages',
  urgency: 'normal',
  until: entry.at + NEWS_MS,
});

/** A missed call is news; that one was dealt with elsewhere is not, a minute later. */
const overNotice = (entry: CallEntry, personId: PersonId, missed: boolean): Notice => ({
  personId,
  consultationId: entry.consultationId,
  payload: { ...base(entry), kind: 'call.over', callId: entry.callId, missed },
  choice: 'calls',
  urgency: 'high',
  until: entry.at + (missed ? NEWS_MS : OVER_MS),
});
