import { AppError } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../../client-sdk/events.ts';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { pathOf } from '../../client-sdk/media-path.ts';
import type { NetworkNews } from '../../client-sdk/network-hints.ts';
import { type PathRecoveryOptions, recoverPath } from '../../client-sdk/path-recovery.ts';
import { defaultReconnectPolicy } from '../../client-sdk/reconnect-policy.ts';
import type { ReconnectPolicy, RetryContext } from '../../client-sdk/resume-api.ts';

/** A path and a connection that a test breaks and mends. */
class FakePath {
  readonly life = new Lifetime();
  readonly restarts: number[] = [];
  interrupted = true;
  probes = 0;
  /** What happens when ICE is restarted. */
  onRestart: () => Promise<void> = () => Promise.resolve();
  policy: ReconnectPolicy = defaultReconnectPolicy;
  #connected = Promise.resolve();
  readonly #listeners = new Set<() => void>();
  readonly #events = new Emitter<{ connected: undefined; network: NetworkNews }>();

  recover({ atOnce = false } = {}): Promise<boolean> {
    const signalling: PathRecoveryOptions['signalling'] = {
      reconnect: this.policy,
      probe: () => {
        this.probes += 1;
      },
      untilConnected: (life) => life.within(this.#connected),
      onConnected: (listener) => this.#events.on('connected', listener),
      onNetwork: (listener) => this.#events.on('network', listener),
    };
    return recoverPath({
      signalling,
      life: this.life,
      atOnce,
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
    return () => {
      resolve();
      this.#events.emit('connected', undefined);
    };
  }

  tell(news: NetworkNews): void {
    this.#events.emit('network', news);
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
    expect(path.restarts).toEqual([300, 5_300, 11_300]);
    expect(path.probes).toBe(1);
  });

  it('[SDK63] a restart that works ends the recovery as soon as the path is back', async () => {
    const path = new FakePath();
    path.onRestart = async () => {
      if (path.restarts.length === 2) setTimeout(() => path.mend(), 700);
    };
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(5_999);
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
    expect(path.restarts).toEqual([300, 1_300, 3_300]);
    path.onRestart = () => Promise.reject(new AppError('NOT_FOUND'));
    const refused = path.recover().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await refused).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[SDK224] reconnectHint, the network coming back or a new connection ends a wait before a restart at once', async () => {
    for (const wake of ['back', 'changed', 'connected'] as const) {
      const path = new FakePath();
      path.policy = { ...defaultReconnectPolicy, iceRestartDelayMs: () => 60_000 };
      path.onRestart = async () => path.mend();
      const recovered = path.recover();
      await vi.advanceTimersByTimeAsync(100);
      expect(path.restarts).toEqual([]);
      const at = Date.now();
      if (wake === 'connected') path.disconnect()();
      else path.tell(wake);
      await vi.advanceTimersByTimeAsync(1);
      expect(path.restarts).toEqual([at]);
      expect(await recovered).toBe(true);
    }
  });

  it('[SDK224] the network going away hurries nothing', async () => {
    const path = new FakePath();
    path.policy = { ...defaultReconnectPolicy, iceRestartDelayMs: () => 60_000 };
    const recovered = path.recover().catch(() => 'ended');
    await vi.advanceTimersByTimeAsync(100);
    path.tell('gone');
    await vi.advanceTimersByTimeAsync(100);
    expect(path.restarts).toEqual([]);
    path.life.end(new AppError('ABORTED'));
    expect(await recovered).toBe('ended');
  });

  it('[SDK223] when the network changes, what was tried in the former one neither counts nor is waited for', async () => {
    const path = new FakePath();
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(11_300);
    expect(path.restarts.length).toBe(3);
    path.tell('changed');
    await vi.advanceTimersByTimeAsync(1);
    expect(path.restarts.length).toBe(4);
    // The new network has three restarts of its own.
    path.onRestart = async () => {
      if (path.restarts.length === 6) path.mend();
    };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(path.restarts.length).toBe(6);
    expect(await recovered).toBe(true);
  });

  it('[SDK223] in a network known to be another one the first restart waits for nothing', async () => {
    const path = new FakePath();
    path.onRestart = async () => path.mend();
    const recovered = path.recover({ atOnce: true });
    await vi.advanceTimersByTimeAsync(1);
    expect(path.restarts).toEqual([0]);
    expect(await recovered).toBe(true);
  });

  it('[SDK225] a restart whose connection was lost is no attempt, and follows the next connection at once', async () => {
    const path = new FakePath();
    const lost = [1, 2, 3, 4, 5];
    path.onRestart = async () => {
      if (lost.pop() !== undefined) throw new AppError('DISCONNECTED');
      path.mend();
    };
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(300 + 5 * 100);
    expect(await recovered).toBe(true);
    expect(path.restarts.length).toBe(6);
  });

  it('[SDK220] the policy of the app decides, knows the error and the time since the loss, and gives restarting up', async () => {
    const path = new FakePath();
    const contexts: RetryContext[] = [];
    path.policy = {
      ...defaultReconnectPolicy,
      iceRestartDelayMs: (context) => {
        contexts.push(context);
        return context.attempt > 2 ? null : 200;
      },
    };
    path.onRestart = () => Promise.reject(new AppError('TIMEOUT'));
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await recovered).toBe(false);
    expect(path.restarts).toEqual([200, 400]);
    expect(contexts.map(({ attempt, error }) => [attempt, error?.code])).toEqual([
      [1, undefined],
      [2, 'TIMEOUT'],
      [3, 'TIMEOUT'],
    ]);
  });

  it('[SDK221] what the server asked for is waited out, whatever hints come', async () => {
    const path = new FakePath();
    path.onRestart = async () => {
      if (path.restarts.length === 1) throw new AppError('OVERLOADED', { retryAfterMs: 3_000 });
      path.mend();
    };
    const recovered = path.recover();
    await vi.advanceTimersByTimeAsync(1_000);
    path.tell('back');
    await vi.advanceTimersByTimeAsync(2_200);
    expect(path.restarts.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(path.restarts.length).toBe(2);
    expect(await recovered).toBe(true);
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
