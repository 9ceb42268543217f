/** What passes between the server's thread and the one that carries the sound of phone calls. */
import type { LegName, LegRemote, LegStatistics, SessionEvent } from './ports.ts';

export interface LegPlace {
  readonly address: string;
  /** The even one. */
  readonly port: number;
  readonly ssrc: number;
  readonly source: 'signalled' | 'first';
}

export type BothStatistics = Readonly<Record<LegName, LegStatistics>>;

/** Fixed for the life of the thread. */
export interface MediaSettings {
  /** How long after its address was signalled a `first` leg believes anybody. */
  readonly openMs: number;
  readonly silentAfterMs: number;
  /** A leg that has been sent nothing for so long is sent a moment of silence. */
  readonly keepOpenAfterMs: number;
}

export type ToMedia =
  | { readonly type: 'open'; readonly id: number; readonly legs: Readonly<Record<LegName, LegPlace>> }
  | { readonly type: 'remote'; readonly id: number; readonly leg: LegName; readonly remote: LegRemote }
  | { readonly type: 'bridge'; readonly id: number; readonly on: boolean }
  | {
      readonly type: 'say';
      readonly id: number;
      readonly sayId: number;
      readonly leg: LegName;
      readonly sound: Uint8Array;
    }
  | { readonly type: 'stopSaying'; readonly id: number; readonly sayId: number; readonly leg: LegName }
  | { readonly type: 'record'; readonly id: number; readonly tapeId: number | null }
  /** Sound has been put on its tape. */
  | { readonly type: 'taken'; readonly id: number; readonly tapeId: number; readonly bytes: number }
  | { readonly type: 'ask'; readonly id: number; readonly askId: number }
  | { readonly type: 'close'; readonly id: number }
  | { readonly type: 'ping' }
  | { readonly type: 'end' };

export type FromMedia =
  | { readonly type: 'ready' }
  | { readonly type: 'pong' }
  | { readonly type: 'opened'; readonly id: number }
  /** `taken`: another program has one of the ports. */
  | {
      readonly type: 'refused';
      readonly id: number;
      readonly reason: 'taken' | 'failed';
      readonly code: string;
    }
  | { readonly type: 'event'; readonly id: number; readonly event: SessionEvent }
  | { readonly type: 'said'; readonly id: number; readonly sayId: number }
  | {
      readonly type: 'sound';
      readonly id: number;
      readonly tapeId: number;
      readonly samples: Uint8Array<ArrayBuffer>;
      /** Frames of silence that come before. */
      readonly missing: number;
    }
  | {
      readonly type: 'told';
      readonly id: number;
      readonly askId: number;
      readonly statistics: BothStatistics;
    }
  | { readonly type: 'closed'; readonly id: number; readonly statistics: BothStatistics };
