/** What the thread of the mixer and its owner say to each other. */
import type { G711Codec } from './g711.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A telephone that is to be joined with a room. All addresses are of the loopback. */
export interface LineSettings {
  readonly lineId: number;
  readonly codec: G711Codec;
  /** From where the phone's sound comes and where the room's goes. */
  readonly remote: Endpoint;
  /** The SSRC of the phone's sound. */
  readonly ssrc: number;
}

/** Where a line was opened. */
export interface LineOpened {
  readonly lineId: number;
  /** Faces the telephone. */
  readonly phone: Endpoint & { readonly ssrc: number };
  /** Faces the room; the SSRC is that of the phone's sound there. */
  readonly room: Endpoint & { readonly ssrc: number };
}

export interface LineStatistics {
  /** Packets from the telephone that went into the room, and packets that went to it. */
  readonly fromPhone: number;
  readonly toPhone: number;
  /** Of a wrong sender, malformed, or too late. */
  readonly dropped: number;
  readonly voices: number;
}

export type ToMixer =
  | { readonly type: 'open'; readonly line: LineSettings }
  /** Where the room listens and sends from; nothing flows before it is known. */
  | { readonly type: 'connect'; readonly lineId: number; readonly room: Endpoint }
  | { readonly type: 'addVoice'; readonly lineId: number; readonly ssrc: number; readonly codec: G711Codec }
  | { readonly type: 'removeVoice'; readonly lineId: number; readonly ssrc: number }
  | { readonly type: 'statistics'; readonly lineId: number; readonly askId: number }
  | { readonly type: 'close'; readonly lineId: number };

export type FromMixer =
  | { readonly type: 'opened'; readonly line: LineOpened }
  | { readonly type: 'refused'; readonly lineId: number }
  /** The first packet of the telephone went into the room. */
  | { readonly type: 'firstPacket'; readonly lineId: number }
  /** A socket of the line broke; the line is closed. */
  | { readonly type: 'failed'; readonly lineId: number }
  | { readonly type: 'statistics'; readonly askId: number; readonly statistics: LineStatistics | null };
