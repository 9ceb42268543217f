import { AppError, type ConsultationView, type PersonId } from '@teleconsult/protocol';
import type { PhoneLegs } from '../host/phone-legs.ts';
import type { Clock, Log } from '../host/ports.ts';
import type { Vault } from '../vault/vault.ts';
import { PhoneBindings, type PhoneFigures } from './bindings/phone-bindings.ts';
import type { PhoneIds, PhoneRecordings } from './bindings/ports.ts';
import type { PhoneSettings } from './bindings/settings.ts';
import type { PhoneStore } from './bindings/store.ts';
import type { PhoneBook, PhoneRecording } from './phone-desk.ts';
import type { RelayProvider } from './ports.ts';
import type { RelayLookup } from './relay-lookup.ts';
import type { OpenTelephony, Telephony, TelephonyWorld } from './telephony.ts';

export interface MaskedCallsParts {
  readonly settings: PhoneSettings;
  readonly recording: PhoneRecording;
  readonly store: PhoneStore;
  readonly vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
  readonly ids: PhoneIds;
  readonly clock: Clock;
  readonly log: Log;
  readonly recordings: PhoneRecordings | null;
  /** Makes the providers; the first one is asked for new numbers. Closed with this. @throws Error when a setting is wrong */
  readonly providers: (lookup: RelayLookup) => readonly RelayProvider[];
  /** Makes whoever rings telephones for calls of consultations; null: nobody. */
  readonly legs?: ((world: TelephonyWorld) => PhoneLegs) | null;
}

/** For an application that has masked calls. */
export const maskedCalls =
  (parts: MaskedCallsParts): OpenTelephony =>
  (world) =>
    new MaskedCalls(parts, world);

/** Bindings, their provider and the consultations, joined: the bindings are opened first and providers begin last. */
class MaskedCalls implements Telephony {
  readonly recording: PhoneRecording;
  readonly legs: PhoneLegs | null;
  readonly webhooks: RelayProvider['webhooks'];
  readonly book: PhoneBook;
  readonly #parts: MaskedCallsParts;
  readonly #world: TelephonyWorld;
  readonly #providers: readonly RelayProvider[];
  #bindings: PhoneBindings | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: MaskedCallsParts, world: TelephonyWorld) {
    this.#parts = parts;
    this.#world = world;
    this.recording = parts.recording;
    this.legs = parts.legs?.(world) ?? null;
    this.#providers = parts.providers({
      bindingOf: async (...asked) => this.#open().bindingOf(...asked),
      partyOf: async (...asked) => this.#open().partyOf(...asked),
      callOf: async (...asked) => this.#open().callOf(...asked),
    });
    this.webhooks = this.#providers.flatMap(({ webhooks }) => webhooks);
    this.book = {
      board: async (id, by) => this.#open().board(id, by),
      bind: async (id, by, wish) => this.#open().bind(id, by, wish),
      unbind: async (id, by, bindingId) => this.#open().unbind(id, by, bindingId),
      setRefused: async (id, by, refused) => this.#open().setRefused(id, by, refused),
      setNumber: async (personId: PersonId, text) => this.#open().setNumber(personId, text),
    };
  }

  async start(): Promise<void> {
    const { host } = this.#world;
    const bindings = await PhoneBindings.open({ ...this.#parts, host, providers: this.#providers });
    this.#bindings = bindings;
    await bindings.start();
    for (const provider of this.#providers) await provider.start(bindings);
  }

  /** What cannot be followed now is looked at again by the bindings themselves, in time. */
  consultationChanged(view: ConsultationView): void {
    const { log } = this.#parts;
    this.#bindings?.consultationChanged(view).catch((error: unknown) => {
      log.error('phone.visitNotFollowed', { consultation: view.consultationId, error });
    });
  }

  async figures(): Promise<PhoneFigures | null> {
    return (await this.#bindings?.figures()) ?? null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Calls end first, so that what they came to is still told. */
  async #close(): Promise<void> {
    for (const provider of this.#providers) await provider.close();
    await this.#bindings?.close();
  }

  /** Nobody can ask before the server listens, unless the start failed halfway. */
  #open(): PhoneBindings {
    if (this.#bindings === null)
      throw new AppError('STORAGE_UNAVAILABLE', { detail: 'telephony is starting' });
    return this.#bindings;
  }
}
