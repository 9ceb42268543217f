/**
 * The sound of phone calls. Sessions of two legs live in a worker thread, so that nothing the main thread does is heard.
 * Everything that leaves is built here: own SSRC, sequence, time stamps; RTCP is terminated.
 */
import type { PhoneCallTape } from '../ports.ts';

export type LegName = 'a' | 'b';
/** RTP payload types of RFC 3551: 0 is PCMU, 8 is PCMA. */
export type G711 = 0 | 8;

/** What the other side said of where it listens (SDP). */
export interface LegRemote {
  /** An address, of the family of the leg's own; never a name. The unspecified one (`0.0.0.0`) is an old way to hold. */
  readonly host: string;
  /** Not 0: that is a refused medium, and the business of whoever reads the SDP. */
  readonly port: number;
  readonly codec: G711;
  /** Payload type of telephone-event (RFC 4733); null: it has none. */
  readonly telephoneEvent: number | null;
  /** Whether we send to it, seen from us. `receive` and `none`: it holds. */
  readonly direction: 'both' | 'send' | 'receive' | 'none';
}

export interface SessionOptions {
  /** The address our ports are opened on, which is also what the SDP says. */
  readonly address: Readonly<Record<LegName, string>>;
  /** `signalled`: RTP from the signalled host alone. `first`: from whoever sends first (a phone behind NAT). */
  readonly source: Readonly<Record<LegName, 'signalled' | 'first'>>;
  readonly onEvent: (event: SessionEvent) => void;
  /** The tape did not take sound: nothing more is recorded. The call itself goes on. */
  readonly onTapeFailed?: () => void;
  /** It is never recorded, and nobody wants its SSRC beforehand: an anchor outside this process may carry it. */
  readonly isPlain?: boolean;
}

export type SessionEvent =
  | { readonly type: 'digit'; readonly leg: LegName; readonly digit: string }
  | { readonly type: 'firstPacket'; readonly leg: LegName }
  /** No packet of this leg for so long; told once until it flows again. */
  | { readonly type: 'silent'; readonly leg: LegName; readonly ms: number }
  /** The worker thread died, or the session failed: nothing flows any more. */
  | { readonly type: 'failed' };

export interface LegStatistics {
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Wrong source, malformed, too late. */
  readonly dropped: number;
  readonly lost: number;
}

export interface PhoneSession {
  /** Even RTP port; RTCP is the next one. */
  readonly ports: Readonly<Record<LegName, number>>;
  /** SSRC of what this leg is sent, for peers that want to know it beforehand. */
  readonly ssrc: Readonly<Record<LegName, number>>;
  /**
   * @throws RangeError for a host that is no unicast address of the leg's family, a port outside 1 to 65535, or a port of a
   *   call of ours
   */
  setRemote(leg: LegName, remote: LegRemote): void;
  /** Lets sound through from each leg to the other; PCMA and PCMU are changed into each other where they differ. */
  bridge(on: boolean): void;
  /**
   * Says it to a leg; what the other says meanwhile is not heard by it. Resolves when it was said, when aborted, and when the
   * session ends. A second one waits for its turn; a leg that holds hears nothing, and the time passes all the same.
   * @throws RangeError for more than a minute
   */
  say(leg: LegName, prompt: Uint8Array /* A-law, 8 kHz */, signal?: AbortSignal): Promise<void>;
  /**
   * From now on, until `null` or another tape is set. Silence and lost packets keep their length. What is on it is what was
   * heard: nothing of who talks while held, unbridged or under an announcement, but the announcement itself. The tape is
   * closed by whoever opened it, once a `statistics()` asked after `record(null)` or `close()` has resolved: then all is on it.
   */
  record(tape: PhoneCallTape | null): void;
  /** So far; the last known ones when the session has ended. */
  statistics(): Promise<Readonly<Record<LegName, LegStatistics>>>;
  /** What was recorded until now still reaches its tape. May be called twice. */
  close(): void;
}

export interface PhoneMedia {
  /** @throws Error when no port is free or the worker thread is gone and could not be replaced */
  open(options: SessionOptions): Promise<PhoneSession>;
  readonly sessions: number;
  close(): Promise<void>;
}
