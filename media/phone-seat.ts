import { type G711Codec, type MediaSource, SfuError } from './sfu.ts';

/** 127.0.0.0/8, as an address is written. */
const LOOPBACK_ADDRESS = /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/** The seat of somebody who takes part by telephone. Whatever it sends and receives is plain RTP on the loopback. */
export interface PhoneSeatOptions {
  readonly seatId: string;
  /** What the telephone leg speaks, and is sent. */
  readonly codec: G711Codec;
  /** Where the leg listens and sends from (127.0.0.0/8). Packets from anywhere else are not heard. */
  readonly remote: { readonly host: string; readonly port: number };
  /** SSRC of what the leg sends. Packets of another are not heard. */
  readonly ssrc: number;
  /** True: muted from the beginning. */
  readonly paused?: boolean;
  readonly onEvent: (event: PhoneSeatEvent) => void;
}

export type PhoneSeatEvent =
  /** The first sound of the telephone arrived in the room. */
  | { readonly type: 'firstPacket' }
  /**
   * Whose microphone the person on the phone cannot hear, because their device does not send it in G.711 although it was
   * asked to for some seconds: told when it changes, empty when all are heard.
   */
  | { readonly type: 'unheard'; readonly seatIds: readonly string[] }
  /**
   * The seat is gone without its own `close`, and nothing follows. `failed`: what carried its sound broke, and it may be
   * opened again, in a new room when the worker died. `replaced`: a newer seat has its id.
   */
  | { readonly type: 'ended'; readonly reason: 'failed' | 'replaced' | 'room_closed' };

/** Packets of one telephone since it was joined. */
export interface PhoneSeatStatistics {
  readonly fromPhone: number;
  readonly toPhone: number;
  /** Of a wrong sender, malformed, or too late to be heard. */
  readonly dropped: number;
  /** Voices of others that are sent to it. */
  readonly voices: number;
}

export interface PhoneSeat {
  readonly seatId: string;
  readonly codec: G711Codec;
  /**
   * Where the leg is to send the phone's sound, and from where it receives the room's: one port for both, RTCP is neither
   * sent nor read. `ssrc` is that of the room's sound.
   */
  readonly local: { readonly host: string; readonly port: number; readonly ssrc: number };
  readonly closed: boolean;
  /** Mutes the person on the phone for everybody. Of other sources it has none, which is no error. */
  setSourcePaused(source: MediaSource, paused: boolean): Promise<void>;
  /** Null once it is closed. */
  statistics(): Promise<PhoneSeatStatistics | null>;
  /** Ends its track everywhere; afterwards the seat emits nothing. May be called twice. */
  close(): void;
}

/** Throws `invalid_parameters` for what no telephone leg of this machine can be. */
export function checkPhone({ codec, remote, ssrc }: PhoneSeatOptions): void {
  const isPort = Number.isInteger(remote.port) && remote.port > 0 && remote.port <= 0xffff;
  const isSsrc = Number.isInteger(ssrc) && ssrc >= 0 && ssrc <= 0xffff_ffff;
  const isG711 = codec === 0 || codec === 8;
  if (!isPort || !isSsrc || !isG711 || !LOOPBACK_ADDRESS.test(remote.host)) {
    throw new SfuError('invalid_parameters');
  }
}
