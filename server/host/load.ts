import { AppError, type ConsultationId } from '@teleconsult/protocol';
import { NO_PHONE_MEMORY } from '../consultation/phone-state.ts';
import {
  type CallRecord,
  type ConsultationState,
  DEFAULT_TIMINGS,
  type Phase,
  type Seat,
  type WayBack,
} from '../consultation/state.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { EntryCodec } from './entry-codec.ts';
import type { ConsultationKeys, ConsultationStore } from './ports.ts';

export interface Loaded {
  readonly key: ConsultationKey;
  readonly codec: EntryCodec;
  readonly state: ConsultationState;
  readonly lastAt: number;
  /** What it was created from; null where nobody can ask for it again, or an older version made it. */
  readonly sealedRequest: Uint8Array | null;
}

/** Reads a consultation from the store and opens its state. Throws `NOT_FOUND` when there is none. */
export async function loadState(
  id: ConsultationId,
  store: ConsultationStore,
  keys: ConsultationKeys,
): Promise<Loaded> {
  const stored = await store.load(id);
  if (stored === null) throw new AppError('NOT_FOUND');
  const key = await keys.openConsultationKey(id, stored.wrappedKey);
  const codec = new EntryCodec(id, key);
  const { createdAt, lastSequence: sequence, lastAt, sealedRequest } = stored;
  const state = asOfNow({ ...codec.openState(stored.sealedState), id, createdAt, sequence });
  return { key, codec, lastAt, sealedRequest, state };
}

/** A state as the first version sealed it: what came later is missing. */
type Earlier<T, Later extends keyof T> = Omit<T, Later> & Partial<Pick<T, Later>>;

/** Gives a state that an earlier version of the server sealed what it lacks. */
function asOfNow(
  state: Earlier<
    ConsultationState,
    'kind' | 'requestedBy' | 'subject' | 'followUps' | 'contactRefusedSince' | 'phone'
  >,
): ConsultationState {
  return {
    kind: 'visit',
    requestedBy: null,
    subject: null,
    followUps: [],
    contactRefusedSince: null,
    phone: NO_PHONE_MEMORY,
    ...state,
    phase: phaseOfNow(state.phase),
    call: state.call === null ? null : callOfNow(state.call),
  };
}

const phaseOfNow = (phase: Phase): Phase =>
  phase.name === 'ended' ? { ...{ declineReason: null, activeSince: null }, ...phase } : phase;

const callOfNow = (call: Earlier<CallRecord, 'recording' | 'stoppedRecordingId'>): CallRecord => ({
  ...{ recording: null, stoppedRecordingId: null },
  ...call,
  seats: call.seats.map((seat): Seat => {
    const base = { screenOn: false, mutedBy: null, view: 'full' as const, interrupted: false, phone: null };
    switch (seat.state) {
      case 'invited':
        return { ...base, ...{ ringUntil: ringUntil(call), callWaiting: false }, ...seat };
      case 'left':
        return {
          ...base,
          ...{ reason: 'hung_up' as const, deviceId: null, wayBack: wayBackOfNow(call, seat) },
          ...seat,
        };
      case 'connecting':
        return { ...base, ...seat };
      case 'present':
      case 'reconnecting':
        // Without tickets the device that holds the seat takes it again without one, once.
        return { ...base, ...{ tickets: null }, ...seat };
    }
  }),
});

/** Earlier, who was lost could come back for as long as the others stayed; now there is a time to it. */
const wayBackOfNow = (
  { phase }: Pick<CallRecord, 'phase'>,
  { since, reason }: Extract<Seat, { state: 'left' }>,
): WayBack | null =>
  phase.name === 'live' && reason === 'lost'
    ? { until: since + DEFAULT_TIMINGS.returnMs, tickets: null }
    : null;

const ringUntil = ({ phase, startedAt }: Pick<CallRecord, 'phase' | 'startedAt'>): number =>
  phase.name === 'ringing' ? phase.until : startedAt;
