/** The store of record as the contract needs it: bindings, decisions and events in memory, scriptable failures. */
import { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import type {
  BindingChange,
  BindRequest,
  BoundRelay,
  CallDecision,
  IncomingPhoneCall,
  RelayCore,
  RelayEvent,
  RelayParty,
} from '@teleconsult/server/telephony/ports';
import type { KnownPhoneCall, RelayLookup } from '@teleconsult/server/telephony/relay-lookup';

/** What a call comes to, whatever the order and number of its events. */
export interface CallAsTold {
  readonly types: readonly string[];
  readonly callers: readonly RelayParty[];
  readonly end: string | null;
  readonly talkMs: number;
  readonly recordingRefs: readonly string[];
}

interface KeptBinding {
  request: BindRequest;
  bound: BoundRelay;
  isOver: boolean;
}

export class ScriptedCore implements RelayCore, RelayLookup {
  readonly asked: IncomingPhoneCall[] = [];
  /** The first event of each id. */
  readonly events = new Map<string, RelayEvent>();
  readonly #bindings = new Map<PhoneBindingId, KeptBinding>();
  readonly #decided = new Map<string, { decision: CallDecision; at: number }>();
  readonly #clock: () => number;
  /** How deciding goes. */
  mood: 'up' | 'throws' | 'silent' = 'up';
  /** The next events are not kept. */
  failingEvents = 0;
  #release: (() => void)[] = [];

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  bound(request: BindRequest, bound: BoundRelay): void {
    this.#bindings.set(request.bindingId, { request, bound, isOver: false });
  }

  changed(bindingId: PhoneBindingId, change: BindingChange): void {
    const kept = this.#bindings.get(bindingId);
    if (kept !== undefined) kept.request = { ...kept.request, ...change };
  }

  unbound(bindingId: PhoneBindingId): void {
    const kept = this.#bindings.get(bindingId);
    if (kept !== undefined) kept.isOver = true;
  }

  /** Decisions that hang go on. */
  letGo(): void {
    for (const go of this.#release.splice(0)) go();
  }

  async decide(call: IncomingPhoneCall): Promise<CallDecision> {
    this.asked.push(call);
    if (this.mood === 'throws') throw new Error('the store is not there');
    if (this.mood === 'silent') await new Promise<void>((resolve) => this.#release.push(resolve));
    const before = this.#decided.get(call.callRef);
    if (before !== undefined) return before.decision;
    const decision = this.#decide(call);
    this.#decided.set(call.callRef, { decision, at: this.#clock() });
    return decision;
  }

  async event(event: RelayEvent): Promise<void> {
    if (this.failingEvents > 0) {
      this.failingEvents -= 1;
      throw new Error('the store is not there');
    }
    if (!this.events.has(event.eventId)) this.events.set(event.eventId, event);
  }

  async bindingOf(
    _provider: string,
    ref: string,
    ours: PhoneBindingId | null,
  ): Promise<PhoneBindingId | null> {
    const found =
      [...this.#bindings.values()].find(({ bound }) => bound.ref === ref)?.request.bindingId ?? null;
    return ours === null || ours === found ? found : null;
  }

  async partyOf(bindingId: PhoneBindingId, number: PhoneNumber): Promise<RelayParty | null> {
    const request = this.#bindings.get(bindingId)?.request;
    return request?.a === number ? 'a' : request?.b === number ? 'b' : null;
  }

  async callOf(_provider: string, callRef: string): Promise<KnownPhoneCall | null> {
    const { decision, at } = this.#decided.get(callRef) ?? {};
    if (decision?.do !== 'bridge' || at === undefined) return null;
    const { bindingId, phoneCallId, caller, language } = decision;
    const ended = this.told(callRef).end !== null;
    return { bindingId, phoneCallId, caller, language, since: at, ended };
  }

  told(callRef: string): CallAsTold {
    const whats = [...this.events.values()]
      .filter((event) => event.callRef === callRef)
      .map(({ what }) => what);
    const ended = whats.find((what) => what.type === 'ended');
    return {
      types: whats.map(({ type }) => type).toSorted(),
      callers: [...new Set(whats.flatMap((what) => ('caller' in what ? [what.caller] : [])))],
      end: ended?.end ?? null,
      talkMs: ended?.talkMs ?? 0,
      recordingRefs: whats.flatMap((what) => (what.type === 'recorded' ? [what.recordingRef] : [])),
    };
  }

  #decide({ from, x, at }: IncomingPhoneCall): CallDecision {
    const ofX = [...this.#bindings.values()].filter(({ bound }) => bound.x === x);
    const kept = ofX.find(({ request: { a, b } }) => from !== null && (a === from || b === from));
    if (ofX.length === 0) return { do: 'reject', why: 'unknown_number' };
    if (kept === undefined) return { do: 'announce', prompt: 'stranger', language: 'zh', why: 'stranger' };
    const { bindingId, a, b, expiresAt, direction, recorded, ringMs, maxTalkMs } = kept.request;
    if (kept.isOver || at >= expiresAt)
      return { do: 'announce', prompt: 'expired', language: 'zh', why: 'expired' };
    const caller = a === from ? 'a' : 'b';
    if (direction !== 'both' && direction !== `${caller}_calls`) return { do: 'reject', why: 'direction' };
    const phoneCallId = newPhoneCallId();
    const to = caller === 'a' ? b : a;
    return {
      do: 'bridge',
      bindingId,
      phoneCallId,
      caller,
      to,
      showAs: x,
      language: 'zh',
      recorded,
      ringMs,
      maxTalkMs,
    };
  }
}

let minted = 0;
const suffix = (): string => {
  minted += 1;
  return String(minted).padStart(22, '0');
};
export const newBindingId = (): PhoneBindingId => PhoneBindingId.parse(`pbd_${suffix()}`);
export const newPhoneCallId = (): PhoneCallId => PhoneCallId.parse(`pcl_${suffix()}`);
