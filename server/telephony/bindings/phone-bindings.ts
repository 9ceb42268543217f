import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type PersonId,
  type PhoneBindingId,
  type PhoneBoard,
} from '@teleconsult/protocol';
import type { Vault } from '../../vault/vault.ts';
import type { PhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore, RelayEvent, RelayParty } from '../ports.ts';
import type { KnownPhoneCall, RelayLookup } from '../relay-lookup.ts';
import { abreast } from './abreast.ts';
import { Asking, type BindWish } from './asking.ts';
import { boardFor } from './board.ts';
import { CallReports } from './call-reports.ts';
import type { PhoneContext } from './context.ts';
import { Decisions } from './decisions.ts';
import { figuresOf, type PhoneFigures } from './figures.ts';
import { NewsTeller } from './news-teller.ts';
import { keepNumber } from './person-numbers.ts';
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

export interface PhoneBindingsParts extends Omit<PhoneContext, 'seals' | 'recording'> {
  /** `ask`, where it is left out: whoever asks says it each time. */
  readonly recording?: PhoneContext['recording'];
  readonly vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
}

/** Somebody who dials their relay number. */
export interface Caller {
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  readonly personId: PersonId;
  /** Who has the other end of it. */
  readonly other: PersonId;
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
  static async open({ vault, recording = 'ask', ...parts }: PhoneBindingsParts): Promise<PhoneBindings> {
    const { store, settings, providers } = parts;
    const seals = await PhoneSeals.open(store.numbers, vault);
    for (const { name, capabilities } of providers) {
      const relays = capabilities.chooses === 'us' ? (settings.relays[name] ?? []) : [];
      await store.numbers.setRelays(
        name,
        relays.map((x) => ({ xHash: seals.relayHashOf(x), provider: name, sealed: seals.sealRelay(x) })),
      );
    }
    return new PhoneBindings({ ...parts, recording, seals });
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
        void this.consultationChanged(binding).catch((error: unknown) =>
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
      catchUp: (binding) => this.consultationChanged(binding),
    });
  }

  /**
   * Goes on where a server that died was. To be called before providers are started: what a relay in this very process
   * connected before is lost, and would keep the line busy. `runningCalls` says before this which those are.
   */
  async start(): Promise<void> {
    const { providers } = this.#context;
    await this.#news.start();
    for (const { name, capabilities } of providers)
      if (capabilities.webhookProof === 'in_process')
        await this.#reports.lose(name, Number.POSITIVE_INFINITY);
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
    await this.#bringUp(binding);
    return { board: await this.#board(view, by), bindingId: binding.bindingId };
  }

  async unbind(consultationId: ConsultationId, by: PersonId, bindingId: PhoneBindingId): Promise<PhoneBoard> {
    const view = await this.#viewFor(consultationId, by);
    this.#requirePartner(view, by);
    const binding = await this.#context.store.bindings.binding(bindingId);
    if (binding?.consultationId !== consultationId) throw new AppError('NOT_FOUND');
    await this.#end([binding], 'released', by);
    return this.#board(view, by);
  }

  /**
   * Obeyed when it is in the store: from then on no call is connected, and one that runs is ended. That somebody may be phoned
   * again is answered once the visit has heard of it, so that a number can be asked for right after.
   * @throws AppError STORAGE_UNAVAILABLE where it has not for three seconds: it will; asked again it is answered then
   */
  async setRefused(consultationId: ConsultationId, by: PersonId, refused: boolean): Promise<PhoneBoard> {
    const { store, clock, host } = this.#context;
    const view = await this.#viewFor(consultationId, by);
    this.#requirePartner(view, by);
    await store.bindings.setRefused(consultationId, { personId: by, since: clock() }, refused);
    if (refused)
      await this.#orRecheck(async () => {
        const open = await store.bindings.openBinding(consultationId);
        if (open !== null && (open.people.a === by || open.people.b === by))
          await this.#end([open], 'refused', by);
      });
    host.changed(consultationId);
    await this.#soon(() => this.#news.tell());
    if (!refused && (await store.news.hasUntoldRefusal(consultationId)))
      throw new AppError('STORAGE_UNAVAILABLE', { detail: 'the visit has not heard of it yet' });
    return this.#board(view, by);
  }

  /**
   * The host application says where a person can be phoned; nobody else does.
   * @throws AppError INVALID with a reason, never with the number
   */
  async setNumber(personId: PersonId, text: string | null): Promise<void> {
    await keepNumber(this.#context, personId, text);
    const changed = await this.#orRecheck(() => this.#succession.renumber(personId));
    await this.#soon(() => abreast(changed, (bindingId) => this.#work.run(bindingId)));
  }

  /**
   * A consultation has begun or ended, or people came or left. May be told twice, and late; what fails is tried again. Not
   * to be awaited in the consultation's own queue: it asks the host about the consultation.
   */
  consultationChanged({ consultationId }: Pick<ConsultationView, 'consultationId'>): Promise<void> {
    return this.#orRecheck(() => this.#follow(consultationId), consultationId);
  }

  decide(call: IncomingPhoneCall): Promise<CallDecision> {
    return this.#decisions.decide(call);
  }

  /** Who dials a relay number and may call now, and whom they would reach; null: `decide` says what becomes of the call. */
  async callerOf(call: IncomingPhoneCall): Promise<Caller | null> {
    const found = await this.#decisions.callerOf(call);
    if (found === null) return null;
    const { bindingId, consultationId, people } = found.binding;
    const other = people[found.caller === 'a' ? 'b' : 'a'];
    return { bindingId, consultationId, personId: people[found.caller], other };
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

  figures(): Promise<PhoneFigures> {
    return figuresOf(this.#context, this.#refused);
  }

  /** What is told may be late: what counts is what the visit says now. */
  async #follow(consultationId: ConsultationId): Promise<void> {
    const { store, settings } = this.#context;
    const view = await this.#viewOrNull(consultationId);
    const open = await store.bindings.openBinding(consultationId);
    // At once, whatever its provider is still being asked.
    if (view === null || view.phase === 'ended') {
      if (open !== null) await this.#end([open], 'consultation_ended');
      return;
    }
    if (open !== null) await this.#bringUp(open);
    else if (view.phase === 'active' && settings.rule !== null) await this.#bindByRule(view, settings.rule);
    void this.#news.tell();
  }

  async #bindByRule(view: ConsultationView, rule: Omit<BindWish, 'clientBindingId'>): Promise<void> {
    try {
      await this.#bringUp(await this.#asking.ask(view, null, { ...rule, clientBindingId: RULE }));
    } catch (error) {
      // No number is known, or somebody does not want to be phoned: then there is none, and they may ask.
      if (!(error instanceof AppError) || error.code === 'STORAGE_UNAVAILABLE') throw error;
    }
  }

  /**
   * While a number was made, or no server ran, the visit may have ended, people and telephone numbers may have changed, and
   * somebody may have refused: whoever told us of it found nothing to end. What cannot be done now is done in time.
   */
  async #bringUp({ bindingId }: StoredBinding): Promise<void> {
    await this.#soon(async () => {
      await this.#orRecheck(() => this.#succession.follow(bindingId));
      await this.#work.run(bindingId);
    });
  }

  /** What fails halfway leaves a binding that is no longer right: all of them are looked at again. */
  async #orRecheck<T>(task: () => Promise<T>, consultationId?: ConsultationId): Promise<T> {
    try {
      return await task();
    } catch (error) {
      this.#time.recheck(consultationId);
      throw error;
    }
  }

  /** null: it was erased. */
  async #viewOrNull(consultationId: ConsultationId): Promise<ConsultationView | null> {
    try {
      return await this.#context.host.view(consultationId);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
      throw error;
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
    await this.#soon(() => this.#work.run(bindingId));
  }

  /** Waits for a while; what takes longer or fails stays due, and time carries it out. Never rejects. */
  async #soon(task: () => Promise<void>): Promise<void> {
    try {
      await within(ANSWER_MS, task(), () => new AppError('TIMEOUT'));
    } catch (error) {
      const isUnderWay = error instanceof AppError && ['TIMEOUT', 'RATE_LIMITED'].includes(error.code);
      if (!isUnderWay) this.#context.log.warn('phone.notCarriedOut', { error });
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
