import type { QualitySample } from './api.ts';

/** One measurement, as far as it tells whether video can go on. */
export interface VideoEvidence
  extends Pick<QualitySample, 'level' | 'rttMs' | 'lossPercent' | 'sendKbps' | 'receiveKbps' | 'limitedBy'> {
  /** What the browser expects to be able to send, in kbit/s; null where it does not say. */
  readonly availableSendKbps: number | null;
  /**
   * As `lossPercent`, of the last seconds alone; left out or null where that is not known. What was lost while the path was
   * gone tells nothing of the path that came back.
   */
  readonly recentLossPercent?: number | null;
  /**
   * False while nothing at all comes back on the path: it is gone, though ICE may not say so yet. Left out or null where
   * that is not known.
   */
  readonly hearsAnything?: boolean | null;
  /** Pictures that arrive in a second; null where the browser does not say. */
  readonly receiveFps: number | null;
  readonly sendsVideo: boolean;
  /** Another's camera is meant to arrive here. */
  readonly expectsVideo: boolean;
}

/** The smallest layer of a camera (150 kbit/s) beside speech; below it a picture stands still. */
const VIDEO_NEEDS_SEND_KBPS = 180;
/** Speech alone is below it, the smallest layer of a face that moves above. */
const VIDEO_NEEDS_RECEIVE_KBPS = 60;
/** A picture of which nothing moves needs next to no bits, but it comes as often as any other. */
const VIDEO_NEEDS_FPS = 5;
/** Error correction and retransmission cannot mend more. */
const LOSS_TOO_HIGH_PERCENT = 15;
/** To come back, things have to be clearly better than they were allowed to become. */
const LOSS_GOOD_PERCENT = 5;
const RTT_GOOD_MS = 500;
const ENTER_AFTER_MS = 8_000;
const LEAVE_AFTER_MS = 20_000;
/** Looks come every two seconds; after a longer pause the media was built anew, and what was seen before is about another path. */
const LONGEST_PAUSE_MS = 5_000;
/** Video that is given up again within this time was taken back too early: the next wait is twice as long. */
const RELAPSE_WITHIN_MS = 60_000;
const LONGEST_LEAVE_AFTER_MS = 320_000;

/**
 * Decides when a bad network is to give up video for the sake of sound, and when to try it again. Pure: it is told
 * what was measured and when (milliseconds of a monotonic clock).
 */
export class AudioOnlyPolicy {
  #on = false;
  /** Since when everything has spoken for a change; null while it does not. */
  #since: number | null = null;
  #leaveAfterMs = LEAVE_AFTER_MS;
  #leftAt: number | null = null;
  #observedAt: number | null = null;

  /** Whether video should be given up now. */
  observe(evidence: VideoEvidence, now: number): boolean {
    if (this.#observedAt !== null && now - this.#observedAt > LONGEST_PAUSE_MS) this.#since = null;
    this.#observedAt = now;
    // A path that is gone says nothing of how much it will carry when it is back.
    if (evidence.hearsAnything === false) this.#since = null;
    const speaksForChange = this.#on ? isGood(evidence) : isTooLittle(evidence);
    if (!speaksForChange) {
      this.#since = null;
      return this.#on;
    }
    this.#since ??= now;
    if (now - this.#since < (this.#on ? this.#leaveAfterMs : ENTER_AFTER_MS)) return this.#on;
    this.#since = null;
    if (this.#on) this.#leave(now);
    else this.#enter(now);
    return this.#on;
  }

  /** Something else decides now; what was seen so far does not count. */
  reset(): void {
    this.#on = false;
    this.#since = null;
    this.#leftAt = null;
    this.#leaveAfterMs = LEAVE_AFTER_MS;
  }

  #enter(now: number): void {
    this.#on = true;
    const relapsed = this.#leftAt !== null && now - this.#leftAt < RELAPSE_WITHIN_MS;
    this.#leaveAfterMs = relapsed ? Math.min(this.#leaveAfterMs * 2, LONGEST_LEAVE_AFTER_MS) : LEAVE_AFTER_MS;
  }

  #leave(now: number): void {
    this.#on = false;
    this.#leftAt = now;
  }
}

function isTooLittle(evidence: VideoEvidence): boolean {
  const { sendsVideo, expectsVideo, receiveKbps, receiveFps, level } = evidence;
  if (!sendsVideo && !expectsVideo) return false;
  // Nothing arrives at all: that is no matter of video, and recovery is under way.
  if (level === 'lost') return false;
  if (losesTooMuch(evidence)) return true;
  if (sendsVideo && sendsTooLittle(evidence)) return true;
  // Nothing of the others at all: it is they who have lost their path.
  if (!expectsVideo || receiveKbps === null || receiveKbps === 0) return false;
  if (receiveKbps >= VIDEO_NEEDS_RECEIVE_KBPS) return false;
  return receiveFps === null || receiveFps < VIDEO_NEEDS_FPS;
}

/** Over ten seconds, and still: a gap that is over is counted for ten seconds, too. */
function losesTooMuch({ lossPercent, recentLossPercent = null }: VideoEvidence): boolean {
  if (lossPercent === null || lossPercent <= LOSS_TOO_HIGH_PERCENT) return false;
  return recentLossPercent === null || recentLossPercent > LOSS_TOO_HIGH_PERCENT;
}

/** A small rate alone tells nothing, because a still picture needs none: the browser has to say that it is held back. */
function sendsTooLittle({ availableSendKbps, sendKbps, limitedBy }: VideoEvidence): boolean {
  if (availableSendKbps !== null) return availableSendKbps < VIDEO_NEEDS_SEND_KBPS;
  return limitedBy === 'network' && sendKbps !== null && sendKbps < VIDEO_NEEDS_SEND_KBPS;
}

/** Without video the rates tell nothing; loss and delay do. */
function isGood({ level, lossPercent, rttMs }: VideoEvidence): boolean {
  if (level === 'lost') return false;
  if (lossPercent !== null && lossPercent > LOSS_GOOD_PERCENT) return false;
  return rttMs === null || rttMs <= RTT_GOOD_MS;
}
