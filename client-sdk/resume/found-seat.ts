import type { AppError, CallId, CallMedia, SeatView } from '@teleconsult/protocol';
import type { AwaitedSource } from '../api.ts';
import { beginCapture, type Capture } from '../call-capture.ts';
import type { Lifetime } from '../lifetime.ts';
import type { MediaDevice } from '../media-device.ts';
import type { KeptCall } from './kept-call.ts';
import { restoredSources } from './restored-sources.ts';
import { SeatClaim } from './seat-claim.ts';

export interface SeatSearch {
  readonly callId: CallId;
  readonly kept: KeptCall;
  readonly device: MediaDevice;
  /** The call's. */
  readonly life: Lifetime;
  /** The person's seat as the server shows it; null when it is not this device's to go on with. */
  readonly shown: () => SeatView | null;
  readonly media: () => CallMedia;
}

/** A seat that this device held before its page was gone, and everything to take it again. */
export interface FoundSeat {
  readonly capture: Capture;
  readonly claim: SeatClaim;
  /** A page before this one held it. */
  readonly isRestored: boolean;
  readonly awaiting: readonly AwaitedSource[];
  readonly problems: readonly AppError[];
}

/** Null when nothing is kept of it, or it is another device's by now. Rejects with `UNSUPPORTED_BROWSER`. */
export async function findSeat({
  callId,
  kept,
  device,
  life,
  shown,
  media,
}: SeatSearch): Promise<FoundSeat | null> {
  const record = await kept.find(callId);
  if (record === null || shown() === null) return null;
  await device.require();
  for (let seat = shown(); seat !== null; ) {
    const basis = { wishes: record, shown: seat, media: media() };
    const sources = await restoredSources(basis, { device, life });
    const now = shown();
    // While the browser was asked, the doctor may have muted, or the call become voice.
    if (now === seat)
      return {
        capture: beginCapture(device, life, sources.wanted),
        claim: SeatClaim.joinedBefore(record.ticket),
        isRestored: kept.isFromBefore,
        awaiting: sources.awaiting,
        problems: sources.denied,
      };
    seat = now;
  }
  return null;
}
