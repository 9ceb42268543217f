/** Masked calls as one part of the application: what it is given, and what it gives. */
import type { ConsultationView } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { PhoneCalls } from '../host/phone-calls.ts';
import type { PhoneLegs } from '../host/phone-legs.ts';
import type { PhoneFigures } from './bindings/figures.ts';
import type { PhoneHost } from './bindings/ports.ts';
import type { EmbeddedRelayFigures } from './embedded/embedded-relay.ts';
import type { PartyRooms } from './party/ports.ts';
import type { PhoneBook, PhoneRecording } from './phone-desk.ts';
import type { RelayProvider } from './ports.ts';
import type { PhoneTapesParts } from './tape/phone-tapes.ts';

export interface TelephonyWorld {
  readonly host: PhoneHost;
  /** Where what became of a rung telephone is told, and who dials in finds the call of their visit. */
  readonly calls: Pick<PhoneCalls, 'tell' | 'callWith' | 'dialIn'>;
  /** The media of calls, for telephones in them. */
  readonly rooms: PartyRooms;
  /** Where the sound of phone calls is kept. */
  readonly recordings: Omit<PhoneTapesParts, 'clock' | 'log' | 'callOf'>;
}

/** For metrics. Nothing of it names anybody. */
export interface TelephonyFigures extends PhoneFigures {
  /** Telephones that ring or talk in calls of consultations. */
  readonly inCalls: number;
  /** Phone calls that are recorded now. */
  readonly recorded: number;
}

export interface Telephony {
  readonly book: PhoneBook;
  readonly recording: PhoneRecording;
  /** null: no telephone is rung for a call of a consultation here. */
  readonly legs: PhoneLegs | null;
  /** Addresses below `/v1/phone/` at which providers report. */
  readonly webhooks: RelayProvider['webhooks'];
  /** A consultation began, ended, or has other people. Returns at once. */
  consultationChanged(view: ConsultationView): void;
  /** Something in a consultation changed, perhaps its call. To be told before whoever records calls. Returns at once. */
  callChanged(change: Pick<Stepped, 'before' | 'after'>): void;
  /** Takes up what was left; consultations can be asked from here on. */
  start(): Promise<void>;
  /** Ends what runs. May be called twice. */
  close(): Promise<void>;
  /** null before the start. */
  figures(): Promise<TelephonyFigures | null>;
  /** Of the embedded relay; null: another provider. */
  readonly relayFigures: (() => EmbeddedRelayFigures) | null;
}

export type OpenTelephony = (world: TelephonyWorld) => Telephony;
