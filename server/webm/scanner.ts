import { type ElementHead, elementsIn, headAt, ID, numberAt, unsignedAt } from './elements.ts';

/** A place to seek to. `position` counts from the first cluster; `time` is in ticks of the file. */
export interface Cue {
  readonly time: number;
  readonly position: number;
  readonly track: number;
}

/** What a pass over a file found. Places count from the beginning of the file. */
export interface ScannedWebm {
  /** The EBML header and the tracks as they are. */
  readonly header: Buffer;
  readonly tracks: Buffer;
  /** Nanoseconds of a tick; a million unless the file says otherwise. */
  readonly timestampScale: number;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** From the first cluster to the end of the last whole block. */
  readonly keptStart: number;
  readonly keptEnd: number;
  /** A last cluster that says it is longer than it is: where its length stands, and what the length is. */
  readonly cut: { readonly lengthAt: number; readonly lengthWidth: number; readonly byteSize: number } | null;
  /** Whether a cluster is of unknown length: the segment must be, too (RFC 8794, 6.2). */
  readonly isLive: boolean;
  readonly durationTicks: number;
  readonly cues: readonly Cue[];
}

/** Enough for one every two seconds of an hour; beyond it every second one goes. */
const MAX_CUES = 2_000;
/** Seeking is not finer than this, in nanoseconds. */
const MIN_CUE_SPACING_NS = 1_000_000_000;
/** A frame of 720p is below 1 MB. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** Tracks carry a few hundred bytes of codec data; they become part of the index, which is read with every list. */
const MAX_HEADER_BYTES = 64 * 1024;
const DEFAULT_SCALE = 1_000_000;
/** The length of the last frame, where nothing tells it: what an Opus frame lasts. */
const DEFAULT_FRAME_NS = 20_000_000;
/** A track number, 16 bits of time, flags. */
const BLOCK_HEAD_BYTES = 11;
const KEY_FRAME = 0x80;

/** What stands directly in a segment: a cluster of unknown length ends where one of these begins. */
const TOP: ReadonlySet<number> = new Set<number>([
  ID.cluster,
  ID.cues,
  ID.tags,
  ID.chapters,
  ID.attachments,
  ID.seekHead,
  ID.info,
  ID.tracks,
]);

interface Cluster {
  readonly start: number;
  readonly lengthAt: number;
  readonly contentStart: number;
  /** null: unknown. */
  readonly end: number | null;
  time: number;
  isCued: boolean;
}

interface TrackTimes {
  readonly type: 'video' | 'audio' | 'other';
  last: number;
  lastLength: number | null;
}

/**
 * Reads a WebM or Matroska file as it passes by, in bounded memory: finds its length, where one can seek to, and where a
 * file that was cut still is whole. Never throws: what is malformed ends what is kept.
 */
export class WebmScanner {
  #pending: Buffer = Buffer.alloc(0);
  /** Where `#pending` begins in the file. */
  #at = 0;
  #skip = 0;
  #isOver = false;
  #header: Buffer | null = null;
  #tracks: Buffer | null = null;
  #scale = DEFAULT_SCALE;
  #cluster: Cluster | null = null;
  #keptStart: number | null = null;
  #keptEnd = 0;
  #isLive = false;
  readonly #times = new Map<number, TrackTimes>();
  #videoTrack: number | null = null;
  #cues: Cue[] = [];
  #spacing = 0;

  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#pending =
      this.#pending.byteLength === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([this.#pending, chunk]);
    try {
      while (this.#step());
    } catch {
      this.#isOver = true;
    }
    if (this.#isOver) this.#pending = Buffer.alloc(0);
  }

  /** What was found; null when it is no such file, or holds nothing to play. */
  result(): ScannedWebm | null {
    if (this.#header === null || this.#tracks === null || this.#keptStart === null) return null;
    if (this.#times.size === 0 || this.#keptEnd <= this.#keptStart) return null;
    const types = [...this.#times.values()].map(({ type }) => type);
    return {
      header: this.#header,
      tracks: this.#tracks,
      timestampScale: this.#scale,
      hasVideo: types.includes('video'),
      hasAudio: types.includes('audio'),
      keptStart: this.#keptStart,
      keptEnd: this.#keptEnd,
      cut: this.#cut(),
      isLive: this.#isLive,
      durationTicks: this.#duration(),
      cues: this.#cues,
    };
  }

  #cut(): ScannedWebm['cut'] {
    const cluster = this.#cluster;
    if (cluster === null || cluster.end === null || cluster.end <= this.#keptEnd) return null;
    const lengthWidth = cluster.contentStart - cluster.lengthAt;
    return { lengthAt: cluster.lengthAt, lengthWidth, byteSize: this.#keptEnd - cluster.contentStart };
  }

  #duration(): number {
    const fallback = DEFAULT_FRAME_NS / this.#scale;
    let end = 0;
    for (const { last, lastLength } of this.#times.values())
      if (last >= 0) end = Math.max(end, last + (lastLength ?? fallback));
    return end;
  }

  /** One element. False when more bytes are needed. */
  #step(): boolean {
    if (this.#skip > 0) {
      const passed = Math.min(this.#skip, this.#pending.byteLength);
      this.#consume(passed);
      this.#skip -= passed;
      if (this.#skip > 0) return false;
    }
    const cluster = this.#cluster;
    if (cluster !== null) {
      // Everything before this place is whole.
      this.#keptEnd = this.#at;
      if (cluster.end !== null && this.#at >= cluster.end) this.#cluster = null;
    }
    const head = headAt(this.#pending, 0);
    if (head === null) return false;
    if (this.#cluster !== null && this.#cluster.end === null && TOP.has(head.id)) this.#cluster = null;
    return this.#cluster === null ? this.#outside(head) : this.#inside(this.#cluster, head);
  }

  #outside(head: ElementHead): boolean {
    switch (head.id) {
      case ID.ebml:
        limited(head);
        return this.#hold(head, (bytes) => {
          this.#header ??= Buffer.from(bytes);
        });
      case ID.segment:
        this.#consume(head.headSize);
        return true;
      case ID.info:
        return this.#hold(head, (bytes) => {
          for (const { id, contentStart, end } of elementsIn(bytes, head.headSize, bytes.byteLength))
            if (id === ID.timestampScale) this.#scale = unsignedAt(bytes, contentStart, end) || DEFAULT_SCALE;
        });
      case ID.tracks:
        limited(head);
        return this.#hold(head, (bytes) => this.#readTracks(bytes, head.headSize));
      case ID.cluster:
        this.#begin(head);
        return true;
      default:
        return this.#pass(head);
    }
  }

  #begin({ byteSize, headSize }: ElementHead): void {
    const start = this.#at;
    const contentStart = start + headSize;
    this.#keptStart ??= start;
    if (byteSize === null) this.#isLive = true;
    // The id of a cluster has four bytes.
    this.#cluster = {
      start,
      lengthAt: start + 4,
      contentStart,
      end: byteSize === null ? null : contentStart + byteSize,
      time: 0,
      isCued: false,
    };
    this.#consume(headSize);
  }

  #inside(cluster: Cluster, head: ElementHead): boolean {
    switch (head.id) {
      case ID.timestamp:
        return this.#hold(head, (bytes) => {
          cluster.time = unsignedAt(bytes, head.headSize, bytes.byteLength);
        });
      case ID.simpleBlock: {
        const byteSize = known(head);
        const shown = head.headSize + Math.min(byteSize, BLOCK_HEAD_BYTES);
        if (this.#pending.byteLength < shown) return false;
        // A block that was cut is not there.
        const first = Buffer.from(this.#pending.subarray(head.headSize, shown));
        return this.#passBlock(head.headSize + byteSize, () =>
          this.#block(cluster, first, { length: null, isKey: null }),
        );
      }
      case ID.blockGroup:
        return this.#hold(head, (bytes) => this.#group(cluster, bytes, head.headSize));
      default:
        return this.#pass(head);
    }
  }

  #passBlock(byteSize: number, then: () => void): boolean {
    if (this.#pending.byteLength >= byteSize) {
      this.#consume(byteSize);
      then();
      return true;
    }
    // Kept until the rest has come: only then is it counted.
    if (byteSize > MAX_HELD_BYTES) throw new Error('A block is too large.');
    return false;
  }

  #group(cluster: Cluster, bytes: Buffer, from: number): void {
    let block: Buffer | null = null;
    let length: number | null = null;
    let isKey = true;
    for (const { id, contentStart, end } of elementsIn(bytes, from, bytes.byteLength)) {
      if (id === ID.block)
        block = bytes.subarray(contentStart, Math.min(end, contentStart + BLOCK_HEAD_BYTES));
      if (id === ID.blockDuration) length = unsignedAt(bytes, contentStart, end);
      if (id === ID.referenceBlock) isKey = false;
    }
    if (block !== null) this.#block(cluster, block, { length, isKey });
  }

  #block(
    cluster: Cluster,
    first: Buffer,
    { length, isKey }: { readonly length: number | null; readonly isKey: boolean | null },
  ): void {
    const track = numberAt(first, 0, { keepMarker: false });
    if (track === null || track.end + 3 > first.byteLength) throw new Error('A block is malformed.');
    const times = this.#times.get(track.value);
    if (times === undefined) return;
    const time = cluster.time + first.readInt16BE(track.end);
    if (length !== null) times.lastLength = length;
    else if (times.last >= 0 && time > times.last)
      times.lastLength = Math.min(time - times.last, this.#ticks(1_000_000_000));
    times.last = Math.max(times.last, time);
    const isKeyFrame = isKey ?? (first.readUInt8(track.end + 2) & KEY_FRAME) !== 0;
    if (cluster.isCued || (this.#videoTrack !== null && (track.value !== this.#videoTrack || !isKeyFrame)))
      return;
    cluster.isCued = true;
    this.#cue({
      time: Math.max(0, time),
      position: cluster.start - (this.#keptStart ?? 0),
      track: track.value,
    });
  }

  #cue(cue: Cue): void {
    const spacing = Math.max(this.#spacing, this.#ticks(MIN_CUE_SPACING_NS));
    const last = this.#cues.at(-1);
    if (last !== undefined && cue.time - last.time < spacing) return;
    this.#cues.push(cue);
    if (this.#cues.length <= MAX_CUES) return;
    this.#cues = this.#cues.filter((_, index) => index % 2 === 0);
    this.#spacing = spacing * 2;
  }

  #ticks(nanoseconds: number): number {
    return nanoseconds / this.#scale;
  }

  #readTracks(bytes: Buffer, from: number): void {
    if (this.#tracks !== null) return;
    this.#tracks = Buffer.from(bytes);
    for (const entry of elementsIn(bytes, from, bytes.byteLength)) {
      if (entry.id !== ID.trackEntry) continue;
      let number = 0;
      let type: TrackTimes['type'] = 'other';
      for (const { id, contentStart, end } of elementsIn(bytes, entry.contentStart, entry.end)) {
        if (id === ID.trackNumber) number = unsignedAt(bytes, contentStart, end);
        if (id === ID.trackType)
          type = ({ 1: 'video', 2: 'audio' } as const)[unsignedAt(bytes, contentStart, end)] ?? 'other';
      }
      if (number === 0) continue;
      this.#times.set(number, { type, last: -1, lastLength: null });
      if (type === 'video') this.#videoTrack ??= number;
    }
  }

  /** Waits for the whole element and takes it. */
  #hold(head: ElementHead, take: (bytes: Buffer) => void): boolean {
    const byteSize = head.headSize + known(head);
    if (byteSize > MAX_HELD_BYTES) throw new Error('An element is too large.');
    if (this.#pending.byteLength < byteSize) return false;
    take(this.#pending.subarray(0, byteSize));
    this.#consume(byteSize);
    return true;
  }

  #pass(head: ElementHead): boolean {
    this.#consume(head.headSize);
    this.#skip = known(head);
    return true;
  }

  #consume(byteSize: number): void {
    this.#pending = this.#pending.subarray(byteSize);
    this.#at += byteSize;
  }
}

function known({ byteSize }: ElementHead): number {
  if (byteSize === null) throw new Error('Only segments and clusters may be of unknown length.');
  return byteSize;
}

function limited(head: ElementHead): void {
  if (known(head) > MAX_HEADER_BYTES) throw new Error('A header is too large.');
}
