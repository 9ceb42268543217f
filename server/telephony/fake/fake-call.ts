import type { PhoneBindingId, PhoneCallId, PhoneNotRecordedReason } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import type { PhoneCallEnd, PromptId, RejectReason, RelayEvent, RelayParty } from '../ports.ts';

/** What the fake knows of a call that was put through. */
export interface FakeBridge {
  readonly bindingId: PhoneBindingId;
  readonly phoneCallId: PhoneCallId | null;
  readonly caller: RelayParty;
  readonly to: PhoneNumber;
  readonly showAs: PhoneNumber;
  readonly recorded: boolean;
}

export type FakeCallState =
  | { readonly is: 'turned_away'; readonly why: RejectReason }
  | { readonly is: 'ringing'; readonly bridge: FakeBridge }
  | { readonly is: 'talking'; readonly bridge: FakeBridge; readonly since: number }
  | { readonly is: 'over'; readonly bridge: FakeBridge; readonly end: PhoneCallEnd; readonly talkMs: number };

export interface FakeCallParts {
  readonly callRef: string;
  readonly state: FakeCallState;
  readonly heard: PromptId | null;
  readonly clock: () => number;
  readonly tell: (call: FakeCall, what: RelayEvent['what']) => Promise<void>;
}

/** A call through the fake. What happens to it is told as events, durably: each step rejects when the core does. */
export class FakeCall {
  readonly callRef: string;
  readonly #parts: FakeCallParts;
  #state: FakeCallState;
  #heard: PromptId | null;

  constructor(parts: FakeCallParts) {
    this.callRef = parts.callRef;
    this.#parts = parts;
    this.#state = parts.state;
    this.#heard = parts.heard;
  }

  get state(): FakeCallState {
    return this.#state;
  }

  /** The last thing that was said to the caller. */
  get heard(): PromptId | null {
    return this.#heard;
  }

  /** The callee picks up. */
  async answer(): Promise<void> {
    if (this.#state.is !== 'ringing') return;
    const { bridge } = this.#state;
    this.#state = { is: 'talking', bridge, since: this.#parts.clock() };
    await this.#parts.tell(this, { type: 'answered', caller: bridge.caller });
  }

  /** How long it has been talked so far, in milliseconds. */
  get talkMs(): number {
    return this.#state.is === 'talking' ? Math.max(0, this.#parts.clock() - this.#state.since) : 0;
  }

  /** It was to be recorded and is not, or not any more. */
  async notRecorded(why: PhoneNotRecordedReason): Promise<void> {
    if (this.#state.is === 'talking') await this.#parts.tell(this, { type: 'not_recorded', why });
  }

  /** One of the two hangs up. */
  async hangUp(by: 'caller' | 'callee' = 'caller'): Promise<void> {
    const isTalking = this.#state.is === 'talking';
    await this.end(isTalking ? 'completed' : by === 'caller' ? 'cancelled' : 'declined', null);
  }

  async end(end: PhoneCallEnd, say: PromptId | null): Promise<void> {
    const state = this.#state;
    if (state.is !== 'ringing' && state.is !== 'talking') return;
    const { bridge } = state;
    const talkMs = state.is === 'talking' ? Math.max(0, this.#parts.clock() - state.since) : 0;
    if (say !== null) this.#heard = say;
    this.#state = { is: 'over', bridge, end, talkMs };
    await this.#parts.tell(this, { type: 'ended', caller: bridge.caller, end, talkMs });
    if (bridge.recorded && talkMs > 0)
      await this.#parts.tell(this, { type: 'recorded', recordingRef: `rec-${this.callRef}` });
  }

  async ring(): Promise<void> {
    if (this.#state.is === 'ringing')
      await this.#parts.tell(this, { type: 'ringing', caller: this.#state.bridge.caller });
  }
}
