import {
  type CallView,
  ConsultationId,
  type ConsultationView,
  Entry,
  FollowUpBoard,
  type Participant,
  PersonId,
} from '@teleconsult/protocol';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { Stepped } from '@teleconsult/server/host/batch';
import type { NotifierParts } from '@teleconsult/server/notify/notifier';

export const consultationId = (number: number) =>
  ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
export const callId = (number = 1) => `cal_${String(number).padStart(22, '0')}`;
export const messageId = (number: number) => `msg_${String(number).padStart(22, '0')}`;
export const person = (name: string) => PersonId.parse(name);

export const patient = person('patient-1');
export const doctor = person('doctor-1');

export const VISIT: readonly Participant[] = [
  { personId: patient, role: 'patient', displayName: 'canary-patient' },
  { personId: doctor, role: 'doctor', displayName: 'canary-doctor' },
];

/** Whatever is said in these tests; none of it may leave. */
export const CANARY = 'canary';

type Draft = Record<string, unknown> & { kind: string };

/** Threads without a host: what the notifier reads, and where it notes how far it told. */
export class FakeThreads {
  now = Date.now();
  readonly store: NotifierParts['store'];
  readonly host: NotifierParts['host'];
  readonly notified = new Map<ConsultationId, number>();
  readonly participants = new Map<ConsultationId, readonly Participant[]>();
  readonly calls = new Map<ConsultationId, CallView>();
  readonly boards = new Map<ConsultationId, FollowUpBoard>();
  readonly read = new Map<string, number>();
  /** Consultations that cannot be opened. */
  readonly broken = new Set<ConsultationId>();
  requestedBy: PersonId | null = null;
  /** Pages of threads that were read and opened. */
  pagesRead = 0;
  /** Most entries that fit into a page of the host, however many were asked for. */
  pageHolds = Infinity;
  readonly #entries = new Map<ConsultationId, Entry[]>();

  constructor() {
    this.store = {
      page: async (id, range) => {
        const limit = range.limit;
        const found = this.of(id).filter(({ sequence }) =>
          'after' in range ? sequence > range.after : sequence < range.before,
        );
        return ('after' in range ? found.slice(0, limit) : found.slice(-limit)).map(
          ({ sequence, at, by, kind }) => ({
            sequence,
            at,
            by,
            kind,
            clientMessageId: null,
            sealed: new Uint8Array(),
            withdrawn: null,
            withdrawnBy: null,
          }),
        );
      },
      marks: async (id) =>
        this.#people(id).map(({ personId }) => ({
          personId,
          delivered: 0,
          read: this.read.get(`${id}|${personId}`) ?? 0,
        })),
      behind: async (limit) =>
        [...this.#entries.keys()]
          .filter((id) => (this.notified.get(id) ?? 0) < this.of(id).length)
          .slice(0, limit),
      notifiedUpTo: async (id) => this.notified.get(id) ?? 0,
      markNotified: async (id, upTo) => {
        this.notified.set(id, Math.max(upTo, this.notified.get(id) ?? 0));
      },
    };
    this.host = {
      view: async (id) => this.view(id),
      thread: async (id, _by, { afterSequence, beforeSequence, limit }) => {
        this.pagesRead += 1;
        if (this.broken.has(id)) throw new Error(`${CANARY}: cannot be opened`);
        const found = this.of(id).filter(({ sequence }) =>
          afterSequence === undefined ? sequence < (beforeSequence ?? Infinity) : sequence > afterSequence,
        );
        const most = Math.min(limit, this.pageHolds);
        const entries = afterSequence === undefined ? found.slice(-most) : found.slice(0, most);
        return { entries, hasMore: found.length > most, lastSequence: this.of(id).length };
      },
      snapshot: async (id) => ({
        consultation: this.view(id),
        call: this.calls.get(id) ?? null,
        entries: [],
        hasMore: false,
        marks: [],
        online: [],
        unread: { consultationId: id, unread: 0, read: 0 },
      }),
      followUps: { board: async (id) => this.boards.get(id) ?? { followUps: [], contactRefusedSince: null } },
    };
  }

  of(id: ConsultationId): Entry[] {
    return this.#entries.get(id) ?? [];
  }

  /** Adds an entry, as the next of its thread. */
  add(id: ConsultationId, draft: Draft, by: PersonId | null = patient, at = this.now): Entry {
    const thread = this.of(id);
    const entry = Entry.parse({ ...draft, consultationId: id, sequence: thread.length + 1, at, by });
    this.#entries.set(id, [...thread, entry]);
    return entry;
  }

  text(id: ConsultationId, by: PersonId = patient): Entry {
    const number = this.of(id).length + 1;
    return this.add(id, textMessage(number), by);
  }

  /** The present state of the call of a consultation; the first rings the others. */
  ring(id: ConsultationId, options: { until?: number; busy?: readonly PersonId[] } = {}): CallView {
    const { until = this.now + 30_000, busy = [] } = options;
    const call = ringingCall(id, this.#people(id), { until, now: this.now, busy });
    this.calls.set(id, call);
    return call;
  }

  view(id: ConsultationId): ConsultationView {
    return {
      consultationId: id,
      kind: this.requestedBy === null ? 'visit' : 'colleagues',
      phase: 'active',
      phaseSince: 0,
      endReason: null,
      declineReason: null,
      requestedBy: this.requestedBy,
      subject: null,
      participants: [...this.#people(id)],
      createdAt: 0,
      lastSequence: this.of(id).length,
    };
  }

  #people(id: ConsultationId): readonly Participant[] {
    return this.participants.get(id) ?? VISIT;
  }
}

export const textMessage = (number: number, text = `${CANARY} text ${number}`) => ({
  kind: 'message.sent',
  messageId: messageId(number),
  clientMessageId: `client-message-${number}`,
  content: { type: 'text', text },
});

export function ringingCall(
  id: ConsultationId,
  people: readonly Participant[],
  { until, now, busy = [] }: { until: number; now: number; busy?: readonly PersonId[] },
): CallView {
  const [caller] = people;
  const seat = {
    deviceId: null,
    microphoneOn: true,
    cameraOn: false,
    screenOn: false,
    mutedBy: null,
    view: 'full' as const,
    interrupted: false,
    returnUntil: null,
    callWaiting: false,
    phone: false,
    since: now,
  };
  return {
    callId: callId() as CallView['callId'],
    consultationId: id,
    media: 'voice',
    state: 'ringing',
    startedBy: caller?.personId ?? patient,
    startedAt: now,
    ringUntil: until,
    answeredAt: null,
    endReason: null,
    recording: null,
    revision: 1,
    seats: people.map(({ personId }, index) =>
      index === 0
        ? { ...seat, personId, state: 'connecting', ringUntil: null, leftReason: null }
        : busy.includes(personId)
          ? { ...seat, personId, state: 'left', ringUntil: null, leftReason: 'busy' }
          : { ...seat, personId, state: 'invited', ringUntil: until, leftReason: null },
    ),
  };
}

/** What the host tells its observers after a commit. */
export function changeOf(
  threads: FakeThreads,
  id: ConsultationId,
  effects: Stepped['effects'] = [],
): Stepped {
  const state: ConsultationState = {
    id,
    kind: 'visit',
    createdAt: 0,
    participants: threads.view(id).participants,
    requestedBy: null,
    subject: null,
    phase: { name: 'active', since: 0 },
    call: null,
    callRevision: 0,
    followUps: [],
    contactRefusedSince: null,
    phone: { refusedBy: [], told: [] },
    sequence: threads.of(id).length,
  };
  return { before: state, after: state, entries: threads.of(id).slice(-1), effects };
}
