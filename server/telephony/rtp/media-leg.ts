/** One side of a call in the media thread: what of its datagrams is believed, and how what it hears leaves. */

import { DigitReader, readTelephoneEvent, type TelephoneEvent } from './digit-reader.ts';
import { A_LAW_SILENCE, copySound, PCMA, PCMU } from './g711.ts';
import { IncomingStream } from './incoming-stream.ts';
import { type Fed, OutgoingStream } from './outgoing-stream.ts';
import { PacketBudget } from './packet-budget.ts';
import type { G711, LegName, LegRemote, LegStatistics } from './ports.ts';
import { isRtcp, PAYLOAD_AT, type RtpPacket, readRtp, startRtp } from './rtp-packet.ts';
import { SourceGate } from './source-gate.ts';
import { FRAME_SAMPLES } from './speaker.ts';

/** Comfort noise (RFC 3389): a description of silence, which is left out. */
const COMFORT_NOISE = 13;
/** Sent so that the way to a leg stays open (RFC 6263 §4.2). */
const SILENT_FRAME = new Uint8Array(FRAME_SAMPLES).fill(A_LAW_SILENCE);
/** Streams that arrive are counted from one upwards, announcements downwards. */
const KEEPING_OPEN = 0;
/** 120 ms: no telephone puts more into a packet. */
const MOST_SAMPLES = 960;

export interface LegSetup {
  readonly source: 'signalled' | 'first';
  readonly ssrc: number;
  readonly openMs: number;
  readonly silentAfterMs: number;
  readonly keepOpenAfterMs: number;
}

/** What a leg lets in. */
export type Incoming =
  | { readonly kind: 'sound'; readonly packet: RtpPacket; readonly feed: number; readonly law: G711 }
  | {
      readonly kind: 'event';
      readonly packet: RtpPacket;
      readonly feed: number;
      readonly event: TelephoneEvent;
    }
  /** Nothing that is heard. */
  | { readonly kind: 'quiet' };

export interface LegEvents {
  digit(leg: LegName, digit: string): void;
  firstPacket(leg: LegName): void;
  silent(leg: LegName, ms: number): void;
}

export class MediaLeg {
  readonly name: LegName;
  readonly #events: LegEvents;
  readonly #silentAfterMs: number;
  readonly #keepOpenAfterMs: number;
  readonly #send: (packet: Buffer, port: number, host: string) => void;
  readonly #gate: SourceGate;
  readonly #budget = new PacketBudget();
  readonly #incoming = new IncomingStream();
  readonly #outgoing: OutgoingStream;
  readonly #digits: DigitReader;
  #remote: LegRemote | null = null;
  #feed = 0;
  /** When it was last heard, or when listening began. */
  #heardAt = 0;
  /** When something was sent to it last, or when it began to listen. */
  #sentAt = 0;
  #isSilent = false;
  #packetsIn = 0;
  #packetsOut = 0;
  #dropped = 0;

  constructor(
    name: LegName,
    setup: LegSetup,
    parts: { events: LegEvents; send: (packet: Buffer, port: number, host: string) => void },
  ) {
    this.name = name;
    this.#events = parts.events;
    this.#send = parts.send;
    this.#silentAfterMs = setup.silentAfterMs;
    this.#keepOpenAfterMs = setup.keepOpenAfterMs;
    this.#gate = new SourceGate(setup.source, setup.openMs);
    this.#outgoing = new OutgoingStream(setup.ssrc);
    this.#digits = new DigitReader((digit) => parts.events.digit(name, digit));
  }

  get statistics(): LegStatistics {
    return {
      packetsIn: this.#packetsIn,
      packetsOut: this.#packetsOut,
      dropped: this.#dropped,
      lost: this.#incoming.lost,
    };
  }

  /** Whether what is meant for it leaves now: it has said where it listens, and does not hold. */
  get hears(): boolean {
    const direction = this.#remote?.direction;
    return direction === 'both' || direction === 'send';
  }

  /** Which law it is sent. */
  get law(): G711 {
    return this.#remote?.codec ?? PCMA;
  }

  get #speaks(): boolean {
    const direction = this.#remote?.direction;
    return direction === 'both' || direction === 'receive';
  }

  setRemote(remote: LegRemote, now: number): void {
    const spoke = this.#speaks;
    if (!this.hears) this.#sentAt = now;
    this.#remote = remote;
    this.#gate.signal(remote, now);
    if (spoke || !this.#speaks) return;
    this.#heardAt = now;
    this.#isSilent = false;
  }

  /** Reads a datagram. Null: not believed, or nothing for others. `ownSsrcs`: a packet of ours that comes back is a loop. */
  receive(
    datagram: Buffer,
    from: { address: string; port: number },
    { now, ownSsrcs }: { now: number; ownSsrcs: readonly number[] },
  ): Incoming | null {
    if (isRtcp(datagram)) return null;
    const incoming = this.#believed(datagram, from, { now, ownSsrcs });
    if (incoming === null) {
      this.#dropped += 1;
      return null;
    }
    this.#packetsIn += 1;
    this.#heardAt = now;
    this.#isSilent = false;
    if (this.#packetsIn === 1) this.#events.firstPacket(this.name);
    if (incoming.kind === 'event') this.#digits.handle(incoming.event, incoming.packet.timestamp, now);
    return incoming;
  }

  /** Sends sound of either law; whether it left. */
  sendSound(
    fed: Fed,
    sound: Uint8Array,
    { law, marker, now }: { law: G711; marker: boolean; now: number },
  ): boolean {
    const placed = this.hears ? this.#outgoing.place(fed, now) : null;
    if (placed === null) return false;
    const { sequence, timestamp } = placed;
    const header = { payloadType: this.law, sequence, timestamp, ssrc: this.#outgoing.ssrc };
    const packet = startRtp({ ...header, marker: marker || placed.isFirst }, sound.length);
    copySound(sound, { from: law, to: this.law, target: packet, at: PAYLOAD_AT });
    return this.#leave(packet, now);
  }

  /** Sends a digit's event, where it knows them; whether it left. */
  sendEvent(fed: Fed, event: TelephoneEvent, { marker, now }: { marker: boolean; now: number }): boolean {
    const payloadType = this.#remote?.telephoneEvent ?? null;
    const placed = this.hears && payloadType !== null ? this.#outgoing.place(fed, now) : null;
    if (placed === null || payloadType === null) return false;
    const { sequence, timestamp } = placed;
    const header = { payloadType, sequence, timestamp, ssrc: this.#outgoing.ssrc };
    const packet = startRtp({ ...header, marker: marker || placed.isFirst }, 4);
    packet[PAYLOAD_AT] = event.code;
    packet[PAYLOAD_AT + 1] = (event.ended ? 0x80 : 0) | event.volume;
    packet.writeUInt16BE(event.duration, PAYLOAD_AT + 2);
    return this.#leave(packet, now);
  }

  /** Something meant for it was left out. */
  pause(): void {
    this.#outgoing.pause();
  }

  tick(now: number): void {
    this.#digits.tick(now);
    if (this.hears && now - this.#sentAt >= this.#keepOpenAfterMs) this.#keepOpen(now);
    if (!this.#speaks || this.#isSilent || now - this.#heardAt < this.#silentAfterMs) return;
    this.#isSilent = true;
    this.#events.silent(this.name, Math.round(now - this.#heardAt));
  }

  #keepOpen(now: number): void {
    this.pause();
    const fed = { feed: KEEPING_OPEN, sequence: 0, timestamp: 0, samples: SILENT_FRAME.length };
    this.sendSound(fed, SILENT_FRAME, { law: PCMA, marker: false, now });
    this.pause();
  }

  #believed(
    datagram: Buffer,
    from: { address: string; port: number },
    { now, ownSsrcs }: { now: number; ownSsrcs: readonly number[] },
  ): Incoming | null {
    if (!this.#speaks) return null;
    const packet = readRtp(datagram);
    if (packet === null || ownSsrcs.includes(packet.ssrc)) return null;
    const content = this.#contentOf(packet);
    if (content === null || !this.#gate.accepts(from.address, from.port, now)) return null;
    if (!this.#budget.take(now)) return null;
    const feed = this.#incoming.accept(packet.ssrc, packet.sequence);
    if (feed === null) return null;
    if (feed !== this.#feed) this.#digits.reset(now);
    this.#feed = feed;
    return content.kind === 'quiet' ? content : { ...content, packet, feed };
  }

  #contentOf(
    packet: RtpPacket,
  ): { kind: 'sound'; law: G711 } | { kind: 'event'; event: TelephoneEvent } | { kind: 'quiet' } | null {
    switch (packet.payloadType) {
      case PCMA:
      case PCMU:
        return packet.payload.length > MOST_SAMPLES ? null : { kind: 'sound', law: packet.payloadType };
      case COMFORT_NOISE:
        return { kind: 'quiet' };
      default: {
        if (packet.payloadType !== this.#remote?.telephoneEvent) return null;
        const event = readTelephoneEvent(packet.payload);
        return event === null ? { kind: 'quiet' } : { kind: 'event', event };
      }
    }
  }

  #leave(packet: Buffer, now: number): boolean {
    const to = this.#gate.destination;
    if (to === null) return false;
    this.#send(packet, to.port, to.host);
    this.#packetsOut += 1;
    this.#sentAt = now;
    return true;
  }
}
