/** A call in the media thread: two legs, what passes between them, what is said to them, and the tape. */
import type { RemoteInfo } from 'node:dgram';
import { PCMA } from './g711.ts';
import { type Incoming, MediaLeg } from './media-leg.ts';
import type { BothStatistics, FromMedia, LegPlace, MediaSettings } from './media-protocol.ts';
import type { LegName, LegRemote, SessionEvent } from './ports.ts';
import { openSocketPair, type SocketPair } from './socket-pair.ts';
import { FRAME_SAMPLES, Speaker } from './speaker.ts';
import { StereoTape } from './stereo-tape.ts';

export interface SessionParts {
  readonly settings: MediaSettings;
  /** Milliseconds, never set back. */
  readonly clock: () => number;
  readonly tell: (message: FromMedia) => void;
  /** Something in it broke: it is to be closed. */
  readonly onBroken: () => void;
}

export class MediaSession {
  readonly id: number;
  readonly #parts: SessionParts;
  readonly #ownSsrcs: readonly number[];
  readonly #sockets: Partial<Record<LegName, SocketPair>> = {};
  readonly #legs: Readonly<Record<LegName, MediaLeg>>;
  readonly #speakers: Readonly<Record<LegName, Speaker>>;
  #isBridged = false;
  #tape: StereoTape | null = null;
  #isOpen = true;

  /** Opens the four ports. @throws the system's error when one cannot be had; then none is held */
  static async open(
    id: number,
    places: Readonly<Record<LegName, LegPlace>>,
    parts: SessionParts,
  ): Promise<MediaSession> {
    const session = new MediaSession(id, places, parts);
    try {
      await session.#listen('a', places.a);
      await session.#listen('b', places.b);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  private constructor(id: number, places: Readonly<Record<LegName, LegPlace>>, parts: SessionParts) {
    this.id = id;
    this.#parts = parts;
    this.#ownSsrcs = [places.a.ssrc, places.b.ssrc];
    const events = {
      digit: (leg: LegName, digit: string) => this.#event({ type: 'digit', leg, digit }),
      firstPacket: (leg: LegName) => this.#event({ type: 'firstPacket', leg }),
      silent: (leg: LegName, ms: number) => this.#event({ type: 'silent', leg, ms }),
    };
    const leg = (name: LegName): MediaLeg =>
      new MediaLeg(
        name,
        { ...parts.settings, source: places[name].source, ssrc: places[name].ssrc },
        { events, send: (packet, port, host) => this.#sockets[name]?.send(packet, port, host) },
      );
    const speaker = (name: LegName): Speaker =>
      new Speaker(
        {
          frame: (feed, index, sound, now) =>
            this.#guarded(() => this.#sayFrame(name, { feed, index, sound, now })),
          done: (sayId) => parts.tell({ type: 'said', id, sayId }),
        },
        parts.clock,
      );
    this.#legs = { a: leg('a'), b: leg('b') };
    this.#speakers = { a: speaker('a'), b: speaker('b') };
  }

  get statistics(): BothStatistics {
    return { a: this.#legs.a.statistics, b: this.#legs.b.statistics };
  }

  setRemote(leg: LegName, remote: LegRemote): void {
    this.#legs[leg].setRemote(remote, this.#parts.clock());
  }

  bridge(on: boolean): void {
    this.#isBridged = on;
  }

  say(leg: LegName, sayId: number, sound: Uint8Array): void {
    this.#speakers[leg].say(sayId, sound);
  }

  stopSaying(leg: LegName, sayId: number): void {
    this.#speakers[leg].stop(sayId);
  }

  record(tapeId: number | null): void {
    const now = this.#parts.clock();
    this.#tape?.finish(now);
    this.#tape =
      tapeId === null
        ? null
        : new StereoTape(tapeId, now, ({ samples, missing }) =>
            this.#parts.tell({ type: 'sound', id: this.id, tapeId, samples, missing }),
          );
  }

  taken(tapeId: number, bytes: number): void {
    if (this.#tape?.id === tapeId) this.#tape.taken(bytes);
  }

  /** Every fifth of a second. */
  tick(now: number): void {
    this.#legs.a.tick(now);
    this.#legs.b.tick(now);
    this.#tape?.tick(now);
  }

  /** May be called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#speakers.a.close();
    this.#speakers.b.close();
    this.record(null);
    this.#sockets.a?.close();
    this.#sockets.b?.close();
  }

  async #listen(name: LegName, place: LegPlace): Promise<void> {
    this.#sockets[name] = await openSocketPair(place, (datagram, from) =>
      this.#guarded(() => this.#receive(name, datagram, from)),
    );
  }

  /** One call's trouble is not to end all others, which an error in a thread does. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch {
      this.#parts.onBroken();
    }
  }

  #receive(name: LegName, datagram: Buffer, from: RemoteInfo): void {
    if (!this.#isOpen) return;
    const now = this.#parts.clock();
    const incoming = this.#legs[name].receive(datagram, from, { now, ownSsrcs: this.#ownSsrcs });
    if (incoming === null) return;
    const ear = name === 'a' ? 'b' : 'a';
    // An announcement has the ear for itself, and what comes meanwhile is not kept for later.
    if (this.#speakers[ear].speaks) return;
    if (!this.#isBridged || !this.#letThrough(incoming, this.#legs[ear], now)) this.#legs[ear].pause();
  }

  #letThrough(incoming: Incoming, ear: MediaLeg, now: number): boolean {
    switch (incoming.kind) {
      case 'sound': {
        const { packet, feed, law } = incoming;
        const { sequence, timestamp, payload, marker } = packet;
        const fed = { feed, sequence, timestamp, samples: payload.length };
        if (!ear.sendSound(fed, payload, { law, marker, now })) return false;
        this.#tape?.heard(ear.name, { feed, timestamp, sound: payload, law }, now);
        return true;
      }
      case 'event': {
        const { packet, feed, event } = incoming;
        const { sequence, timestamp, marker } = packet;
        return ear.sendEvent({ feed, sequence, timestamp, samples: 0 }, event, { marker, now });
      }
      case 'quiet':
        return false;
      default: {
        const unreachable: never = incoming;
        return unreachable;
      }
    }
  }

  #sayFrame(
    name: LegName,
    { feed, index, sound, now }: { feed: number; index: number; sound: Uint8Array; now: number },
  ): void {
    const timestamp = index * FRAME_SAMPLES;
    const fed = { feed, sequence: index & 0xffff, timestamp, samples: FRAME_SAMPLES };
    if (!this.#legs[name].sendSound(fed, sound, { law: PCMA, marker: false, now })) return;
    this.#tape?.heard(name, { feed, timestamp, sound, law: PCMA }, now);
  }

  #event(event: SessionEvent): void {
    this.#parts.tell({ type: 'event', id: this.id, event });
  }
}
