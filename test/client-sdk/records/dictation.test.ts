import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codeOf } from '../helpers/eventually.ts';
import { patient } from '../helpers/samples.ts';
import {
  beginFakeBrowser,
  endFakeBrowser,
  keptSounds,
  pass,
  say,
  sound,
  startWorld,
} from './helpers/dictating.ts';
import { FakeRecorder } from './helpers/fake-recorder.ts';

describe('a dictation', () => {
  beforeEach(beginFakeBrowser);
  afterEach(endFakeBrowser);

  it('[SDK241] is written down on the device, half a second at a time, before anything of it is sent', async () => {
    const world = startWorld();
    const steps: string[] = [];
    const page = world.page({
      fate: (what, moment) => {
        if (moment === 'after' && what !== 'get') steps.push(what);
        return false;
      },
    });
    const dictation = await page.dictate();
    expect(FakeRecorder.last.sliceMs).toBe(500);
    expect(dictation.state).toBe('recording');
    await say(100);
    expect(dictation.keptMs).toBe(500);
    expect(steps.slice(0, 5)).toEqual(['set', 'set', 'dictation.begin', 'set', 'put']);
    expect(dictation.savedMs).toBe(500);
    expect(dictation.recording?.recordingId).toBe(world.server.only.view.recordingId);
    await page.leave('close');
  });

  it('[SDK241] what the device has not written down yet goes nowhere, however long that takes', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(2_000);
    const { promise, resolve: write } = Promise.withResolvers<void>();
    world.disk = promise;
    await say(50);
    await say(50);
    await pass(5_000);
    expect(world.server.only.files[0]?.length).toBe(100);
    expect(dictation.keptMs).toBe(500);
    write();
    await pass(2_000);
    expect(world.server.only.files[0]?.length).toBe(200);
    await page.leave('close');
  });

  it('[SDK242] a last sound that the browser is slow to hand over is part of it', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    FakeRecorder.readingMs = 50;
    FakeRecorder.last.pending = sound(7);
    const finishing = dictation.finish();
    await pass(100);
    await finishing;
    expect(world.server.only.files[0]?.length).toBe(107);
  });

  it('[SDK242] where it goes on is the server’s word: what arrived is not sent again, what did not is', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    world.server.takes = 30;
    await say(100, 1);
    await pass(100);
    world.server.takes = Number.POSITIVE_INFINITY;
    await say(100, 2);
    await pass(3_000);
    expect(world.server.puts.slice(0, 2)).toEqual([
      { file: 0, offset: 0, length: 100 },
      { file: 0, offset: 30, length: 170 },
    ]);
    await page.leave('close');
    const next = world.page();
    await next.shelf.load();
    const finishing = next.dictations[0]?.finish();
    await pass(1_000);
    await finishing;
    expect(dictation.id).toBe(world.server.only.wish.clientDictationId);
    expect(world.server.puts.length).toBe(2);
    expect([...(world.server.only.files[0] ?? [])]).toEqual([...sound(100, 1), ...sound(100, 2)]);
  });

  it('[SDK242] goes to the server once a second while it grows, and at once when it ends', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    for (let n = 0; n < 20; n += 1) await say(100, n);
    expect(world.server.puts.length).toBeGreaterThanOrEqual(9);
    expect(world.server.puts.length).toBeLessThanOrEqual(11);
    FakeRecorder.last.pending = sound(7, 99);
    const finishing = dictation.finish();
    await pass();
    expect(dictation.state).toBe('finished');
    expect((await finishing).state).toBe('ready');
    expect(world.server.only.files[0]?.length).toBe(2_007);
    expect(world.server.only.finished).toEqual([{ byteSize: 2_007, durationMs: 10_000 }]);
    expect(await world.kept.entries('')).toEqual([]);
    expect(page.dictations).toEqual([]);
    expect(page.media.running).toEqual([]);
    await pass(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK243] a pause is no part of it, and keeps what was said before it at once', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(200);
    FakeRecorder.last.pending = sound(40);
    dictation.pause();
    await pass();
    expect(dictation.state).toBe('paused');
    expect(dictation.keptMs).toBe(700);
    await pass(60_000);
    expect(dictation.durationMs).toBe(700);
    dictation.resume();
    expect(dictation.state).toBe('recording');
    await say(100);
    const finishing = dictation.finish();
    await pass();
    await finishing;
    expect(world.server.only.finished).toEqual([{ byteSize: 240, durationMs: 1_200 }]);
  });

  it('[SDK249] one that is thrown away leaves nothing, here or on the server, also after a reload in the middle', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    page.signalling.connected = false;
    const discarding = dictation.discard();
    await pass();
    expect(page.dictations).toEqual([]);
    expect(page.media.running).toEqual([]);
    expect(await keptSounds(world)).toBe(0);
    expect(world.server.dictations.size).toBe(1);
    expect(await codeOf(dictation.finish())).toBe('WRONG_STATE');
    await page.leave('close');
    await codeOf(discarding);
    const next = world.page();
    await next.shelf.load();
    expect(next.dictations).toEqual([]);
    await pass(1_000);
    expect(world.server.dictations.size).toBe(0);
    expect(await world.kept.entries('')).toEqual([]);
  });

  it('[SDK249] one that has heard nothing yet is gone without the server', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    expect(await codeOf(dictation.finish())).toBe('WRONG_STATE');
    await dictation.discard();
    expect(world.server.dictations.size).toBe(0);
    expect(await world.kept.entries('')).toEqual([]);
  });

  it('[SDK257] closing the client keeps what was said last, and frees the microphone', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    FakeRecorder.last.pending = sound(30);
    await page.leave('close');
    expect(dictation.state).toBe('interrupted');
    expect(page.media.running).toEqual([]);
    const next = world.page();
    await next.shelf.load();
    expect(next.dictations[0]).toMatchObject({ state: 'interrupted', id: dictation.id, keptMs: 500 });
    expect((await next.dictations[0]?.blobs())?.map(({ size, type }) => [size, type])).toEqual([
      [130, 'audio/webm;codecs=opus'],
    ]);
    await next.leave('close');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK258] forgetting ends a dictation that runs, and another person of the device finds none', async () => {
    const world = startWorld();
    const page = world.page();
    await page.dictate();
    await say(100);
    const other = world.page({ person: patient });
    await other.shelf.load();
    expect(other.dictations).toEqual([]);
    await page.leave('forget');
    expect(page.dictations).toEqual([]);
    expect(page.media.running).toEqual([]);
    await world.kept.clear();
    await pass(5_000);
    expect(await world.kept.entries('')).toEqual([]);
  });

  it('[SDK260] ends by itself after two hours, and is not lost', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(2 * 3_600_000);
    await say(100);
    await pass();
    expect(dictation.state).toBe('paused');
    expect(dictation.error?.code).toBe('TOO_LARGE');
    expect(await codeOf(dictation.continue())).toBe('TOO_LARGE');
    await page.leave('close');
  });

  it('[SDK261] tells how loud it is several times a second, and stops telling when it ends', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    const levels: number[] = [];
    dictation.on('level', (level) => levels.push(level));
    await pass(1_000);
    expect(levels.length).toBe(8);
    await page.leave('close');
    await pass(1_000);
    expect(levels.length).toBe(8);
  });

  it('[SDK262] dictations of every consultation that a page left are brought to the server, whichever is opened', async () => {
    const world = startWorld();
    const page = world.page();
    page.signalling.connected = false;
    await page.dictate();
    await say(100);
    await page.leave('close');
    expect(world.server.dictations.size).toBe(0);
    const next = world.page();
    await next.shelf.load();
    await pass(1_000);
    expect(world.server.only.files[0]?.length).toBe(100);
    // It may still be continued, so nobody has said that this is all.
    expect(world.server.only.finished).toBeNull();
    expect(next.dictations[0]?.state).toBe('interrupted');
    expect(next.dictations[0]?.savedMs).toBe(500);
  });
});
