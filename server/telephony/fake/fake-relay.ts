import type { PhoneBindingId } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import type {
  BindingChange,
  BindRequest,
  BoundRelay,
  CallDecision,
  FetchedRecording,
  PromptId,
  RelayCapabilities,
  RelayCore,
  RelayErrorReason,
  RelayEvent,
  RelayParty,
  RelayProvider,
} from '../ports.ts';
import { RelayError } from '../ports.ts';
import { within } from '../webhook-guard.ts';
import { type FakeBridge, FakeCall, type FakeCallState } from './fake-call.ts';
import { type FakeAnswer, FakeScript } from './fake-script.ts';

/** The core itself gives up sooner. */
const DECIDE_TIMEOUT_MS = 3_000;
/** Events and calls that are remembered, for `reconcile` and for tests that look. */
const MOST_REMEMBERED = 10_000;

export interface FakeRelayOptions {
  readonly name?: string;
  /** `server` asks the core each time; `provider` holds the bindings and decides by them. */
  readonly routing?: RelayCapabilities['routing'];
  readonly clock?: () => number;
  readonly decideTimeoutMs?: number;
  /** Numbers it gives where it is the one to choose. */
  readonly numbers?: readonly PhoneNumber[];
}

/** An event that waits to be told, so that a test tells it late, twice, or in another order. */
export interface HeldReport {
  readonly event: RelayEvent;
  send(): Promise<void>;
}

/** A telephone provider without telephones: scriptable, in process, for development and tests. */
export class FakeRelayProvider implements RelayProvider {
  readonly name: string;
  readonly capabilities: RelayCapabilities;
  readonly webhooks = [] as const;
  readonly #clock: () => number;
  readonly #decideTimeoutMs: number;
  readonly #numbers: readonly PhoneNumber[];
  readonly #script = new FakeScript();
  readonly #bound = new Map<PhoneBindingId, { request: BindRequest; bound: BoundRelay }>();
  readonly #calls = new Map<string, FakeCall>();
  readonly #told: RelayEvent[] = [];
  readonly #recordings = new Map<string, Uint8Array>();
  #held: HeldReport[] | null = null;
  #core: RelayCore | null = null;
  #dialled = 0;

  constructor(options: FakeRelayOptions = {}) {
    const { name = 'fake', routing = 'server', clock = Date.now, numbers = [] } = options;
    this.name = name;
    this.#decideTimeoutMs = options.decideTimeoutMs ?? DECIDE_TIMEOUT_MS;
    this.#clock = clock;
    this.#numbers = numbers;
    this.capabilities = {
      routing,
      chooses: numbers.length > 0 ? 'provider' : 'us',
      changes: new Set(['a', 'b', 'expiresAt', 'direction', 'recorded'] as const),
      recording: 'stereo',
      ringEvents: true,
      endsCalls: true,
      announcements: 'inline',
      webhookProof: 'in_process',
      minLifetimeMs: 0,
    };
  }

  /** The next requests to the provider fail so. */
  fails(reason: RelayErrorReason, times = 1): void {
    this.#script.fails(reason, times);
  }

  /** No further request fails. */
  recovers(): void {
    this.#script.recovers();
  }

  /** What the next person who is rung does; otherwise it rings on. */
  next(answer: FakeAnswer): void {
    this.#script.next(answer);
  }

  /** Bindings as the provider holds them now. */
  get bindings(): readonly BindRequest[] {
    return [...this.#bound.values()].map(({ request }) => request);
  }

  get calls(): readonly FakeCall[] {
    return [...this.#calls.values()];
  }

  /** From now on events wait; `release()` gives them and ends the waiting. */
  hold(): void {
    this.#held ??= [];
  }

  release(): readonly HeldReport[] {
    const held = this.#held ?? [];
    this.#held = null;
    return held;
  }

  /** Somebody dials X. Resolves when it rings at the other, or the caller was turned away. */
  async call({
    from,
    x,
    callRef,
  }: {
    from: PhoneNumber | null;
    x: PhoneNumber;
    callRef?: string;
  }): Promise<FakeCall> {
    this.#dialled += 1;
    const ref = callRef ?? `call-${this.#dialled}`;
    const before = this.#calls.get(ref);
    if (before !== undefined) return before;
    const { state, heard } = await this.#decided(ref, from, x);
    const tell = (call: FakeCall, what: RelayEvent['what']): Promise<void> => this.#tell(call, what);
    const call = new FakeCall({ callRef: ref, state, heard, clock: this.#clock, tell });
    this.#calls.set(ref, call);
    this.#forgetOldest(this.#calls);
    if (state.is !== 'ringing') return call;
    await call.ring();
    const answer = this.#script.answer();
    if (answer === 'answers') await call.answer();
    else if (answer !== 'rings') await call.end(answer, promptFor(answer));
    return call;
  }

  async start(core: RelayCore): Promise<void> {
    this.#core = core;
  }

  async bind(request: BindRequest): Promise<BoundRelay> {
    this.#script.request();
    const before = this.#bound.get(request.bindingId);
    if (before !== undefined) return before.bound;
    const taken = new Set([...this.#bound.values()].map(({ bound }) => bound.x));
    const x = request.x ?? this.#numbers.find((number) => !taken.has(number));
    if (x === undefined) throw new RelayError('no_number');
    const bound = { bindingId: request.bindingId, ref: `ref-${request.bindingId}`, x };
    this.#bound.set(request.bindingId, { request: { ...request, x }, bound });
    return bound;
  }

  async change({ bindingId }: BoundRelay, change: BindingChange): Promise<void> {
    this.#script.request();
    const before = this.#bound.get(bindingId);
    if (before === undefined) throw new RelayError('not_found');
    this.#bound.set(bindingId, { ...before, request: { ...before.request, ...change } });
  }

  async unbind({ bindingId }: BoundRelay, why: PromptId): Promise<void> {
    this.#script.request();
    this.#bound.delete(bindingId);
    for (const { callRef, state } of this.#calls.values())
      if ('bridge' in state && state.bridge.bindingId === bindingId) await this.#end(callRef, why);
  }

  async endCall(callRef: string, why: PromptId | null): Promise<void> {
    this.#script.request();
    await this.#end(callRef, why);
  }

  async fetchRecording(recordingRef: string): Promise<FetchedRecording> {
    this.#script.request();
    const bytes = this.#recordings.get(recordingRef);
    if (bytes === undefined) throw new RelayError('not_found');
    return { body: inPieces(bytes), contentType: 'audio/wav', channels: 2 };
  }

  async deleteRecording(recordingRef: string): Promise<void> {
    this.#script.request();
    this.#recordings.delete(recordingRef);
  }

  readonly reconcile = (since: number, signal: AbortSignal): AsyncIterable<RelayEvent> =>
    this.#since(since, signal);

  async check(): Promise<void> {
    this.#script.request();
  }

  /** Ends what runs, and tells nobody: the core is the one who closes it. */
  async close(): Promise<void> {
    this.#core = null;
    this.#calls.clear();
    this.#bound.clear();
    this.#held = null;
  }

  async *#since(since: number, signal: AbortSignal): AsyncGenerator<RelayEvent> {
    for (const event of this.#told.filter(({ at }) => at >= since)) {
      if (signal.aborted) return;
      yield event;
    }
  }

  async #end(callRef: string, why: PromptId | null): Promise<void> {
    const end = why === null ? 'completed' : why === 'time_over' ? 'time_over' : 'unbound';
    await this.#calls.get(callRef)?.end(end, why);
  }

  async #decided(
    callRef: string,
    from: PhoneNumber | null,
    x: PhoneNumber,
  ): Promise<{ state: FakeCallState; heard: PromptId | null }> {
    const decision = await this.#decision(callRef, from, x);
    if (decision.do === 'bridge') return { state: { is: 'ringing', bridge: { ...decision } }, heard: null };
    const heard = decision.do === 'announce' ? decision.prompt : null;
    return { state: { is: 'turned_away', why: decision.why }, heard };
  }

  async #decision(callRef: string, from: PhoneNumber | null, x: PhoneNumber): Promise<FakeDecision> {
    if (this.capabilities.routing === 'provider') return this.#routed(from, x);
    const core = this.#core;
    const asked = Promise.resolve().then(() => {
      if (core === null) throw new Error('not started');
      return core.decide({ provider: this.name, callRef, from, x, at: this.#clock() });
    });
    try {
      return await within(this.#decideTimeoutMs, asked);
    } catch {
      // What is decided too late never becomes a call, and is told so.
      void asked
        .then((late) => (late.do === 'bridge' ? this.#neverMade(callRef, late) : undefined))
        .catch(() => undefined);
      return { do: 'announce', prompt: 'unavailable', language: 'zh', why: 'unavailable' };
    }
  }

  async #neverMade(callRef: string, bridge: FakeBridge): Promise<void> {
    const state = { is: 'over', bridge, end: 'failed', talkMs: 0 } as const;
    const call = new FakeCall({
      callRef,
      state,
      heard: null,
      clock: this.#clock,
      tell: async () => undefined,
    });
    await this.#tell(call, { type: 'ended', caller: bridge.caller, end: 'failed', talkMs: 0 });
  }

  /** As a provider that routes by itself does: by the numbers it was given. */
  #routed(from: PhoneNumber | null, x: PhoneNumber): FakeDecision {
    const now = this.#clock();
    const all = [...this.#bound.values()].filter(({ request }) => request.x === x && request.expiresAt > now);
    if (all.length === 0) return { do: 'reject', why: 'unknown_number' };
    const found = all.find(({ request }) => from !== null && (request.a === from || request.b === from));
    if (found === undefined) return { do: 'reject', why: 'stranger' };
    const { bindingId, a, b, direction, recorded } = found.request;
    const caller: RelayParty = a === from ? 'a' : 'b';
    if (direction !== 'both' && direction !== `${caller}_calls`) return { do: 'reject', why: 'direction' };
    return {
      do: 'bridge',
      bindingId,
      phoneCallId: null,
      caller,
      to: caller === 'a' ? b : a,
      showAs: x,
      recorded,
    };
  }

  async #tell(call: FakeCall, what: RelayEvent['what']): Promise<void> {
    const { state, callRef } = call;
    if (!('bridge' in state)) return;
    const { bindingId, phoneCallId } = state.bridge;
    const eventId = `${this.name}:${callRef}:${what.type}`;
    const event = { eventId, provider: this.name, callRef, bindingId, phoneCallId, at: this.#clock(), what };
    if (what.type === 'recorded') this.#recordings.set(what.recordingRef, tone());
    this.#forgetOldest(this.#recordings);
    this.#told.push(event);
    if (this.#told.length > MOST_REMEMBERED) this.#told.shift();
    const send = async (): Promise<void> => {
      if (this.#core === null) throw new RelayError('unavailable', { detail: 'not started' });
      await this.#core.event(event);
    };
    if (this.#held === null) return await send();
    this.#held.push({ event, send });
    if (this.#held.length > MOST_REMEMBERED) this.#held.shift();
  }

  #forgetOldest(map: Map<string, unknown>): void {
    for (const [oldest] of map) {
      if (map.size <= MOST_REMEMBERED) return;
      map.delete(oldest);
    }
  }
}

type FakeDecision =
  | Exclude<CallDecision, { do: 'bridge' }>
  | ({ readonly do: 'bridge' } & Extract<FakeCallState, { is: 'ringing' }>['bridge']);

const promptFor = (answer: FakeAnswer): PromptId | null =>
  answer === 'busy' || answer === 'no_answer' ? answer : null;

/** A tenth of a second of silence: a WAV of two channels of A-law at 8 kHz. */
function tone(): Uint8Array {
  const samples = Buffer.alloc(1_600, 0xd5);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(6, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 512) yield bytes.subarray(at, at + 512);
}
