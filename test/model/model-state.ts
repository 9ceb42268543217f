/** What the reference knows of a consultation, and how one seat of it is changed. */
import type {
  CallId,
  CallMedia,
  ConsultationPhase,
  DeviceId,
  FollowUpId,
  FollowUpOutcome,
  FollowUpState,
  PersonId,
  RecordingId,
  SeatLeftReason,
  SeatViewMode,
} from '@teleconsult/protocol';
import type { SeatColumn } from './seat-table.ts';

export interface ModelSeat {
  readonly state: 'invited' | 'connecting' | 'present' | 'reconnecting' | 'left';
  readonly since: number;
  readonly device: DeviceId | null;
  readonly ringUntil: number;
  readonly joined: boolean;
  readonly reason: SeatLeftReason | null;
  readonly returnUntil: number | null;
  /** What its device was given since it first joined or took over: each with the one it brought. */
  readonly given: readonly { readonly ticket: string; readonly for: string | null }[];
  /** What the device brought last. */
  readonly brought: string | null;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  readonly mutedBy: PersonId | null;
  readonly interrupted: boolean;
  readonly view: SeatViewMode;
}

export interface ModelCall {
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly phase: 'ringing' | 'connecting' | 'live';
  readonly caller: PersonId;
  readonly until: number;
  readonly seats: ReadonlyMap<PersonId, ModelSeat>;
  readonly recording: ModelRecording | null;
  /** The recording that stopped last. */
  readonly stopped: RecordingId | null;
}

export interface ModelRecording {
  readonly id: RecordingId;
  readonly phase: 'asking' | 'running' | 'paused';
  readonly until: number;
  readonly asked: ReadonlySet<PersonId>;
  readonly agreed: ReadonlySet<PersonId>;
}

export interface ModelFollowUp {
  readonly id: FollowUpId;
  readonly client: string;
  readonly dueAt: number;
  readonly state: FollowUpState;
  readonly since: number;
  readonly outcome?: FollowUpOutcome;
}

export interface Model {
  readonly phase: ConsultationPhase;
  readonly since: number;
  readonly people: ReadonlyMap<PersonId, string>;
  readonly call: ModelCall | null;
  readonly followUps: readonly ModelFollowUp[];
  readonly contactRefused: boolean;
}

export const isHeld = ({ state }: ModelSeat) =>
  state === 'connecting' || state === 'present' || state === 'reconnecting';

/** A seat as it begins. */
export const fresh = (media: CallMedia, now: number) => ({
  since: now,
  device: null,
  ringUntil: 0,
  joined: false,
  reason: null,
  returnUntil: null,
  given: [],
  brought: null,
  microphone: true,
  camera: media === 'video',
  screen: false,
  mutedBy: null,
  interrupted: false,
  view: 'full' as const,
});

export function change(model: Model, person: PersonId, how: (seat: ModelSeat) => Partial<ModelSeat>): Model {
  const { call } = model;
  const seat = call?.seats.get(person);
  if (!call || !seat) return model;
  return {
    ...model,
    call: { ...call, seats: new Map([...call.seats, [person, { ...seat, ...how(seat) }]]) },
  };
}

/** The column of the seat table that a seat stands in. */
export function columnOf(seat: ModelSeat | undefined): SeatColumn {
  if (seat === undefined) return 'none';
  if (seat.state !== 'left') return seat.state;
  return seat.returnUntil === null ? 'left' : 'lost';
}

/** Whether a ticket opens the seat to its device: one of the last four given for what was brought last, or that itself. */
export function opens({ given, brought }: ModelSeat, ticket: string | null): boolean {
  const open = given.filter((one) => one.for === brought).slice(-4);
  return ticket !== null && (ticket === brought || open.some((one) => one.ticket === ticket));
}
