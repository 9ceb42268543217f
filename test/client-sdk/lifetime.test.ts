import { AppError } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';

const reason = new AppError('DISCONNECTED');

describe('a lifetime', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('[SDK71] ends its waits with the reason, and leaves no timer', async () => {
    const life = new Lifetime();
    const outcomes = Promise.allSettled([
      life.wait(1_000),
      life.within(new Promise(() => {})),
      life.withinTime(new Promise(() => {}), 1_000),
    ]);
    life.end(reason);
    life.end(new AppError('ABORTED'));
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason });
    expect(vi.getTimerCount()).toBe(0);
    await expect(life.wait(1_000)).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK71] ends the lives that came from it, and not the one it came from', () => {
    const parent = new Lifetime();
    const first = parent.child();
    const second = parent.child();
    first.end(reason);
    expect([parent.over, first.over, second.over]).toEqual([false, true, false]);
    parent.end(reason);
    expect(second.endReason).toBe(reason);
    expect(parent.child().endReason).toBe(reason);
  });

  it('[SDK71] a wait ends early by its signal, with ABORTED, or by what wakes it, without an error', async () => {
    const life = new Lifetime();
    const abort = new AbortController();
    const aborted = life.wait(1_000, { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    let wakeUp: () => void = () => {};
    let stopped = 0;
    const woken = life.wait(1_000, {
      wake: (wake) => {
        wakeUp = wake;
        return () => {
          stopped += 1;
        };
      },
    });
    wakeUp();
    await woken;
    expect(stopped).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK71] what takes too long is a TIMEOUT', async () => {
    const late = new Lifetime().withinTime(new Promise(() => {}), 1_000);
    const outcome = expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
  });

  it('[SDK71] keeps no listener of what is settled', async () => {
    const life = new Lifetime();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    await life.within(Promise.resolve(), signal);
    const hanging = life.within(new Promise(() => {}), signal).catch(() => {});
    life.end(reason);
    await hanging;
    expect(add).toHaveBeenCalledTimes(2);
    const removed = new Set(remove.mock.calls.map(([, listener]) => listener));
    for (const [, listener] of add.mock.calls) expect(removed.has(listener)).toBe(true);
  });
});
