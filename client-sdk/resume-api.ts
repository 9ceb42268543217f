/** The part of the public interface that is about losing and finding again. Exported by api.ts. */
import type { AppError, CallId, ConsultationId } from '@teleconsult/protocol';
import type { Call } from './call-api.ts';

/** What a policy knows when it decides. */
export interface RetryContext {
  /** 1 for the first try after a loss, then 2, 3 … */
  readonly attempt: number;
  /** Since the loss, in milliseconds. */
  readonly elapsedMs: number;
  /** Why the last try, or the connection, failed. */
  readonly error: AppError | null;
}

/**
 * How long to wait before each step of a recovery, in milliseconds; null gives that step up. Pure: the SDK keeps time.
 * A delay is never longer than a minute, and a hint (the network is back) cuts it short.
 */
export interface ReconnectPolicy {
  /** Before connecting again. Null closes the client with the last error. */
  connectionDelayMs(context: RetryContext): number | null;
  /** Stage one: before new ICE credentials for a media path that broke. Null goes on to stage two. */
  iceRestartDelayMs(context: RetryContext): number | null;
  /** Stage two: before the media is built anew in the same seat. Null leaves the seat, as a refusal of the server does. */
  rebuildDelayMs(context: RetryContext): number | null;
}

/** A call that this device was in when its page was reloaded, crashed, or was closed with the browser. */
export interface CallToRestore {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  /** When what this device keeps of it last changed, in Unix milliseconds by its own clock. */
  readonly at: number;
}

/**
 * What was on before a restore and waits for a tap of the person, because the browser asks again for its permission.
 * Until then the person is present and muted.
 */
export type AwaitedSource = 'microphone' | 'camera';

/**
 * A failure that an app can try out; docs/RESUME.md shows what each leads to.
 * - `signal-loss`: the connection to the server breaks without a word; media goes on.
 * - `media-loss`: the media path breaks; new ICE credentials bring it back (stage one).
 * - `media-rebuild`: the media path breaks for good; the media is built anew in the same seat (stage two).
 * - `network-loss`: connection and media path break, and no attempt succeeds before `durationMs` (2,000) have passed.
 * - `server-restart`: the connection breaks, none is accepted for `durationMs` (1,000), and the server then knows nothing
 *   of the media.
 * - `node-move`: the connection breaks, and the next one leads to a server that holds no media of the seat.
 * - `reload`: all that is in memory is gone as when a page is loaded anew; then the call is restored.
 * - `gesture-needed`: as `reload`, in a browser that asks for microphone and camera again.
 * - `interruption`: a phone call takes the microphone for `durationMs` (2,000).
 */
export type SimulatedFailure =
  | 'signal-loss'
  | 'media-loss'
  | 'media-rebuild'
  | 'network-loss'
  | 'server-restart'
  | 'node-move'
  | 'reload'
  | 'gesture-needed'
  | 'interruption';

export interface ActiveCallEvents {
  /**
   * The call that this device takes part in began, ended or was restored; null when there is none. It belongs to the
   * client: neither closing a consultation nor unmounting a component ends it.
   */
  activeCall: Call | null;
  /** A call of an earlier page was found in this device's storage and is being restored; null when that is over. */
  restoring: CallToRestore | null;
}
