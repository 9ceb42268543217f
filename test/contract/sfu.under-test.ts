import { expect } from 'vitest';
import type { Sfu, SfuRoom } from '../../media/index.ts';

export interface SfuUnderTest extends AsyncDisposable {
  readonly sfu: Sfu;
  /** One of the workers ends as if its process had crashed. */
  readonly killOneWorker: () => void;
  /** How many of the processes that the SFU ever started are still there. */
  readonly processesLeft: () => Promise<number>;
  /** Whether a seat's microphone in G.711 is muted; null while there is none. */
  readonly isSecondPaused: (room: SfuRoom, seatId: string) => boolean | null;
}

export type OpenSfu = (options: { workers: number }) => Promise<SfuUnderTest>;

export const refusal = (reason: string) => expect.objectContaining({ name: 'SfuError', reason });
