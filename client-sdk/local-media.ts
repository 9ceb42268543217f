import type { MediaSource } from '@teleconsult/protocol';
import type { Lifetime } from './lifetime.ts';
import { captureError, type MediaDevice } from './media-device.ts';

export interface LocalMediaOptions {
  readonly device: MediaDevice;
  /** All tracks are stopped with it. */
  readonly life: Lifetime;
}

/**
 * This device's microphone and camera during one call. The tracks outlive media sessions: when media is rebuilt, the
 * same microphone goes on, and what was muted stays muted.
 */
export class LocalMedia {
  readonly #options: LocalMediaOptions;
  readonly #tracks = new Map<MediaSource, MediaStreamTrack>();
  readonly #asking = new Map<MediaSource, Promise<MediaStreamTrack>>();
  /** The device went away (unplugged, or taken by the system). */
  onLost: (source: MediaSource) => void = () => {};

  constructor(options: LocalMediaOptions) {
    this.#options = options;
    options.life.onEnd(() => {
      this.stop('microphone');
      this.stop('camera');
    });
  }

  track(source: MediaSource): MediaStreamTrack | null {
    return this.#tracks.get(source) ?? null;
  }

  /** Begins to ask for the devices that are wanted, so that the permission is there when it is needed. */
  prefetch({ microphone, camera }: Readonly<Record<MediaSource, boolean>>): void {
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
    const track = this.#tracks.get(source);
    if (track !== undefined) return track;
    const asking = this.#asking.get(source) ?? this.#ask(source, this.#pick(source, null));
    try {
      return await asking;
    } finally {
      if (this.#asking.get(source) === asking) this.#asking.delete(source);
    }
  }

  /** Stops and forgets the track: the camera's light goes off. */
  stop(source: MediaSource): void {
    const track = this.#tracks.get(source);
    this.#tracks.delete(source);
    track?.stop();
  }

  #ask(source: MediaSource, answer: Promise<MediaStreamTrack>): Promise<MediaStreamTrack> {
    const kept = answer.then((track) => {
      this.#asking.delete(source);
      return this.#keep(source, track);
    });
    // Somebody may ask for the outcome later.
    kept.catch(() => {});
    this.#asking.set(source, kept);
    return kept;
  }

  async #pick(source: MediaSource, stream: MediaStream | null): Promise<MediaStreamTrack> {
    const own = stream ?? (await this.#options.device.capture(wanting(source)));
    const tracks = source === 'microphone' ? own.getAudioTracks() : own.getVideoTracks();
    const [track] = tracks;
    if (track === undefined) throw captureError(new Error(`no ${source} track`));
    return track;
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
    return track;
  }
}

function wanting(source: MediaSource): { audio: boolean; video: boolean } {
  return { audio: source === 'microphone', video: source === 'camera' };
}
