import { AppError, type ConsultationView, type PersonId } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { PhoneLegs } from '../host/phone-legs.ts';
import type { Clock, Log } from '../host/ports.ts';
import type { Vault } from '../vault/vault.ts';
import { PhoneBindings } from './bindings/phone-bindings.ts';
import type { PhoneIds, PhoneRecordings } from './bindings/ports.ts';
import type { PhoneSettings } from './bindings/settings.ts';
import type { PhoneStore } from './bindings/store.ts';
import type { DialIns } from './embedded/dial-ins.ts';
import type { EmbeddedRelayFigures } from './embedded/embedded-relay.ts';
import { LostReports } from './lost-reports.ts';
import { PhoneParties } from './party/phone-parties.ts';
import { LOOPBACK } from './party/phone-party.ts';
import type { Telephones } from './party/ports.ts';
import type { PhoneBook, PhoneRecording } from './phone-desk.ts';
import type { OpenTape, RelayProvider } from './ports.ts';
import { tellIfNotReady } from './provider-readiness.ts';
import type { RelayLookup } from './relay-lookup.ts';
import { PhoneTapes } from './tape/phone-tapes.ts';
import { ProviderRecordings } from './tape/provider-recordings.ts';
import type { CallOf } from './tape/taped-call.ts';
import type { OpenTelephony, Telephony, TelephonyFigures, TelephonyWorld } from './telephony.ts';

/** What carries calls. */
export interface OpenedProviders {
  /** The first one is asked for new numbers. */
  readonly providers: readonly RelayProvider[];
  /** Rings single telephones; left out: nobody does. */
  readonly telephones?: Telephones;
  /** Takes those who dial in into the calls of their visits. */
  readonly joinBy?: (dialIns: DialIns) => void;
  readonly figures?: () => EmbeddedRelayFigures;
}

export interface MaskedCallsParts {
  readonly settings: PhoneSettings;
  readonly recording: PhoneRecording;
  readonly store: PhoneStore;
  readonly vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
  readonly ids: PhoneIds;
  readonly clock: Clock;
  readonly log: Log;
  /** Left out: the sound of phone calls is kept in the vault. null: nothing is recorded, and what providers have stays there. */
  readonly recordings?: PhoneRecordings | null;
  /**
   * Makes the providers. Closed with this.
   * @throws Error when a setting is wrong
   */
  readonly providers: (
    lookup: RelayLookup,
    openTape: OpenTape | null,
  ) => OpenedProviders | readonly RelayProvider[];
  /** Makes whoever rings telephones for calls of consultations, in place of ours. */
  readonly legs?: ((world: TelephonyWorld) => PhoneLegs) | null;
}

/** For an application that has masked calls. */
export const maskedCalls =
  (parts: MaskedCallsParts): OpenTelephony =>
  (world) =>
    new MaskedCalls(parts, world);

/** The sound of phone calls on its way into the vault. */
interface Keeping {
  readonly tapes: PhoneTapes;
  readonly fetching: ProviderRecordings;
}

/** Bindings, their provider and the consultations, joined: the bindings are opened first and providers begin last. */
class MaskedCalls implements Telephony {
  readonly recording: PhoneRecording;
  readonly legs: PhoneLegs | null;
  readonly webhooks: RelayProvider['webhooks'];
  readonly book: PhoneBook;
  readonly relayFigures: (() => EmbeddedRelayFigures) | null;
  readonly #parts: MaskedCallsParts;
  readonly #world: TelephonyWorld;
  readonly #opened: OpenedProviders;
  readonly #parties: PhoneParties | null;
  readonly #keeping: Keeping | null;
  readonly #lostReports: LostReports;
  #bindings: PhoneBindings | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: MaskedCallsParts, world: TelephonyWorld) {
    this.#parts = parts;
    this.#world = world;
    this.recording = parts.recording;
    this.#keeping = parts.recordings === undefined ? this.#keep() : null;
    const opened = parts.providers(
      {
        bindingOf: async (...asked) => this.#open().bindingOf(...asked),
        partyOf: async (...asked) => this.#open().partyOf(...asked),
        callOf: async (...asked) => this.#open().callOf(...asked),
      },
      this.#keeping?.tapes.open ?? null,
    );
    this.#opened = 'providers' in opened ? opened : { providers: opened };
    const { providers, figures = null } = this.#opened;
    this.relayFigures = figures;
    this.webhooks = providers.flatMap(({ webhooks }) => webhooks);
    this.#parties = this.#joinTelephones(this.#opened.telephones);
    if (this.#parties !== null) this.#opened.joinBy?.(this.#dialIns(this.#parties));
    this.legs = parts.legs?.(world) ?? this.#parties;
    this.#lostReports = new LostReports({
      ...parts,
      providers,
      core: { event: async (event) => this.#open().event(event) },
    });
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
    const { providers } = this.#opened;
    const { recordings = this.#keeping?.fetching ?? null } = this.#parts;
    const bindings = await PhoneBindings.open({ ...this.#parts, host, recordings, providers });
    this.#bindings = bindings;
    await bindings.start();
    for (const provider of providers) await provider.start(bindings);
    void tellIfNotReady({ providers, log: this.#parts.log, isClosing: () => this.#closing !== null });
    this.#keeping?.fetching.look();
    this.#lostReports.start();
  }

  /** What cannot be followed now is looked at again by the bindings themselves, in time. */
  consultationChanged(view: ConsultationView): void {
    const { log } = this.#parts;
    this.#bindings?.consultationChanged(view).catch((error: unknown) => {
      log.error('phone.visitNotFollowed', { consultation: view.consultationId, error });
    });
  }

  callChanged(change: Pick<Stepped, 'before' | 'after'>): void {
    this.#parties?.handleChange(change);
  }

  async figures(): Promise<TelephonyFigures | null> {
    if (this.#bindings === null) return null;
    return {
      ...(await this.#bindings.figures()),
      inCalls: this.#parties?.size ?? 0,
      recorded: this.#keeping?.tapes.running ?? 0,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Who talks hears so first; then calls end, so that what they came to is still told; tapes end when nothing comes any more. */
  async #close(): Promise<void> {
    await this.#parties?.close();
    await this.#lostReports.close();
    for (const provider of this.#opened.providers) await provider.close();
    await this.#bindings?.close();
    await Promise.all([this.#keeping?.fetching.close(), this.#keeping?.tapes.close()]);
  }

  #joinTelephones(telephones: Telephones | undefined): PhoneParties | null {
    if (telephones === undefined) return null;
    const { host, calls, rooms } = this.#world;
    return new PhoneParties({
      ...this.#parts,
      telephones,
      calls,
      rooms,
      view: (id) => host.view(id),
      book: { telephoneOf: async (...asked) => this.#open().telephoneOf(...asked) },
    });
  }

  /** Who dials X while the other is in the call of the visit takes part in that call. */
  #dialIns(parties: PhoneParties): DialIns {
    const { language, maxTalkMs } = this.#parts.settings;
    return {
      find: async (call) => {
        const caller = await this.#open().callerOf(call);
        if (caller === null) return null;
        const { bindingId, consultationId, personId, other } = caller;
        const callId = await this.#world.calls.callWith(consultationId, other, personId);
        const wish = { language, maxTalkMs, soundHost: LOOPBACK };
        return callId === null ? null : { bindingId, consultationId, callId, personId, wish };
      },
      join: (dialIn, telephone) => parties.join(dialIn, telephone),
    };
  }

  #keep(): Keeping {
    const { clock, log } = this.#parts;
    const world = this.#world.recordings;
    const callOf = this.#callOf;
    const tapes = new PhoneTapes({ ...world, clock, log, callOf });
    const fetching = new ProviderRecordings({
      ...world,
      clock,
      log,
      callOf,
      tapes,
      providerOf: (name) => this.#opened.providers.find((provider) => provider.name === name) ?? null,
    });
    return { tapes, fetching };
  }

  /** From the store of calls: also after a hand-over, and after the binding has ended. */
  readonly #callOf: CallOf = async ({ phoneCallId, bindingId }) => {
    const call = await this.#parts.store.calls.call(phoneCallId);
    if (call === null || call.bindingId !== bindingId) return null;
    const { consultationId, people, caller, answeredAt, endedAt } = call;
    return {
      consultationId,
      caller: people[caller],
      callee: people[caller === 'a' ? 'b' : 'a'],
      ...(answeredAt === null ? {} : { startedAt: answeredAt }),
      ...(endedAt === null ? {} : { endedAt }),
    };
  };

  /** Nobody can ask before the server listens, unless the start failed halfway. */
  #open(): PhoneBindings {
    if (this.#bindings === null)
      throw new AppError('STORAGE_UNAVAILABLE', { detail: 'telephony is starting' });
    return this.#bindings;
  }
}
