/**
 * Masked calls: what the bindings need of a telephone provider, what a provider needs of the bindings, and what both
 * need of a store. Each port has one contract suite (test/contract), run on every adapter.
 *
 * Two families (docs/RELAY.md): with a **server-routed** provider each call asks `RelayCore.decide`; a **provider-routed**
 * one holds the binding itself and reports afterwards. Our database is the store of record for both.
 */
import type {
  ConsultationId,
  PersonId,
  PhoneBindingId,
  PhoneCallId,
  PhoneNotRecordedReason,
} from '@teleconsult/protocol';
import type { PhoneNumber } from './numbers.ts';

/** The two ends of a binding. Who they are only the binding knows; a provider and its reports say no more than this. */
export type RelayParty = 'a' | 'b';
/** Who may call whom through the relay number. */
export type RelayDirection = 'both' | 'a_calls' | 'b_calls';

export interface BindRequest {
  readonly bindingId: PhoneBindingId;
  readonly a: PhoneNumber;
  readonly b: PhoneNumber;
  /** Taken from our pool; null where the provider chooses (`capabilities.chooses === 'provider'`). */
  readonly x: PhoneNumber | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly direction: RelayDirection;
  readonly recorded: boolean;
  readonly ringMs: number;
  readonly maxTalkMs: number;
}

/** A binding as its provider knows it. `ref` is the provider's name of it, never a number. */
export interface BoundRelay {
  readonly bindingId: PhoneBindingId;
  readonly ref: string;
  readonly x: PhoneNumber;
}

/** Hand-over keeps X: only who is behind it changes. */
export type BindingChange = Partial<Pick<BindRequest, 'a' | 'b' | 'expiresAt' | 'direction' | 'recorded'>>;

export interface RelayCapabilities {
  readonly routing: 'server' | 'provider';
  readonly chooses: 'us' | 'provider';
  readonly changes: ReadonlySet<keyof BindingChange>;
  readonly recording: 'none' | 'mixed' | 'stereo';
  readonly ringEvents: boolean;
  /** Whether a running call can be ended by us. */
  readonly endsCalls: boolean;
  readonly announcements: 'inline' | 'uploaded' | 'none';
  readonly webhookProof: 'in_process' | 'hmac' | 'secret_address';
  /** The provider refuses a shorter life than this. */
  readonly minLifetimeMs: number;
}

export type RelayErrorReason =
  /** Down, overloaded, timed out: to be tried again. */
  | 'unavailable'
  /** Refused for good: wrong account, number not allowed. */
  | 'refused'
  /** No free number. */
  | 'no_number'
  /** The provider does not know it. */
  | 'not_found';

/** What a provider's caller can act on; anything else thrown is a bug. Its text never holds a number. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly reason: RelayErrorReason;
  constructor(reason: RelayErrorReason, options?: { cause?: unknown; detail?: string }) {
    super(
      options?.detail === undefined ? `relay: ${reason}` : `relay: ${reason}: ${options.detail}`,
      options,
    );
    this.reason = reason;
  }
}

/** What is said to somebody on the phone. Each exists in every `PhoneLanguage`. */
export const PROMPTS = [
  /** The number belongs to nobody (any more); what to do instead. */
  'expired',
  /** You are not one of the two people this number is for. */
  'stranger',
  /** The visit has ended; the call ends now. */
  'visit_ended',
  /** The other does not want to be phoned. */
  'refused',
  /** Limits, a store that is not there: try again later. */
  'unavailable',
  /** Nobody answers; busy. */
  'no_answer',
  'busy',
  /** This call is recorded. */
  'recorded',
  /** This call is to be recorded: press 1 to agree, 2 to refuse. */
  'consent',
  'consent_given',
  'consent_refused',
  /** You are being connected. */
  'connecting',
  /** One minute is left. */
  'time_nearly_over',
  'time_over',
] as const;
export type PromptId = (typeof PROMPTS)[number];
export type PhoneLanguage = 'zh' | 'en';

/** Somebody has dialled X. `from` as far as the trunk vouches for it; null: withheld. */
export interface IncomingPhoneCall {
  readonly provider: string;
  /** The provider's name of the call; the same call asks the same again. */
  readonly callRef: string;
  readonly from: PhoneNumber | null;
  readonly x: PhoneNumber;
  readonly at: number;
}

export type RejectReason =
  | 'unknown_number'
  | 'stranger'
  | 'expired'
  | 'direction'
  | 'limit'
  | 'refused'
  | 'busy'
  | 'unavailable';

export type CallDecision =
  | {
      readonly do: 'bridge';
      readonly bindingId: PhoneBindingId;
      readonly phoneCallId: PhoneCallId;
      readonly caller: RelayParty;
      /** Whom to ring. Only numbers of the binding are ever dialled. */
      readonly to: PhoneNumber;
      /** What the callee sees: X. */
      readonly showAs: PhoneNumber;
      readonly language: PhoneLanguage;
      /** Recorded only after the notice was said to both. */
      readonly recorded: boolean;
      readonly ringMs: number;
      readonly maxTalkMs: number;
    }
  /** Answer, say it, hang up. */
  | {
      readonly do: 'announce';
      readonly prompt: PromptId;
      readonly language: PhoneLanguage;
      readonly why: RejectReason;
    }
  /** Do not answer. */
  | { readonly do: 'reject'; readonly why: RejectReason };

/** How a phone call ended. */
export type PhoneCallEnd =
  | 'completed'
  | 'cancelled'
  | 'busy'
  | 'no_answer'
  | 'declined'
  | 'failed'
  /** The binding ended while they talked: the visit is over, contact was refused. */
  | 'unbound'
  | 'time_over'
  /** The server was restarted. */
  | 'lost';

/** What a provider tells of a call. It may come late, twice and in any order, and never holds a number. */
export interface RelayEvent {
  /** The same event has the same id: provider, call and type. */
  readonly eventId: string;
  readonly provider: string;
  readonly callRef: string;
  readonly bindingId: PhoneBindingId;
  /** Ours, where the call was decided by us; null: found by `callRef`, or made. */
  readonly phoneCallId: PhoneCallId | null;
  readonly at: number;
  readonly what:
    | { readonly type: 'ringing'; readonly caller: RelayParty }
    | { readonly type: 'answered'; readonly caller: RelayParty }
    | {
        readonly type: 'ended';
        readonly caller: RelayParty;
        readonly end: PhoneCallEnd;
        /** From answer to end in milliseconds; 0 when nobody answered. */
        readonly talkMs: number;
      }
    /** Somebody who may not was turned away. */
    | { readonly type: 'blocked'; readonly why: RejectReason }
    /** A recording lies at the provider and wants to be fetched, sealed and deleted there. */
    | { readonly type: 'recorded'; readonly recordingRef: string }
    /** It was to be recorded and is not, or not any more; told before it ends. The call itself goes on. */
    | { readonly type: 'not_recorded'; readonly why: PhoneNotRecordedReason };
}

/** The bindings, as a provider sees them. */
export interface RelayCore {
  /** Throws or takes too long: the provider turns the call away (`unavailable`). Asking again for a `callRef` answers the same. */
  decide(call: IncomingPhoneCall): Promise<CallDecision>;
  /** Durable once resolved. A rejected one is to be told again. */
  event(event: RelayEvent): Promise<void>;
}

export interface FetchedRecording {
  readonly body: AsyncIterable<Uint8Array>;
  readonly contentType: string;
  readonly channels: 1 | 2;
}

export interface WebhookRequest {
  readonly method: string;
  /** Path and query as they arrived; the public origin is the adapter's setting, never the Host header. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly remoteAddress: string;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface RelayProvider {
  readonly name: string;
  readonly capabilities: RelayCapabilities;
  /** Begins to answer calls. Server-routed providers ask `core`; all tell it events. */
  start(core: RelayCore): Promise<void>;
  /** Repeating it with the same `bindingId` changes nothing. @throws RelayError */
  bind(request: BindRequest): Promise<BoundRelay>;
  /** Repeating it changes nothing. @throws RelayError `not_found`, `refused`, `unavailable` */
  change(bound: BoundRelay, change: BindingChange): Promise<void>;
  /** What is not there is done. A running call of it is ended where it can be, with a spoken reason. @throws RelayError `unavailable` */
  unbind(bound: BoundRelay, why: PromptId): Promise<void>;
  /** Ends a running call; one that is not there is done. */
  endCall(callRef: string, why: PromptId | null): Promise<void>;
  /** Where its reports arrive, below `/v1/phone/`; none for the embedded relay. Forged ones are answered and change nothing. */
  readonly webhooks: readonly {
    readonly path: string;
    handle(request: WebhookRequest): Promise<WebhookAnswer>;
  }[];
  /** @throws RelayError */
  fetchRecording(recordingRef: string): Promise<FetchedRecording>;
  /** What is not there is done. */
  deleteRecording(recordingRef: string): Promise<void>;
  /** Events since a moment that may have been lost; null where the provider has no such list. */
  readonly reconcile: ((since: number, signal: AbortSignal) => AsyncIterable<RelayEvent>) | null;
  /** Resolves when it can be reached. @throws RelayError */
  check(): Promise<void>;
  /** Ends what runs. May be called twice. */
  close(): Promise<void>;
}

/** Where the sound of a phone call goes while it is recorded. Sealed before it reaches a disk. */
export interface PhoneCallTape {
  /** Stereo, A-law, 8 kHz, interleaved: the caller left, the callee right. */
  append(samples: Uint8Array): void;
  /** Tells, once, that it takes nothing any more although nobody has closed it: at once where that has happened already. */
  onLost?(listener: () => void): void;
  /** May be called twice. */
  close(): Promise<void>;
}

/** Opens a tape for a call; null: it cannot be recorded now (no store, no room), and nothing is. */
export type OpenTape = (call: {
  readonly phoneCallId: PhoneCallId;
  readonly bindingId: PhoneBindingId;
  readonly startedAt: number;
}) => Promise<PhoneCallTape | null>;

export interface BindingOfConsultation {
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  readonly people: Readonly<Record<RelayParty, PersonId>>;
}
