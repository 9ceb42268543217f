import { PhoneMixer } from '../phone-mixer/phone-mixer.ts';
import { type RoomListeners, type Sfu, SfuError, type SfuHealth, type SfuRoom } from '../sfu.ts';
import { forwardableCapabilities } from './codecs.ts';
import type { MediaWorker } from './media-worker.ts';
import { MediasoupRoom } from './room.ts';
import { type MediasoupSfuOptions, WORKER_PATIENCE_MS } from './settings.ts';
import { WorkerPool } from './worker-pool.ts';

export type { MediasoupSfuOptions } from './settings.ts';

export interface MediasoupSfu extends Sfu {
  /** The processes of the workers alive now, for tests that kill one and for an operator's eyes. */
  readonly workerPids: readonly number[];
  /** The mixer of telephones, for tests that end its thread and for figures. */
  readonly phoneMixer: PhoneMixer;
}

/**
 * Starts the workers. Rejects when one cannot be started (no such program, port taken): later deaths are
 * healed, a wrong setting is not.
 */
export async function createMediasoupSfu(options: MediasoupSfuOptions): Promise<MediasoupSfu> {
  return new MediasoupSfuAdapter(options, await WorkerPool.open(options));
}

class MediasoupSfuAdapter implements MediasoupSfu {
  readonly capabilities = forwardableCapabilities();
  readonly #options: MediasoupSfuOptions;
  readonly #pool: WorkerPool;
  readonly #rooms = new Set<MediasoupRoom>();
  readonly #mixer: PhoneMixer;

  constructor(options: MediasoupSfuOptions, pool: WorkerPool) {
    this.#options = options;
    this.#mixer = new PhoneMixer(options.logger);
    this.#pool = pool;
  }

  get phoneMixer(): PhoneMixer {
    return this.#mixer;
  }

  get workerPids(): readonly number[] {
    return this.#pool.alive.map((worker) => worker.pid);
  }

  /** A worker that dies under our hands is no reason to refuse: the next one is asked. */
  async openRoom(listeners: RoomListeners): Promise<SfuRoom> {
    const giveUpAt = performance.now() + WORKER_PATIENCE_MS;
    for (;;) {
      const worker = await this.#pool.leastLoaded(giveUpAt);
      try {
        const room = await this.#openRoomOn(worker, listeners);
        this.#rooms.add(room);
        return room;
      } catch (error) {
        if (worker.alive) throw error;
      }
    }
  }

  health(): SfuHealth {
    return {
      workers: this.#pool.size,
      aliveWorkers: this.#pool.alive.length,
      rooms: this.#rooms.size,
      seats: [...this.#rooms].reduce((seats, room) => seats + room.seatCount, 0),
      workerDeaths: this.#pool.deaths,
    };
  }

  async close(): Promise<void> {
    // Rooms first: ended under them, the workers would look as if they had died.
    for (const room of this.#rooms) room.close();
    await Promise.all([this.#pool.close(), this.#mixer.close()]);
  }

  /** Until the room is open its owner hears nothing of it. */
  async #openRoomOn(worker: MediaWorker, listeners: RoomListeners): Promise<MediasoupRoom> {
    const { onClosed, onSpeaker, onTrack } = listeners;
    const router = await worker.openRouter();
    if (router.closed) throw new SfuError('no_worker');
    let opened = false;
    const room: MediasoupRoom = new MediasoupRoom({
      router,
      webRtcServer: worker.webRtcServer,
      settings: this.#options,
      mixer: this.#mixer,
      ...(onSpeaker === undefined ? {} : { onSpeaker }),
      ...(onTrack === undefined ? {} : { onTrack }),
      onClosed: (reason) => {
        this.#rooms.delete(room);
        if (opened) onClosed(reason);
      },
    });
    try {
      await room.listen();
      if (room.closed) throw new SfuError('no_worker');
      opened = true;
      return room;
    } catch (error) {
      room.close();
      throw error;
    }
  }
}
