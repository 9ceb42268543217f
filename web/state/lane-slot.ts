import type { LaneLinks } from './lane-links.ts';
import { type Clip, clipAtMs, nextClip } from './lane-timeline.ts';

/** How far sound or picture may stray from the clock before it is set right, in milliseconds. */
const DRIFT_MS = 160;
/** A clip that comes this soon is fetched ahead. */
const AHEAD_MS = 4000;
/** How often a clip that cannot be played is asked for again. */
const MAX_TRIES = 2;

/**
 * One voice or picture of a lane: a media element that always has the clip of the moment. The clock is not in here; it
 * is followed.
 */
export class LaneSlot {
  readonly element: HTMLMediaElement;
  readonly #clips: readonly Clip[];
  readonly #links: LaneLinks;
  readonly #onFailure: () => void;
  #clip: Clip | null = null;
  /** What the element plays, or is about to. */
  #url: string | null = null;
  #tries = 0;
  #loading = 0;
  #failed = new Set<Clip>();

  constructor(options: {
    readonly kind: 'audio' | 'video';
    readonly clips: readonly Clip[];
    readonly links: LaneLinks;
    readonly onChange: () => void;
    readonly onFailure: () => void;
  }) {
    this.#clips = options.clips;
    this.#links = options.links;
    this.#onFailure = options.onFailure;
    this.element = document.createElement(options.kind);
    this.element.preload = 'auto';
    if (this.element instanceof HTMLVideoElement) {
      this.element.playsInline = true;
      this.element.muted = true;
    }
    for (const event of ['canplay', 'seeked'] as const)
      this.element.addEventListener(event, options.onChange);
    this.element.addEventListener('error', () => void this.#retry());
  }

  /** Something is to be heard or seen of it at this moment. */
  isDue(atMs: number): boolean {
    const clip = clipAtMs(this.#clips, atMs);
    return clip !== null && !this.#failed.has(clip);
  }

  /** It has what is to be played now, or nothing is. */
  isReady(atMs: number): boolean {
    if (!this.isDue(atMs)) return true;
    const hasClip = this.#clip === clipAtMs(this.#clips, atMs) && this.#url !== null;
    if (!hasClip || this.element.seeking) return false;
    // The file may be a little shorter than was said of it.
    return this.#isAtEnd || this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** Brings the element to this moment. */
  follow(atMs: number, { isPlaying, speed }: { readonly isPlaying: boolean; readonly speed: number }): void {
    const clip = clipAtMs(this.#clips, atMs);
    if (clip === null || this.#failed.has(clip)) {
      this.element.pause();
      const next = nextClip(this.#clips, atMs);
      if (next !== null && next !== this.#clip && next.startMs - atMs < AHEAD_MS * speed)
        void this.#load(next);
      return;
    }
    if (clip !== this.#clip) void this.#load(clip);
    else if (this.#isAboutToExpire(clip)) void this.#load(clip, this.#url);
    if (this.#url === null) return;
    this.element.playbackRate = speed;
    const { duration } = this.element;
    const wanted = Math.min((atMs - clip.startMs) / 1000, Number.isFinite(duration) ? duration : Infinity);
    const isAway = Math.abs(this.element.currentTime - wanted) * 1000 > (isPlaying ? DRIFT_MS : 20);
    if (isAway && this.element.readyState >= HTMLMediaElement.HAVE_METADATA && !this.element.seeking)
      this.element.currentTime = wanted;
    if (!isPlaying) this.element.pause();
    else if (this.element.paused && !this.#isAtEnd)
      // A pause that comes before it began is no failure.
      void this.element.play().catch(() => undefined);
  }

  close(): void {
    this.#loading += 1;
    this.element.pause();
    this.element.removeAttribute('src');
    this.element.load();
  }

  get #isAtEnd(): boolean {
    const { ended, currentTime, duration } = this.element;
    return ended || (Number.isFinite(duration) && currentTime >= duration - 0.15);
  }

  /** What the browser has already needs no link any more. */
  #isAboutToExpire(clip: Clip): boolean {
    if (this.#url === null || !this.#links.isStale(clip.file)) return false;
    const { buffered, currentTime } = this.element;
    const end = (clip.endMs - clip.startMs) / 1000;
    for (let index = 0; index < buffered.length; index += 1)
      if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= end - 0.5) return false;
    return true;
  }

  async #load(clip: Clip, after: string | null = null): Promise<void> {
    if (this.#clip !== clip) this.#tries = 0;
    this.#clip = clip;
    this.#url = null;
    this.#loading += 1;
    const loading = this.#loading;
    try {
      const url = await this.#links.urlOf(clip.file, after);
      if (loading !== this.#loading) return;
      this.#url = url;
      this.element.src = url;
    } catch {
      if (loading === this.#loading) this.#giveUp(clip);
    }
  }

  /** A link that has expired, or a network that stumbled: asked again with a new link, but not for ever. */
  async #retry(): Promise<void> {
    const clip = this.#clip;
    if (clip === null || this.#url === null) return;
    this.#tries += 1;
    if (this.#tries > MAX_TRIES) this.#giveUp(clip);
    else await this.#load(clip, this.#url);
  }

  #giveUp(clip: Clip): void {
    this.#failed = new Set([...this.#failed, clip]);
    this.#url = null;
    this.#onFailure();
  }
}
