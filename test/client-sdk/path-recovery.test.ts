import { AppError } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { pathOf } from '../../client-sdk/media-session.ts';
import { recoverPath } from '../../client-sdk/path-recovery.ts';
import type { Signalling } from '../../client-sdk/requests.ts';

/** A path and a connection that a test breaks and mends. */
class FakePath {
  readonly life = new Lifetime();
  readonly restarts: number[] = [];
  interrupted = true;
  probes = 0;
  /** What happens when ICE is restarted. */
  onRestart: () => Promise<void> = () => Promise.resolve();
  #connected = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  recover(): Promise<boolean> {
    const signalling: Pick<Signalling, 'probe' | 'untilConnected'> = {
      probe: () => {
        this.probes += 1;
      },
      untilConnected: (life) => life.within(this.#connected),
    };
    return recoverPath({
      signalling,
      life: this.life,
      isInterrupted: () => this.interrupted,
      onPathChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      restartIce: () => {
        this.restarts.push(Date.now());
        return this.onRestart();
      },
    });
  }

  disconnect(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connected = promise;
    return resolve;
  }

  mend(): void {
    this.interrupted = false;
    for (const listener of this.#listeners) listener();
  }
}

describe('the recovery of a media path', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(0);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('[SDK64] after three restarts in vain the media has to be built anew', async () => {
    const path = new FakePath();
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await recovered).toBe(false);
    expect(path.restarts).toEqual([500, 5_500, 11_500]);
    expect(path.probes).toBe(1);
  });

  it('[SDK63] a restart that works ends the recovery as soon as the path is back', async () => {
    const path = new FakePath();
    path.onRestart = async () => {
      if (path.restarts.length === 2) setTimeout(() => path.mend(), 700);
    };
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(6_199);
    expect(path.interrupted).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(await recovered).toBe(true);
    expect(path.restarts.length).toBe(2);
  });

  it('[SDK63] while there is no connection to the server nothing counts as a failure', async () => {
    const path = new FakePath();
    const connect = path.disconnect();
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(path.restarts).toEqual([]);
    path.onRestart = async () => path.mend();
    connect();
    await vi.advanceTimersByTimeAsync(1);
    expect(await recovered).toBe(true);
    expect(path.restarts.length).toBe(1);
  });

  it('[SDK64] a restart that fails for now counts, one that the server refuses is the end', async () => {
    const path = new FakePath();
    path.onRestart = () => Promise.reject(new AppError('TIMEOUT'));
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await recovered).toBe(false);
    expect(path.restarts).toEqual([500, 1_500, 3_500]);
    path.onRestart = () => Promise.reject(new AppError('NOT_FOUND'));
    const refused = path.recover().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await refused).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[SDK71] the end of the call ends the recovery and leaves no timer', async () => {
    const path = new FakePath();
    const recovered = path.recover().catch((error: unknown) => error);
    path.life.end(new AppError('ABORTED'));
    expect(await recovered).toMatchObject({ code: 'ABORTED' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the state of a media path', () => {
  it.each([
    ['connecting', [], 'connecting'],
    ['connecting', ['new', 'new'], 'connecting'],
    ['connecting', ['connecting', 'new'], 'connecting'],
    ['connecting', ['connected', 'new'], 'connected'],
    ['connected', ['connected', 'connecting'], 'connected'],
    ['connected', ['connected', 'disconnected'], 'interrupted'],
    ['connected', ['failed', 'connected'], 'interrupted'],
    ['interrupted', ['connecting', 'connected'], 'interrupted'],
    ['interrupted', ['connected', 'connected'], 'connected'],
    ['interrupted', ['connected', 'new'], 'connected'],
  ] as const)('[SDK63] %s and %j is %s', (before, states, path) => {
    expect(pathOf(before, states)).toBe(path);
  });
});
