import type { SipClock, SipTimers } from './clock.ts';
import type { SipRequest } from './message.ts';
import type { SessionSettings } from './session-timer.ts';
import type { SourceGuard } from './sources.ts';
import type { Incoming, TransactionLayer } from './transactions.ts';
import type { Hop } from './transport.ts';

/** What calls and dialogs need of the endpoint they live in. */
export interface Core {
  readonly layer: TransactionLayer;
  readonly clock: SipClock;
  readonly timers: SipTimers;
  readonly guard: SourceGuard;
  readonly session: SessionSettings | null;
  readonly dialogs: DialogTable;
  /** The value of our Contact towards a hop. */
  contact(hop: Hop): string;
  /** Runs a callback of the application; what it throws is counted and told, and stops nothing. */
  guarded(run: () => void): boolean;
}

/** What takes the requests within a dialog. */
export interface DialogMember {
  received(incoming: Incoming): void;
  acknowledged(request: SipRequest, from: Hop): void;
  /** The endpoint is being closed: one last word, nothing that waits. */
  closeNow(): void;
}

export class DialogTable {
  readonly #members = new Map<string, DialogMember>();

  get size(): number {
    return this.#members.size;
  }

  set(id: DialogId, member: DialogMember): void {
    this.#members.set(keyOf(id), member);
  }

  /** Forgets it where it is still this member's. */
  delete(id: DialogId, member: DialogMember): void {
    if (this.#members.get(keyOf(id)) === member) this.#members.delete(keyOf(id));
  }

  /** Whom a request that arrived is for. */
  find(request: SipRequest): DialogMember | null {
    const { callId, toTag, fromTag } = request;
    if (toTag === null) return null;
    return this.#members.get(keyOf({ callId, localTag: toTag, remoteTag: fromTag ?? '' })) ?? null;
  }

  all(): DialogMember[] {
    return [...this.#members.values()];
  }
}

export interface DialogId {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

const keyOf = (id: DialogId): string => `${id.callId}|${id.localTag}|${id.remoteTag}`;

export const ALLOW = 'INVITE, ACK, CANCEL, BYE, UPDATE, INFO, OPTIONS';
/** Methods that exist and that we do not take. */
export const REFUSED_METHODS: ReadonlySet<string> = new Set([
  'REFER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'REGISTER',
  'PRACK',
]);
/** RFC 3261 §8.2.2.3: what may be required of us. */
export const SUPPORTED: ReadonlySet<string> = new Set(['timer']);
export const SDP_TYPE = 'application/sdp';
