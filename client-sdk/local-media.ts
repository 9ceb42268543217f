import type { MediaSource } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { blur } from './device-blur.ts';
import type { Lifetime } from './lifetime.ts';
import { captureError, type MediaDevice } from './media-device.ts';

export interface LocalMediaOptions {
  readonly device: MediaDevice;
  /** All tracks are stopped with it. */
  readonly life: Lifetime;
}

/** What the person can choose among several of. */
export type SelectableSource = 'microphone' | 'camera';

const SOURCES: readonly MediaSource[] = ['microphone', 'camera', 'screen'];

/**
 * This device's microphone, camera and shared screen during one call. The tracks outlive media sessions: when media is
 * rebuilt, the same microphone goes on, and what was muted stays muted.
 */
export class LocalMedia {
  readonly #options: LocalMediaOptions;
  readonly #tracks = new Map<MediaSource, MediaStreamTrack>();
  readonly #asking = new Map<MediaSource, Promise<MediaStreamTrack>>();
  /** Stopped while the browser was still asking: what it grants is closed at once. */
  readonly #unwanted = new Set<MediaSource>();
  /** What the person has chosen; the browser's default otherwise. */
  readonly #chosen = new Map<SelectableSource, string>();
  #blurred = false;
  /** The device went away: unplugged, taken by the system, or the person stopped sharing in the browser. */
  onLost: (source: MediaSource) => void = () => {};
  /** The system took the microphone without ending it, as a phone call does, or gave it back. */
  onInterrupted: (interrupted: boolean) => void = () => {};

  constructor(options: LocalMediaOptions) {
    this.#options = options;
    options.life.onEnd(() => {
      for (const source of SOURCES) this.stop(source);
    });
  }

  track(source: MediaSource): MediaStreamTrack | null {
    return this.#tracks.get(source) ?? null;
  }

  /** Begins to ask for the devices that are wanted, so that the permission is there when it is needed. */
  prefetch({ microphone, camera }: Readonly<Record<SelectableSource, boolean>>): void {
    if (microphone) this.#unwanted.delete('microphone');
    if (camera) this.#unwanted.delete('camera');
    if (!microphone || !camera) {
      if (microphone) void this.#ask('microphone', this.#pick('microphone', null));
      if (camera) void this.#ask('camera', this.#pick('camera', null));
      return;
    }
    // Asked for together, the person sees one question. When that fails, one of the two may still be had.
    const both = this.#options.device.capture({ audio: true, video: true }).catch(() => null);
    for (const source of ['microphone', 'camera'] as const) {
      const picked = both.then((stream) => this.#pick(source, stream));
      void this.#ask(source, picked);
    }
  }

  /** The track, asking for the device if need be. A question that was answered with no is not asked twice at once. */
  async acquire(source: MediaSource): Promise<MediaStreamTrack> {
    this.#unwanted.delete(source);
    const track = this.#tracks.get(source);
    if (track !== undefined) return track;
    const asking = this.#asking.get(source) ?? this.#ask(source, this.#pick(source, null));
    try {
      return await asking;
    } finally {
      if (this.#asking.get(source) === asking) this.#asking.delete(source);
    }
  }

  /**
   * Goes over to another device, now when one is open, else with the next question. Answers the new track, or null.
   * When the other cannot be had, the former goes on.
   */
  async select(source: SelectableSource, deviceId: string): Promise<MediaStreamTrack | null> {
    const before = this.#chosen.get(source);
    this.#chosen.set(source, deviceId);
    const present = this.#tracks.get(source);
    if (present === undefined) return null;
    try {
      return await this.#exchange(source, present);
    } catch (error) {
      if (before === undefined) this.#chosen.delete(source);
      else this.#chosen.set(source, before);
      throw error;
    }
  }

  /** The chosen device is gone: the default one from now on. */
  forgetChoice(source: SelectableSource): void {
    this.#chosen.delete(source);
  }

  /** Rejects with `UNSUPPORTED_BROWSER` where camera or browser cannot do it; then nothing has changed. */
  async setBlurred(blurred: boolean): Promise<void> {
    const track = this.#tracks.get('camera');
    if (blurred && track === undefined) throw new AppError('WRONG_STATE', { detail: 'the camera is off' });
    if (track !== undefined && (blurred || this.#blurred)) await blur(track, blurred);
    this.#blurred = blurred;
  }

  /** Stops and forgets the track: the camera's light goes off. */
  stop(source: MediaSource): void {
    const track = this.#tracks.get(source);
    this.#tracks.delete(source);
    this.#unwanted.add(source);
    track?.stop();
  }

  #ask(source: MediaSource, answer: Promise<MediaStreamTrack>): Promise<MediaStreamTrack> {
    const kept = answer.then((track) => {
      this.#asking.delete(source);
      this.#keep(source, track);
      if (this.#unwanted.has(source)) this.stop(source);
      return track;
    });
    // Somebody may ask for the outcome later.
    kept.catch(() => {});
    this.#asking.set(source, kept);
    return kept;
  }

  async #exchange(source: SelectableSource, present: MediaStreamTrack): Promise<MediaStreamTrack> {
    try {
      const track = await this.#pick(source, null);
      present.stop();
      return this.#keep(source, track);
    } catch (thrown) {
      const error = captureError(thrown);
      if (source !== 'camera' || error.code !== 'DEVICE_UNAVAILABLE' || this.#options.life.over) throw error;
    }
    // Many phones open one camera at a time: the present one has to be closed first.
    present.stop();
    this.#tracks.delete(source);
    return this.#keep(source, await this.#pick(source, null));
  }

  async #pick(source: MediaSource, stream: MediaStream | null): Promise<MediaStreamTrack> {
    const own = stream ?? (await this.#capture(source));
    const tracks = source === 'microphone' ? own.getAudioTracks() : own.getVideoTracks();
    const [track] = tracks;
    if (track === undefined) throw captureError(new Error(`no ${source} track`));
    if (source !== 'camera' || !this.#blurred) return track;
    try {
      await blur(track, true);
      return track;
    } catch (error) {
      // Who asked not to show the room does not show it by another camera either.
      track.stop();
      throw error;
    }
  }

  async #capture(source: MediaSource): Promise<MediaStream> {
    const { device } = this.#options;
    switch (source) {
      case 'microphone':
        return device.capture({ audio: true, video: false, microphoneId: this.#chosen.get('microphone') });
      case 'camera':
        return device.capture({ audio: false, video: true, cameraId: this.#chosen.get('camera') });
      case 'screen': {
        const stream = await device.captureScreen();
        for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
        for (const track of stream.getAudioTracks()) track.stop();
        return stream;
      }
      default:
        return unreachable(source);
    }
  }

  #keep(source: MediaSource, track: MediaStreamTrack): MediaStreamTrack {
    if (this.#options.life.endReason !== null) {
      track.stop();
      throw this.#options.life.endReason;
    }
    this.#tracks.set(source, track);
    // Not fired by our own `stop()`.
    track.addEventListener('ended', () => {
      if (this.#tracks.get(source) !== track) return;
      this.#tracks.delete(source);
      this.onLost(source);
    });
    if (source === 'microphone') {
      const interrupted = (now: boolean) => {
        if (this.#tracks.get(source) === track) this.onInterrupted(now);
      };
      track.addEventListener('mute', () => interrupted(true));
      track.addEventListener('unmute', () => interrupted(false));
      // The one before may have been taken, and will not say any more that it was given back.
      this.onInterrupted(track.muted);
    }
    return track;
  }
}
