import type { CallMedia, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { AwaitedSource } from '../api.ts';
import type { Wanted } from '../call-capture.ts';
import type { Lifetime } from '../lifetime.ts';
import type { MediaDevice } from '../media-device.ts';
import type { KeptWishes } from './kept-call.ts';

/** What a restored call does with microphone and camera. */
export interface RestoredSources {
  /** On at once: was on, is still shown as on, and the browser does not ask. */
  readonly wanted: Wanted;
  /** Would be on, and waits for a tap because the browser asks. */
  readonly awaiting: readonly AwaitedSource[];
  /** The browser has been told to refuse: off, which is a problem of the call. */
  readonly denied: readonly AppError[];
}

export interface RestoreBasis {
  readonly wishes: KeptWishes;
  /** The person's seat as the server shows it now. */
  readonly shown: SeatView;
  readonly media: CallMedia;
}

const SOURCES = ['microphone', 'camera'] as const;

/** Nobody is un-muted who was muted, by whomever, and no question appears that the person did not ask for. */
export async function restoredSources(
  { wishes, shown, media }: RestoreBasis,
  { device, life }: { device: MediaDevice; life: Lifetime },
): Promise<RestoredSources> {
  const wished = SOURCES.filter((source) => {
    if (source === 'camera' && media === 'voice') return false;
    if (source === 'microphone' && shown.mutedBy !== null) return false;
    // What waits for a tap is off for the others: this device has told them so itself.
    if (wishes[source] === 'awaiting') return true;
    const isShownOn = source === 'microphone' ? shown.microphoneOn : shown.cameraOn;
    return wishes[source] === 'on' && isShownOn;
  });
  const states = await Promise.all(wished.map((source) => device.permission(source, life)));
  const having = (state: PermissionState) => wished.filter((_source, index) => states[index] === state);
  const granted = having('granted');
  return {
    wanted: { microphone: granted.includes('microphone'), camera: granted.includes('camera') },
    awaiting: having('prompt'),
    denied: having('denied').map((source) => new AppError('PERMISSION_DENIED', { detail: source })),
  };
}
