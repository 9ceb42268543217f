import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type PersonId,
  type PhoneBindingId,
  type PhoneBoard,
} from '@teleconsult/protocol';
import type { Vault } from '../../vault/vault.ts';
import { normalise, type PhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore, RelayEvent, RelayParty } from '../ports.ts';
import type { KnownPhoneCall, RelayLookup } from '../relay-lookup.ts';
import { Asking, type BindWish } from './asking.ts';
import { boardFor } from './board.ts';
import { CallReports } from './call-reports.ts';
import type { PhoneContext } from './context.ts';
import { Decisions } from './decisions.ts';
import { mayDial } from './destinations.ts';
import { NewsTeller } from './news-teller.ts';
import { PhoneSeals } from './phone-seals.ts';
import { PhoneTime } from './phone-time.ts';
import { ProviderWork } from './provider-work.ts';
import { RefusedCalls } from './refused-calls.ts';
import type { StoredBinding } from './store.ts';
import { Succession } from './succession.ts';
import { type KnownTelephone, telephoneOf } from './telephone-book.ts';
import { within } from './within.ts';

/** How long whoever asks waits for the provider; after that the board says that it is being asked. */
const ANSWER_MS = 3_000;
/** What the rule calls its binding: there is one a visit. */
const RULE = 'by-rule-once';

export interface PhoneBindingsParts extends Omit<PhoneContext, 'seals'> {
  readonly vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
}

/** For metrics. Nothing of it names anybody. */
export interface PhoneFigures {
  /** Bindings that wait for a provider, by what it is asked; news that waits for its thread. */
  readonly pending: Readonly<Record<'binding' | 'changing' | 'unbinding' | 'news', number>>;
  readonly runningCalls: number;
  readonly refused: RefusedCalls['total'];
  readonly alarms: number;
}

/** A call that had not ended when the server stopped. */
export interface RunningPhoneCall {
  readonly phoneCallId: NonNullable<RelayEvent['phoneCallId']>;
  readonly bindingId: PhoneBindingId;
  readonly callRef: string;
  readonly startedAt: number;
}

/**
 * Relay numbers that belong to visits: the store of record, and all decisions. Doctor and patient ask for one and give it
 * back; the host tells how the visit goes; providers ask who is connected and tell what became of calls.
 */
export class PhoneBindings implements RelayCore, RelayLookup {
  readonly #context: PhoneContext;
  readonly #asking: Asking;
  readonly #work: ProviderWork;
  readonly #succession: Succession;
  readonly #decisions: Decisions;
  readonly #reports: CallReports;
  readonly #refused: RefusedCalls;
  readonly #news: NewsTeller;
  readonly #time: PhoneTime;

  /** Reads the key and sets the pool of relay numbers. Nothing runs before `start`. */
  static async open({ vault, ...parts }: PhoneBindingsParts): Promise<PhoneBindings> {
    const { store, settings, providers } = parts;
    const seals = await PhoneSeals.open(store.numbers, vault);
    for (const { name, capabilities } of providers) {
      const relays = capabilities.chooses === 'us' ? (settings.relays[name] ?? []) : [];
      await store.numbers.setRelays(
        name,
        relays.map((x) => ({ xHash: seals.relayHashOf(x), provider: name, sealed: seals.sealRelay(x) })),
      );
    }
    return new PhoneBindings({ ...parts, seals });
  }

  private constructor(context: PhoneContext) {
    const { settings, clock, log } = context;
    const onNews = (): void => void this.#news.tell();
    const end = (binding: StoredBinding, reason: 'consultation_ended' | 'failed') =>
      this.#end([binding], reason);
    this.#context = context;
    this.#news = new NewsTeller(context);
    this.#refused = new RefusedCalls({ threshold: settings.refusedCallsAlarm, clock, log });
    this.#work = new ProviderWork({ ...context, decisionsMade: () => this.#decisions.made() });
    this.#asking = new Asking(context);
    this.#succession = new Succession(context, this.#work);
    this.#decisions = new Decisions({
      ...context,
      refused: this.#refused,
      onNews,
      // Not awaited: what is being decided would wait for itself.
      onOver: (binding) =>
        void this.#catchUp(binding).catch((error: unknown) =>
          log.warn('phone.notEnded', { consultation: binding.consultationId, error }),
        ),
    });
    this.#reports = new CallReports({
      ...context,
      refused: this.#refused,
      onNews,
      onOverLimit: (binding) => end(binding, 'failed'),
    });
    this.#time = new PhoneTime({
      ...context,
      work: this.#work,
      reports: this.#reports,
      news: this.#news,
      catchUp: (binding) => this.#catchUp(binding),
    });
  }

  /**
   * Goes on where a server that died was. To be called before providers are started: what a relay in this very process
   * connected before is lost, and would keep the line busy. `runningCalls` says before this which those are.
   */
  async start(): Promise<void> {
    const { providers, clock } = this.#context;
    await this.#news.start();
    for (const { name, capabilities } of providers)
      if (capabilities.webhookProof === 'in_process') await this.#reports.lose(name, clock() + 1);
    this.#time.start();
  }

  /** Lets time pass now. For tests, and at the start. */
  tick(): Promise<void> {
    return this.#time.tick();
  }

  /** Waits for what is under way. May be called twice. */
  async close(): Promise<void> {
    await this.#time.close();
    await this.#decisions.made();
    await this.#news.close();
  }

  /** @throws AppError NOT_FOUND for whoever does not take part */
  async board(consultationId: ConsultationId, by: PersonId): Promise<PhoneBoard> {
    return this.#board(await this.#viewFor(consultationId, by), by);
  }

  /** Answers the board once the provider has answered, or after three seconds with a binding that is still asked for. */
  async bind(
    consultationId: ConsultationId,
    by: PersonId,
    wish: BindWish,
  ): Promise<{ readonly board: PhoneBoard; readonly bindingId: PhoneBindingId }> {
    const view = await this.#viewFor(consultationId, by);
    this.#requirePartner(view, by);
    const binding = await this.#asking.ask(view, by, wish);
    const { bindingId } = binding;
    await this.#endIfOver(binding);
    await this.#carryOut(bindingId);
    return { board: await this.#board(view, by), bindingId };
  }

  async unbind(consultationId: ConsultationId, by: PersonId, bindingId: PhoneBindingId): Promise<PhoneBoard> {
    const view = await this.#viewFor(consultationId, by);
    this.#requirePartner(view, by);
    const binding = await this.#context.store.bindings.binding(bindingId);
    if (binding?.consultationId !== consultationId) throw new AppError('NOT_FOUND');
    await this.#end([binding], 'released', by);
    return this.#board(view, by);
  }

  /** Obeyed when it is in the store: from then on no call is connected, and one that runs is ended. */
  async setRefused(consultationId: ConsultationId, by: PersonId, refused: boolean): Promise<PhoneBoard> {
    const { store, clock, host } = this.#context;
    const view = await this.#viewFor(consultationId, by);
    this.#requirePartner(view, by);
    await store.bindings.setRefused(consultationId, { personId: by, since: clock() }, refused);
    if (refused) {
      const open = await store.bindings.openBinding(consultationId);
      if (open !== null && (open.people.a === by || open.people.b === by))
        await this.#end([open], 'refused', by);
    }
    host.changed(consultationId);
    void this.#news.tell();
    return this.#board(view, by);
  }

  /**
   * The host application says where a person can be phoned; nobody else does.
   * @throws AppError INVALID with a reason, never with the number
   */
  async setNumber(personId: PersonId, text: string | null): Promise<void> {
    const { store, seals, settings, clock } = this.#context;
    if (text === null) await store.numbers.removeNumber(personId);
    else {
      const number = normalise(text, settings.defaultRegion);
      if (!mayDial(number, settings.destinations))
        throw new AppError('INVALID', { detail: 'number: it may not be dialled from here' });
      if ((await store.numbers.relay(seals.relayHashOf(number))) !== null)
        throw new AppError('INVALID', { detail: 'number: it is a relay number' });
      const sealed = seals.sealPersonNumber(personId, number);
      await store.numbers.setNumber({
        personId,
        numberHash: seals.hashOf(number),
        changedAt: clock(),
        sealed,
      });
    }
    await this.#succession.renumber(personId);
    void this.#news.tell();
  }

  /**
   * A consultation has begun or ended, or people came or left. May be told twice, and late; what fails is tried again. Not
   * to be awaited in the consultation's own queue: it asks the host about the consultation.
   */
  async consultationChanged(view: ConsultationView): Promise<void> {
    try {
      await this.#follow(view);
    } catch (error) {
      this.#time.recheck();
      throw error;
    }
  }

  decide(call: IncomingPhoneCall): Promise<CallDecision> {
    return this.#decisions.decide(call);
  }

  event(event: RelayEvent): Promise<void> {
    return this.#reports.event(event);
  }

  /** Our own id where the report brings it back, and only if both mean the same one. */
  async bindingOf(
    provider: string,
    ref: string,
    ours: PhoneBindingId | null,
  ): Promise<PhoneBindingId | null> {
    const binding = await this.#context.store.bindings.bindingByRef(provider, ref);
    if (binding === null || (ours !== null && ours !== binding.bindingId)) return null;
    return binding.bindingId;
  }

  partyOf(bindingId: PhoneBindingId, number: PhoneNumber): Promise<RelayParty | null> {
    const { store, seals } = this.#context;
    return store.bindings.partyOf(bindingId, seals.hashOf(number));
  }

  async callOf(provider: string, callRef: string): Promise<KnownPhoneCall | null> {
    const { store, settings } = this.#context;
    const call = await store.calls.callByRef(provider, callRef);
    if (call === null) return null;
    const { bindingId, phoneCallId, caller, startedAt: since, state } = call;
    return { bindingId, phoneCallId, caller, since, language: settings.language, ended: state === 'ended' };
  }

  /** Where a person is rung for a call of a consultation (`telephone-book.ts`); null: nowhere. */
  telephoneOf(consultationId: ConsultationId, personId: PersonId): Promise<KnownTelephone | null> {
    return telephoneOf(this.#context, consultationId, personId);
  }

  /** Calls of a provider that have not ended; after a restart those that somebody has to end. */
  async runningCalls(provider: string): Promise<readonly RunningPhoneCall[]> {
    return (await this.#context.store.calls.running(provider)).map(
      ({ phoneCallId, bindingId, callRef, startedAt }) => ({ phoneCallId, bindingId, callRef, startedAt }),
    );
  }

  /** The provider has no call any more that began before a moment: they are `lost`. */
  async callsLost(provider: string, before: number): Promise<void> {
    await this.#reports.lose(provider, before);
  }

  async figures(): Promise<PhoneFigures> {
    const { store } = this.#context;
    return {
      pending: { ...(await store.bindings.pendingBindings()), news: await store.news.countUntold() },
      runningCalls: await store.calls.countRunning(),
      refused: this.#refused.total,
      alarms: this.#refused.alarms,
    };
  }

  async #follow(view: ConsultationView): Promise<void> {
    const { store, settings } = this.#context;
    const { consultationId, phase } = view;
    const open = await store.bindings.openBinding(consultationId);
    if (phase === 'ended') {
      if (open !== null) await this.#end([open], 'consultation_ended');
      return;
    }
    if (open !== null) await this.#succession.handOver(view, open);
    else if (phase === 'active' && settings.rule !== null) await this.#bindByRule(view, settings.rule);
    void this.#news.tell();
  }

  async #bindByRule(view: ConsultationView, rule: Omit<BindWish, 'clientBindingId'>): Promise<void> {
    try {
      const binding = await this.#asking.ask(view, null, { ...rule, clientBindingId: RULE });
      await this.#endIfOver(binding);
      await this.#carryOut(binding.bindingId);
    } catch (error) {
      // No number is known, or somebody does not want to be phoned: then there is none, and they may ask.
      if (!(error instanceof AppError) || error.code === 'STORAGE_UNAVAILABLE') throw error;
    }
  }

  /** A visit may have ended while a number for it was made: what told us of the end found nothing to end. */
  async #endIfOver(binding: StoredBinding): Promise<void> {
    const { phase } = await this.#context.host.view(binding.consultationId);
    if (phase === 'ended') await this.#work.end(binding, 'consultation_ended');
  }

  /** What the visit says now; a visit that was erased has ended. */
  async #catchUp(binding: StoredBinding): Promise<void> {
    try {
      await this.consultationChanged(await this.#context.host.view(binding.consultationId));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      await this.#end([binding], 'consultation_ended');
    }
  }

  async #end(
    bindings: readonly StoredBinding[],
    reason: NonNullable<StoredBinding['unboundReason']>,
    by: PersonId | null = null,
  ): Promise<void> {
    for (const binding of bindings) await this.#work.end(binding, reason, by);
    void this.#news.tell();
    for (const { bindingId } of bindings) await this.#carryOut(bindingId);
  }

  async #carryOut(bindingId: PhoneBindingId): Promise<void> {
    const { log } = this.#context;
    try {
      await within(ANSWER_MS, this.#work.run(bindingId), () => new AppError('TIMEOUT'));
    } catch (error) {
      // It stays due, and time carries it out.
      const isUnderWay = error instanceof AppError && ['TIMEOUT', 'RATE_LIMITED'].includes(error.code);
      if (!isUnderWay) log.warn('phone.notCarriedOut', { error });
    }
    void this.#news.tell();
  }

  #board(view: ConsultationView, by: PersonId): Promise<PhoneBoard> {
    const people = view.participants.map(({ personId }) => personId);
    return boardFor(this.#context, by, { consultationId: view.consultationId, people });
  }

  async #viewFor(consultationId: ConsultationId, by: PersonId): Promise<ConsultationView> {
    const view = await this.#context.host.view(consultationId);
    if (!view.participants.some(({ personId }) => personId === by)) throw new AppError('NOT_FOUND');
    return view;
  }

  /** Doctors and patients; not those who are drawn in. */
  #requirePartner({ participants }: ConsultationView, by: PersonId): void {
    const role = participants.find(({ personId }) => personId === by)?.role;
    if (role !== 'doctor' && role !== 'patient') throw new AppError('FORBIDDEN');
  }
}
