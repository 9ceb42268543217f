import type { PersonId } from '@teleconsult/protocol';
import { Changes } from './changes.ts';
import type { LaneLinks } from './lane-links.ts';
import { LaneSlot } from './lane-slot.ts';
import type { Clip, Timeline } from './lane-timeline.ts';

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
export type Speed = (typeof SPEEDS)[number];

/** How often the elements are brought to the clock. */
const TICK_MS = 100;
/** Beyond what the clock waits for a part, the rest goes on without it. */
const MAX_STALL_MS = 15_000;

interface Slot {
  readonly personId: PersonId;
  readonly source: 'voice' | 'camera' | 'screen';
  readonly slot: LaneSlot;
}

/** The player that sounds; another one's start stops it. */
let sounding: LanePlayback | null = null;

/**
 * Plays all lanes of a recording by one clock. Where one of them is not there yet the clock stands still for all, so
 * question and answer never part.
 */
export class LanePlayback {
  readonly changes = new Changes();
  readonly slots: readonly Slot[];
  state: 'stopped' | 'loading' | 'playing' = 'stopped';
  speed: Speed = 1;
  readonly muted = new Set<PersonId>();
  /** A part could not be played. */
  hasFailed = false;
  #fromMs: number;
  #toMs: number;
  /** Where the clock stood, and when, by the page's own clock. */
  #anchorMs: number;
  #anchoredAt = 0;
  #stalledAt: number | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(timeline: Timeline, links: LaneLinks) {
    this.#fromMs = 0;
    this.#toMs = timeline.lengthMs;
    this.#anchorMs = 0;
    this.slots = timeline.lanes.flatMap(({ personId, voice, camera, screen }) =>
      [
        { source: 'voice' as const, kind: 'audio' as const, clips: voice },
        { source: 'camera' as const, kind: 'video' as const, clips: camera },
        { source: 'screen' as const, kind: 'video' as const, clips: screen },
      ]
        .filter(({ clips }) => clips.length > 0)
        .map(({ source, kind, clips }) => ({
          personId,
          source,
          slot: this.#slot(kind, clips, links),
        })),
    );
  }

  get positionMs(): number {
    if (this.state !== 'playing') return this.#anchorMs;
    return Math.min(this.#toMs, this.#anchorMs + (performance.now() - this.#anchoredAt) * this.speed);
  }

  /** What is played, in milliseconds: all of it, or what a trimming left. */
  get range(): readonly [fromMs: number, toMs: number] {
    return [this.#fromMs, this.#toMs];
  }

  setRange(fromMs: number, toMs: number): void {
    if (fromMs === this.#fromMs && toMs === this.#toMs) return;
    const at = this.positionMs;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    if (at < fromMs || at > toMs) this.seek(fromMs);
    else this.changes.announce();
  }

  play(): void {
    if (this.state !== 'stopped') return;
    if (sounding !== this) sounding?.pause();
    sounding = this;
    if (this.#anchorMs >= this.#toMs - 50 || this.#anchorMs < this.#fromMs) this.#anchorMs = this.#fromMs;
    this.state = 'loading';
    this.#stalledAt = performance.now();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    this.changes.announce();
  }

  pause(): void {
    if (this.state === 'stopped') return;
    this.#stop(this.positionMs);
  }

  seek(atMs: number): void {
    this.#anchorMs = Math.min(this.#toMs, Math.max(this.#fromMs, atMs));
    this.#anchoredAt = performance.now();
    if (this.state === 'playing') {
      this.state = 'loading';
      this.#stalledAt = performance.now();
    }
    this.#follow(false);
    this.changes.announce();
  }

  setSpeed(speed: Speed): void {
    this.#anchorMs = this.positionMs;
    this.#anchoredAt = performance.now();
    this.speed = speed;
    this.changes.announce();
  }

  setMuted(personId: PersonId, isMuted: boolean): void {
    if (isMuted) this.muted.add(personId);
    else this.muted.delete(personId);
    for (const { personId: of, source, slot } of this.slots)
      if (of === personId && source === 'voice') slot.element.muted = isMuted;
    this.changes.announce();
  }

  close(): void {
    this.pause();
    if (sounding === this) sounding = null;
    for (const { slot } of this.slots) slot.close();
  }

  #slot(kind: 'audio' | 'video', clips: readonly Clip[], links: LaneLinks): LaneSlot {
    return new LaneSlot({
      kind,
      clips,
      links,
      onChange: () => this.#tick(),
      onFailure: () => {
        this.hasFailed = true;
        this.changes.announce();
      },
    });
  }

  #tick(): void {
    if (this.state === 'stopped') return;
    const at = this.positionMs;
    if (at >= this.#toMs) {
      this.#stop(this.#toMs);
      return;
    }
    const isReady = this.slots.every(({ slot }) => slot.isReady(at));
    const hasWaited = this.#stalledAt !== null && performance.now() - this.#stalledAt > MAX_STALL_MS;
    if (this.state === 'loading' && (isReady || hasWaited)) {
      this.state = 'playing';
      this.#anchoredAt = performance.now();
      if (isReady) this.#stalledAt = null;
      this.changes.announce();
    } else if (this.state === 'playing' && isReady) this.#stalledAt = null;
    else if (this.state === 'playing' && this.#stalledAt === null) {
      this.#anchorMs = at;
      this.state = 'loading';
      this.#stalledAt = performance.now();
      this.changes.announce();
    }
    this.#follow(this.state === 'playing');
  }

  #follow(isPlaying: boolean): void {
    const at = this.positionMs;
    for (const { slot } of this.slots) slot.follow(at, { isPlaying, speed: this.speed });
  }

  #stop(atMs: number): void {
    this.state = 'stopped';
    this.#anchorMs = atMs;
    this.#stalledAt = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const { slot } of this.slots) slot.element.pause();
    this.changes.announce();
  }
}
