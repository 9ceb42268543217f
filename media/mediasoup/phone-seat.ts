import type { types } from 'mediasoup';
import { MixerError, type MixerLine, type PhoneMixer } from '../phone-mixer/phone-mixer.ts';
import { LEVEL_EXTENSION_ID } from '../phone-mixer/phone-sound.ts';
import {
  checkPhone,
  type PhoneSeat,
  type PhoneSeatEvent,
  type PhoneSeatOptions,
  type PhoneSeatStatistics,
} from '../phone-seat.ts';
import { type G711Codec, type MediaSource, type RoomCloseReason, SfuError } from '../sfu.ts';
import { UnheardVoices } from '../unheard-voices.ts';
import { g711Codec } from './codecs.ts';
import { explained } from './errors.ts';
import type { Track } from './incoming-tracks.ts';
import { LOOPBACK, PLAIN_LISTEN_INFO } from './loopback.ts';
import { PhoneHearing } from './phone-hearing.ts';
import type { RoomSeat, SeatRoom } from './seat.ts';

const LEVEL_EXTENSION = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

export interface MediasoupPhoneSeatOptions extends PhoneSeatOptions {
  readonly room: SeatRoom;
  readonly mixer: PhoneMixer;
}

interface Works {
  readonly line: MixerLine;
  readonly transport: types.PlainTransport;
  readonly track: Track;
}

/** A telephone in the room: one track of it, one transport on the loopback, and a line of the mixer that joins them with the leg. */
export class MediasoupPhoneSeat implements PhoneSeat, RoomSeat {
  readonly seatId: string;
  readonly codec: G711Codec;
  /** Whatever is in G.711 is heard, whoever sends it. Devices' other tracks mean nothing to a telephone. */
  readonly ears: PhoneHearing;
  readonly local: PhoneSeat['local'];
  readonly #room: SeatRoom;
  readonly #onEvent: (event: PhoneSeatEvent) => void;
  readonly #works: Works;
  readonly #unheard: UnheardVoices;
  /** Before that whoever opens it is answered with what went wrong. */
  #hasJoined = false;
  #closed = false;

  /** Opens everything; it takes part once it has joined. */
  static async open(options: MediasoupPhoneSeatOptions): Promise<MediasoupPhoneSeat> {
    const { codec, remote, ssrc, mixer, room } = options;
    checkPhone(options);
    // Nothing happens to a seat before its opening is answered.
    let seat: MediasoupPhoneSeat | null = null;
    const line = await openLine(mixer, {
      codec,
      remote: { host: remote.host, port: remote.port },
      ssrc,
      onFirstPacket: () => seat?.tell({ type: 'firstPacket' }),
      onFailed: () => seat?.failed(),
    });
    let transport: types.PlainTransport | null = null;
    try {
      transport = await room.router.createPlainTransport({
        listenInfo: PLAIN_LISTEN_INFO,
        rtcpMux: true,
        comedia: false,
      });
      await transport.connect({ ip: LOOPBACK, port: line.opened.room.port });
      const track = await openTrack(transport, options, line);
      seat = new MediasoupPhoneSeat(options, { line, transport, track });
      return seat;
    } catch (error) {
      transport?.close();
      line.close();
      throw error;
    }
  }

  private constructor(options: MediasoupPhoneSeatOptions, works: Works) {
    this.seatId = options.seatId;
    this.codec = options.codec;
    this.#room = options.room;
    this.#onEvent = options.onEvent;
    this.#works = works;
    const { router, settings } = options.room;
    this.ears = new PhoneHearing({ router, settings, transport: works.transport, line: works.line });
    this.local = works.line.opened.phone;
    this.#unheard = new UnheardVoices({
      current: () => this.#unheardNow(),
      onChange: (seatIds) => this.tell({ type: 'unheard', seatIds }),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get sentTracks(): readonly Track[] {
    return [this.#works.track];
  }

  get voice(): Track {
    return this.#works.track;
  }

  /** It hears of the tracks that it can use by `ears`, and of mutes by their silence. */
  get incoming(): RoomSeat['incoming'] {
    return {
      announce: (track) =>
        g711Codec(track.rtpParameters.codecs[0]?.mimeType) === null ? DONE : this.ears.announce(track),
      trackPaused: () => undefined,
      trackEnded: (track) => this.ears.trackEnded(track),
    };
  }

  sentTrack(source: MediaSource): Track | undefined {
    return source === 'microphone' ? this.#works.track : undefined;
  }

  /** Called once by the room, when it is among the seats. */
  async join(): Promise<void> {
    const { line, transport, track } = this.#works;
    const others = this.#room.seatsBut(this);
    this.#room.trackBegan(track);
    await Promise.all([
      this.#beHeard(),
      ...others.map((seat) => seat.incoming.announce(track)),
      ...others.map(({ voice }) => (voice === null ? DONE : this.ears.announce(voice))),
    ]);
    line.connect({ host: LOOPBACK, port: transport.tuple.localPort });
    this.#room.voicesChanged();
    this.#hasJoined = true;
  }

  lookForUnheard(): void {
    this.#unheard.look();
  }

  setSourcePaused(source: MediaSource, paused: boolean): Promise<void> {
    return this.#room.serially(async () => {
      this.#assertOpen();
      const { track } = this.#works;
      if (source !== 'microphone' || track.paused === paused) return;
      try {
        await (paused ? track.pause() : track.resume());
      } catch (error) {
        throw explained(error, { roomClosed: this.#room.closed, seatClosed: this.#closed });
      }
      this.#assertOpen();
      if (paused) this.#room.floor?.ended(this.seatId);
      for (const seat of this.#room.seatsBut(this)) seat.incoming.trackPaused(track, paused);
      this.#room.trackPaused(track);
    });
  }

  async statistics(): Promise<PhoneSeatStatistics | null> {
    return this.#closed ? null : this.#works.line.statistics();
  }

  close(): void {
    if (this.#closed) return;
    const { track } = this.#works;
    this.#end();
    this.#room.floor?.ended(this.seatId);
    for (const seat of this.#room.seatsBut(this)) seat.incoming.trackEnded(track);
    this.#room.trackEnded(track);
    this.#works.transport.close();
    this.#room.seatClosed(this);
  }

  /** A newer seat has the id. */
  replaced(): void {
    this.#gone('replaced');
  }

  /** The mixer carries its sound no more. */
  failed(): void {
    this.#gone('failed');
  }

  /** The room is gone, and the transport with it. */
  roomClosed(reason: RoomCloseReason): void {
    if (this.#closed) return;
    this.#end();
    this.#say({ type: 'ended', reason: reason === 'worker_died' ? 'failed' : 'room_closed' });
  }

  tell(event: PhoneSeatEvent): void {
    if (!this.#closed) this.#say(event);
  }

  #gone(reason: 'failed' | 'replaced'): void {
    if (this.#closed) return;
    this.close();
    this.#say({ type: 'ended', reason });
  }

  #end(): void {
    this.#closed = true;
    this.#unheard.close();
    this.ears.end();
    this.#works.line.close();
  }

  /** Who speaks is nice to know and no reason to turn a telephone away. */
  async #beHeard(): Promise<void> {
    try {
      await this.#room.floor?.listen(this.#works.track);
    } catch (error) {
      if (this.#closed || this.#room.closed) return;
      const room = this.#room.router.id;
      this.#room.settings.logger.warn('speaker.unheard', { room, cause: String(error) });
    }
  }

  #unheardNow(): readonly string[] {
    return this.#room
      .seatsBut(this)
      .filter((seat) => seat.sentTrack('microphone') !== undefined && !this.#hears(seat.voice))
      .map(({ seatId }) => seatId);
  }

  #hears(voice: Track | null): boolean {
    return voice !== null && this.ears.hears(voice);
  }

  #say(event: PhoneSeatEvent): void {
    if (!this.#hasJoined) return;
    try {
      this.#onEvent(event);
    } catch (error) {
      const room = this.#room.router.id;
      this.#room.settings.logger.error('listener.failed', { room, event: event.type, cause: String(error) });
    }
  }

  #assertOpen(): void {
    if (this.#room.closed) throw new SfuError('room_closed');
    if (this.#closed) throw new SfuError('seat_closed');
  }
}

const DONE = Promise.resolve();

async function openLine(mixer: PhoneMixer, options: Parameters<PhoneMixer['open']>[0]): Promise<MixerLine> {
  try {
    return await mixer.open(options);
  } catch (cause) {
    if (cause instanceof MixerError) throw new SfuError('no_worker', { cause });
    throw cause;
  }
}

/** The mixer writes its own SSRC, which mediasoup must know beforehand, and how loud it is, which observers of speakers need. */
function openTrack(
  transport: types.PlainTransport,
  { seatId, codec, paused = false }: PhoneSeatOptions,
  { opened }: MixerLine,
): Promise<Track> {
  const mimeType = codec === 8 ? 'audio/PCMA' : 'audio/PCMU';
  return transport.produce({
    kind: 'audio',
    paused,
    rtpParameters: {
      codecs: [{ mimeType, payloadType: codec, clockRate: 8_000 }],
      headerExtensions: [{ uri: LEVEL_EXTENSION, id: LEVEL_EXTENSION_ID }],
      encodings: [{ ssrc: opened.room.ssrc }],
    },
    appData: { source: 'microphone' as const, from: seatId },
  });
}
