import { vi } from 'vitest';
import { DictationWorld } from './dictating-page.ts';
import { FakeRecorder } from './fake-recorder.ts';

/** A browser without locks: pages of one process would share them, and the dead would keep theirs. */
export function beginFakeBrowser(): void {
  vi.useFakeTimers();
  vi.stubGlobal('MediaRecorder', FakeRecorder);
  vi.stubGlobal('navigator', {});
  FakeRecorder.reset();
}

export function endFakeBrowser(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

export const sound = (length: number, value = 1): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).fill(value);

/** One slice, and what follows from it at once. */
export async function say(length: number, value = 1): Promise<void> {
  await pass(500);
  FakeRecorder.last.say(sound(length, value));
  await pass();
}

/** A device and a server for the test. */
export function startWorld(): DictationWorld {
  const world = new DictationWorld();
  vi.stubGlobal('fetch', world.fetch);
  return world;
}

export const keptSounds = async (world: DictationWorld): Promise<number> =>
  (await world.kept.entries('')).filter(([key]) => key.includes('/sound/')).length;
