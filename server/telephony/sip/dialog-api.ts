import type { DialogSnapshot } from './dialog-state.ts';
import type { RequestFailure } from './transactions.ts';

/** How a dialog ended. */
export interface DialogEnd {
  readonly by:
    | 'us'
    | 'them'
    /** They never acknowledged our answer. */
    | 'unacknowledged'
    /** Nobody kept it alive (RFC 4028), or a request within it was not answered. */
    | 'lost'
    /** The endpoint was closed. */
    | 'closed';
  /** Q.850 cause of their Reason header (RFC 3326); null: none. */
  readonly cause: number | null;
}

/** They propose other media, or to hold. Answered once; not answered in time it is refused. */
export interface Offer {
  readonly sdp: string;
  answer(sdp: string): void;
  /** 488 where nothing else is said. */
  refuse(status?: number): void;
}

export interface Info {
  readonly contentType: string;
  readonly body: Buffer;
  /** Of application/dtmf-relay and application/dtmf; null: something else. */
  readonly digit: string | null;
}

export interface DialogListener {
  /** It is over, by whomever but us. */
  readonly onBye?: (end: DialogEnd) => void;
  /** Without it every offer that changes something is refused. */
  readonly onOffer?: (offer: Offer) => void;
  readonly onInfo?: (info: Info) => void;
  /** The answer to an offer they asked us for, which comes with the ACK; and another answer to the offer that is on already. */
  readonly onAnswer?: (sdp: string) => void;
}

export type ReinviteOutcome =
  | { readonly ok: true; readonly sdp: string }
  /** The session is as it was. `status` is theirs; 491: one of the two is asking already. */
  | { readonly ok: false; readonly status: number }
  | { readonly ok: false; readonly failed: RequestFailure | 'ended' };

/** A call that was answered, by them or by us. */
export interface Dialog {
  readonly callId: string;
  readonly state: 'confirmed' | 'ended';
  /**
   * Resolves when it is proved that our messages reach them: where we called, at once; where they called, with the ACK of our
   * answer. Whoever forges the address of an INVITE never acknowledges. Never, when it ends before.
   */
  readonly reached: Promise<void>;
  /** Resolves when it is over, by whomever. Never rejects. */
  readonly ended: Promise<DialogEnd>;
  /** Whom events are told from now on; an end that has happened already is told at once. */
  listen(listener: DialogListener): void;
  /** Hangs up. Resolves when they have heard, or when it is certain that they will not. Again changes nothing. */
  bye(options?: { readonly cause?: number }): Promise<void>;
  /** Proposes other media, or holds. Never rejects. */
  reinvite(sdp: string): Promise<ReinviteOutcome>;
  /** INFO; resolves with the status, null: not answered. */
  info(contentType: string, body: Uint8Array): Promise<number | null>;
  /** To be able to end it after a restart, with `SipEndpoint.endLost`. */
  snapshot(): DialogSnapshot;
}
