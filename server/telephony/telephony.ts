/** Masked calls as one part of the application: what it is given, and what it gives. */
import type { ConsultationView } from '@teleconsult/protocol';
import type { PhoneCalls } from '../host/phone-calls.ts';
import type { PhoneLegs } from '../host/phone-legs.ts';
import type { PhoneFigures } from './bindings/phone-bindings.ts';
import type { PhoneHost } from './bindings/ports.ts';
import type { PhoneBook, PhoneRecording } from './phone-desk.ts';
import type { RelayProvider } from './ports.ts';

export interface TelephonyWorld {
  readonly host: PhoneHost;
  /** Where what became of a rung telephone is told. */
  readonly calls: Pick<PhoneCalls, 'tell'>;
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
  /** Takes up what was left; consultations can be asked from here on. */
  start(): Promise<void>;
  /** Ends what runs. May be called twice. */
  close(): Promise<void>;
  /** For metrics; null before the start. */
  figures(): Promise<PhoneFigures | null>;
}

export type OpenTelephony = (world: TelephonyWorld) => Telephony;
