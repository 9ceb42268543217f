/**
 * The store of record of masked calls. A resolved write survives a power cut; a rejected one (`STORAGE_FULL`,
 * `STORAGE_UNAVAILABLE`) left nothing behind and may be repeated. Each change says itself what it needs to find, so of
 * many at once exactly those happen that may. One contract suite (test/contract/phone-store.suite.ts).
 */
import type {
  ConsultationId,
  PersonId,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneNotRecordedReason,
  PhoneUnboundReason,
} from '@teleconsult/protocol';
import type { RelayDirection, RelayParty } from '../ports.ts';
import type { PhoneNews } from './ports.ts';
import type { PhoneLimits } from './settings.ts';

export interface PhoneKeyStore {
  loadKey(): Promise<Uint8Array | null>;
  /** Keeps it unless there is one; answers the one that is kept. */
  keepKey(sealed: Uint8Array): Promise<Uint8Array>;
}

/** A person's own number. */
export interface StoredNumber {
  readonly personId: PersonId;
  readonly numberHash: string;
  readonly changedAt: number;
  readonly sealed: Uint8Array;
}

/** A relay number. */
export interface StoredRelay {
  readonly xHash: string;
  readonly provider: string;
  readonly sealed: Uint8Array;
}

export interface PhoneNumberStore extends PhoneKeyStore {
  number(personId: PersonId): Promise<StoredNumber | null>;
  /** Replaces the person's former one. */
  setNumber(number: StoredNumber): Promise<void>;
  removeNumber(personId: PersonId): Promise<void>;
  /** The pool of a provider is these; others are given to nobody any more, but stay known. */
  setRelays(provider: string, relays: readonly StoredRelay[]): Promise<void>;
  relay(xHash: string): Promise<StoredRelay | null>;
  /** How many of a provider's pool somebody could be given who had none of them before. */
  countFree(pool: {
    readonly provider: string;
    readonly pairsPerRelay: number;
    /** Given back later than this, a relay number still rests. */
    readonly restsSince: number;
  }): Promise<number>;
}

export interface StoredRefusal {
  readonly personId: PersonId;
  readonly since: number;
}

export type BindingState = 'binding' | 'bound' | 'unbinding' | 'unbound';

export interface StoredBinding {
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  /** What the device that asked calls it. */
  readonly clientBindingId: string;
  /** null: the rule. */
  readonly createdBy: PersonId | null;
  readonly people: Readonly<Record<RelayParty, PersonId>>;
  readonly direction: RelayDirection;
  readonly recorded: boolean;
  readonly provider: string;
  readonly state: BindingState;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The provider's name of it; null until it has answered. */
  readonly ref: string | null;
  /** The relay number; null until the provider has chosen one. */
  readonly xHash: string | null;
  readonly unboundReason: PhoneUnboundReason | null;
  readonly unboundAt: number | null;
  /** Rises when other people or numbers stand behind it. */
  readonly revision: number;
  /** Of whom the provider does not know yet that they were replaced. */
  readonly changing: readonly RelayParty[];
  readonly attempts: number;
  /** When the provider is to be asked (again); null: there is nothing to ask. */
  readonly retryAt: number | null;
  /** Both numbers; empty once unbound. */
  readonly sealed: Uint8Array;
}

/** Whom a relay number tells apart: two hashes, and the hash of both together. */
export interface PairHashes {
  readonly a: string;
  readonly b: string;
  readonly pair: string;
}

export type NewBinding = Pick<
  StoredBinding,
  | 'bindingId'
  | 'consultationId'
  | 'clientBindingId'
  | 'createdBy'
  | 'people'
  | 'direction'
  | 'recorded'
  | 'provider'
  | 'createdAt'
  | 'expiresAt'
  | 'sealed'
> & {
  readonly hashes: PairHashes;
  /** Take a relay number of the provider's pool; false: the provider chooses. */
  readonly fromPool: boolean;
  readonly pairsPerRelay: number;
  /** Given back later than this, a relay number still rests. */
  readonly restsSince: number;
  /** At most so many of this consultation since a moment. */
  readonly atMost: number;
  readonly countedSince: number;
};

export type CreateBindingResult =
  | 'created'
  /** There is one of this name, or one that is not being given back. */
  | 'exists'
  | 'refused'
  /** Every relay number is in use or rests. */
  | 'no_relay'
  | 'limit';

export interface PhoneBindingStore {
  /** Of many at once for a consultation one is created. */
  createBinding(binding: NewBinding): Promise<CreateBindingResult>;
  binding(bindingId: PhoneBindingId): Promise<StoredBinding | null>;
  bindingByClient(
    consultationId: ConsultationId,
    createdBy: PersonId | null,
    clientBindingId: string,
  ): Promise<StoredBinding | null>;
  /** As its provider calls it; also one that was given back. */
  bindingByRef(provider: string, ref: string): Promise<StoredBinding | null>;
  /** The one that is not being given back. */
  openBinding(consultationId: ConsultationId): Promise<StoredBinding | null>;
  /** Newest first: those not unbound, and those unbound since a moment; at most a hundred. */
  bindingsOf(consultationId: ConsultationId, unboundSince: number): Promise<readonly StoredBinding[]>;
  /** Not being given back, with this person. */
  openBindingsOf(personId: PersonId): Promise<readonly StoredBinding[]>;
  /** Not being given back, by id, after one. */
  openBindings(after: PhoneBindingId | null, limit: number): Promise<readonly StoredBinding[]>;
  /** Past their expiry and not being given back. */
  expiredBindings(now: number, limit: number): Promise<readonly PhoneBindingId[]>;
  /** With something to ask a provider, longest due first. */
  dueBindings(now: number, limit: number): Promise<readonly PhoneBindingId[]>;
  /** How many wait for a provider, by what is asked. */
  pendingBindings(): Promise<Readonly<Record<'binding' | 'changing' | 'unbinding', number>>>;
  /** From `binding` or `bound`: calls are connected no more. The news is told where it was bound. False: it was over already. */
  beginUnbinding(bindingId: PhoneBindingId, reason: PhoneUnboundReason, news: PhoneNews): Promise<boolean>;
  /**
   * The provider has it. `chosen` is the number it chose. `over`: it is being given back meanwhile, and `ref` is kept for
   * that. `taken`: one of the two has this relay number already; nothing was written. With another revision it is bound,
   * and both are to be changed at the provider.
   */
  markBound(bound: {
    readonly bindingId: PhoneBindingId;
    readonly revision: number;
    readonly ref: string;
    readonly chosen: { readonly relay: StoredRelay; readonly hashes: PairHashes } | null;
    readonly news: PhoneNews;
  }): Promise<'bound' | 'over' | 'taken'>;
  /** The provider knows who is behind this revision, and calls it so. */
  markChanged(bindingId: PhoneBindingId, revision: number, ref: string | null): Promise<void>;
  /** The provider is to be asked again at a moment; unless it became due earlier meanwhile. */
  retryLater(binding: Pick<StoredBinding, 'bindingId' | 'retryAt'>, retryAt: number): Promise<void>;
  /** Its relay number is free, and rests. The numbers behind it are gone. */
  markUnbound(bindingId: PhoneBindingId, at: number): Promise<void>;
  /**
   * Other people, or other numbers, behind the same relay number. `stale`: it has another revision, or is being given
   * back. `taken`: a new one has, or had not long ago, this relay number with somebody else.
   */
  replacePeople(change: {
    readonly bindingId: PhoneBindingId;
    readonly revision: number;
    readonly people: Readonly<Record<RelayParty, PersonId>>;
    readonly replaced: readonly RelayParty[];
    readonly hashes: PairHashes;
    readonly sealed: Uint8Array;
    readonly at: number;
    readonly restsSince: number;
  }): Promise<'replaced' | 'stale' | 'taken'>;
  /** For whom a call from this number to this relay number is. */
  place(
    xHash: string,
    numberHash: string,
  ): Promise<{ readonly bindingId: PhoneBindingId; readonly party: RelayParty } | null>;
  /** Which side of a binding a number is, or was: reports of calls come late. */
  partyOf(bindingId: PhoneBindingId, numberHash: string): Promise<RelayParty | null>;
  /** Whether this number once had this relay number. */
  hadPlace(xHash: string, numberHash: string): Promise<boolean>;
  refusals(consultationId: ConsultationId): Promise<readonly StoredRefusal[]>;
  /** False: it was so already, and nothing is told. */
  setRefused(consultationId: ConsultationId, refusal: StoredRefusal, refused: boolean): Promise<boolean>;
}

export interface StoredPhoneCall {
  readonly phoneCallId: PhoneCallId;
  readonly provider: string;
  readonly callRef: string;
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  readonly caller: RelayParty;
  readonly people: Readonly<Record<RelayParty, PersonId>>;
  readonly state: 'ringing' | 'talking' | 'ended';
  readonly startedAt: number;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly end: PhoneCallEndReason | null;
  readonly talkMs: number;
  /** How long it may be talked: what was left of the limits when it began. */
  readonly maxTalkMs: number;
  /** It was to be; where it is not, `notRecorded` says why. */
  readonly recorded: boolean;
  readonly notRecorded: PhoneNotRecordedReason | null;
  /** Nothing heard of it until then: it is lost. */
  readonly deadlineAt: number;
}

export interface NewPhoneCall {
  readonly phoneCallId: PhoneCallId;
  readonly provider: string;
  readonly callRef: string;
  readonly bindingId: PhoneBindingId;
  readonly caller: RelayParty;
  readonly at: number;
  readonly deadlineAt: number;
  readonly maxTalkMs: number;
  readonly news: PhoneNews;
}

export interface CountedCall extends NewPhoneCall {
  /** Of the binding whose numbers the caller is connected by. */
  readonly revision: number;
  readonly limits: PhoneLimits;
  /** Calls begun since then count. */
  readonly countedSince: number;
}

export type BeginCallResult =
  | 'begun'
  /** One of this `callRef` is there. */
  | 'exists'
  /** The binding is not bound, expired, refused, or has another revision. */
  | 'gone'
  /** One of the two is on the phone. */
  | 'busy'
  | 'limit';

export interface PhoneCallStore {
  /** Begins a call if the binding is alive and every limit holds, counted together with all others that begin at once. */
  beginCall(call: CountedCall): Promise<BeginCallResult>;
  /** A call that its provider has connected by itself. One that is there stays as it is. */
  reportCall(call: NewPhoneCall): Promise<void>;
  /** Whether the calls of a binding are beyond a limit; asked of providers that connect by themselves. */
  isOverLimit(bindingId: PhoneBindingId, limits: PhoneLimits, countedSince: number): Promise<boolean>;
  call(phoneCallId: PhoneCallId): Promise<StoredPhoneCall | null>;
  callByRef(provider: string, callRef: string): Promise<StoredPhoneCall | null>;
  /** Those of a binding that have not ended. */
  runningOf(bindingId: PhoneBindingId): Promise<readonly StoredPhoneCall[]>;
  /** All of a provider that have not ended. */
  running(provider: string): Promise<readonly StoredPhoneCall[]>;
  countRunning(): Promise<number>;
  /** Past their deadline. */
  silent(now: number, limit: number): Promise<readonly StoredPhoneCall[]>;
  /** From `ringing`; false: it was answered or has ended. */
  answerCall(
    phoneCallId: PhoneCallId,
    answer: { readonly at: number; readonly deadlineAt: number; readonly news: PhoneNews },
  ): Promise<boolean>;
  /** Keeps the first reason. False: it was not to be recorded, has one already, or has ended. */
  markNotRecorded(phoneCallId: PhoneCallId, why: PhoneNotRecordedReason): Promise<boolean>;
  /** False: it had ended. The talk of one that was given up as lost is corrected even then. */
  endCall(
    phoneCallId: PhoneCallId,
    ending: {
      readonly at: number;
      readonly end: PhoneCallEndReason;
      readonly talkMs: number;
      readonly news: PhoneNews;
    },
  ): Promise<boolean>;
}

export interface StoredNews {
  readonly newsId: number;
  readonly consultationId: ConsultationId;
  readonly news: PhoneNews;
  /** It was tried to tell it. */
  readonly tried: boolean;
}

export interface PhoneNewsStore {
  /** In order; nothing of a consultation whose first news waits for another attempt. */
  untold(now: number, limit: number): Promise<readonly StoredNews[]>;
  countUntold(): Promise<number>;
  /** Whether somebody has said that they do not want to be phoned, or do, and the thread does not know it yet. */
  hasUntoldRefusal(consultationId: ConsultationId): Promise<boolean>;
  /** The last news there is; 0: none. */
  lastNews(): Promise<number>;
  told(newsId: number): Promise<void>;
  tellLater(newsId: number, retryAt: number): Promise<void>;
  /** The consultation is no more. */
  forgetNews(consultationId: ConsultationId): Promise<void>;
}

export interface PhoneStore {
  readonly numbers: PhoneNumberStore;
  readonly bindings: PhoneBindingStore;
  readonly calls: PhoneCallStore;
  readonly news: PhoneNewsStore;
  /**
   * Forgets calls and bindings that were over, and uses of relay numbers that ended, before a moment; and those calls and
   * bindings of erased consultations that are over by now.
   */
  sweep(before: { readonly calls: number; readonly bindings: number; readonly uses: number }): Promise<void>;
}
