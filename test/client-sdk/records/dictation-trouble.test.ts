import { AppError } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codeOf } from '../helpers/eventually.ts';
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

const MIB = 1024 * 1024;
const FULL = { name: 'QuotaExceededError' };

describe('a dictation in trouble', () => {
  beforeEach(beginFakeBrowser);
  afterEach(endFakeBrowser);

  it('[SDK244] a microphone that is taken away pauses it, and it goes on with another in a further file', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100, 1);
    FakeRecorder.last.pending = sound(30, 2);
    page.media.tracks[0]?.remoteStop();
    await pass();
    expect(dictation.state).toBe('paused');
    expect(dictation.error?.code).toBe('DEVICE_UNAVAILABLE');
    await pass(2_000);
    expect(world.server.only.files[0]?.length).toBe(130);
    dictation.resume();
    await pass();
    expect(dictation.state).toBe('recording');
    expect(dictation.error).toBeNull();
    await say(50, 3);
    const finishing = dictation.finish();
    await pass();
    await finishing;
    expect(world.server.only.files.map(({ length }) => length)).toEqual([130, 50]);
    expect(page.media.running).toEqual([]);
  });

  it('[SDK244] a recorder that fails pauses it, too', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    FakeRecorder.last.fail();
    await pass();
    expect(dictation.state).toBe('paused');
    expect(await codeOf(dictation.continue())).toBe('resolved');
    expect(dictation.state).toBe('recording');
    await page.leave('close');
  });

  it('[SDK245] without room on the device it says so, goes to the server from memory, and is kept again once there is room', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100, 1);
    world.keeping = FULL;
    await say(100, 2);
    await say(100, 3);
    expect(dictation.state).toBe('recording');
    expect(dictation.error?.code).toBe('STORAGE_FULL');
    expect(dictation.keptMs).toBe(500);
    await pass(1_000);
    expect(world.server.only.files[0]?.length).toBe(300);
    world.keeping = null;
    await say(100, 4);
    expect(dictation.error).toBeNull();
    expect(dictation.keptMs).toBe(dictation.durationMs);
    const [blob] = await dictation.blobs();
    expect(blob?.size).toBe(400);
    const finishing = dictation.finish();
    await pass();
    await finishing;
    expect([...(world.server.only.files[0] ?? [])]).toEqual([1, 2, 3, 4].flatMap((n) => [...sound(100, n)]));
  });

  it('[SDK245] with neither room nor connection it stops before memory is full, and nothing of it is lost', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    page.signalling.connected = false;
    world.keeping = FULL;
    for (let n = 0; n < 8; n += 1) await say(MIB);
    expect(dictation.state).toBe('recording');
    await say(MIB);
    expect(dictation.state).toBe('paused');
    expect(dictation.error?.code).toBe('STORAGE_FULL');
    const finishing = dictation.finish();
    await pass();
    page.signalling.comeBack();
    await pass(60_000);
    await finishing;
    expect(world.server.only.files[0]?.length).toBe(9 * MIB + 100);
    expect(Math.max(...world.server.puts.map(({ length }) => length))).toBe(MIB);
  });

  it('[SDK245] with a connection but without room it goes on for as long as it likes', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    world.keeping = FULL;
    for (let n = 0; n < 24; n += 1) {
      await say(MIB, n);
      await pass(1_000);
    }
    expect(dictation.state).toBe('recording');
    const finishing = dictation.finish();
    await pass(10_000);
    await finishing;
    expect(world.server.only.files[0]?.length).toBe(24 * MIB);
  });

  it('[SDK246] a device without any room refuses to begin, and frees the microphone', async () => {
    const world = startWorld();
    const page = world.page();
    world.keeping = FULL;
    expect(await codeOf(page.dictate())).toBe('STORAGE_FULL');
    vi.stubGlobal('navigator', {
      storage: { estimate: async () => ({ quota: 10 * MIB, usage: 9.5 * MIB }) },
    });
    world.keeping = null;
    expect(await codeOf(page.dictate())).toBe('STORAGE_FULL');
    vi.stubGlobal('navigator', {});
    expect(page.media.running).toEqual([]);
    expect(await codeOf(page.dictate())).toBe('resolved');
    expect(await codeOf(page.dictate())).toBe('WRONG_STATE');
    await page.leave('close');
  });

  it('[SDK246] a refused microphone, a browser without a recorder, or without a container that the server takes begin nothing', async () => {
    const world = startWorld();
    const page = world.page();
    page.media.refuse = () => 'NotAllowedError';
    expect(await codeOf(page.dictate())).toBe('PERMISSION_DENIED');
    FakeRecorder.supported = ['audio/wav'];
    expect(await codeOf(page.dictate())).toBe('UNSUPPORTED_BROWSER');
    vi.stubGlobal('MediaRecorder', undefined);
    expect(await codeOf(page.dictate())).toBe('UNSUPPORTED_BROWSER');
    expect(await world.kept.entries('')).toEqual([]);
    expect(page.dictations).toEqual([]);
  });

  it('[SDK247] what the server refuses for good stays on the device, with its code, and may be tried again', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    world.server.refusal = { code: 'FORBIDDEN' };
    await pass(1_000);
    await say(100);
    await pass(1_000);
    // Who speaks is told, and not cut off.
    expect(dictation.state).toBe('recording');
    expect(dictation.error?.code).toBe('FORBIDDEN');
    await say(100);
    const finishing = codeOf(dictation.finish());
    await pass(1_000);
    expect(await finishing).toBe('FORBIDDEN');
    expect(dictation.state).toBe('failed');
    expect(await codeOf(dictation.continue())).toBe('WRONG_STATE');
    expect(await keptSounds(world)).toBe(3);
    await page.leave('close');
    const next = world.page();
    await next.shelf.load();
    await pass(1_000);
    const [found] = next.dictations;
    expect(found?.state).toBe('failed');
    world.server.refusal = null;
    const again = found?.finish();
    await pass(1_000);
    expect((await again)?.state).toBe('ready');
    expect(world.server.only.files[0]?.length).toBe(300);
  });

  it('[SDK248] what the server refuses for now is tried again, no earlier than it asked for', async () => {
    const world = startWorld();
    const page = world.page();
    await page.dictate();
    await say(100);
    const before = world.server.puts.length;
    world.server.refusal = { code: 'RATE_LIMITED', retryAfterSeconds: 20 };
    await say(100);
    await pass(1_000);
    world.server.refusal = null;
    page.signalling.tellNetwork('back');
    await pass(18_000);
    expect(world.server.puts.length).toBe(before);
    await pass(12_000);
    expect(world.server.only.files[0]?.length).toBe(200);
    await page.leave('close');
  });

  it('[SDK255] a token that expires in the middle is renewed, and one that cannot be refuses', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    world.server.refusal = { code: 'TOKEN_EXPIRED' };
    await pass(1_000);
    await say(100);
    await pass(2_000);
    expect(dictation.error?.code).toBe('TOKEN_EXPIRED');
    world.server.refusal = null;
    const finishing = dictation.finish();
    await pass(1_000);
    await finishing;
    expect(world.server.only.files[0]?.length).toBe(200);
  });

  it('[SDK256] a client that lost its place for good records on, and another page brings it to the server', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(1_000);
    page.life.end(new AppError('DISCONNECTED', { detail: 'this device connected elsewhere' }));
    await say(100);
    expect(dictation.state).toBe('recording');
    const finishing = codeOf(dictation.finish());
    await pass();
    expect(await finishing).not.toBe('resolved');
    expect(page.media.running).toEqual([]);
    const next = world.page();
    await next.shelf.load();
    await pass(1_000);
    expect(world.server.only.finished).toEqual([{ byteSize: 200, durationMs: 1_500 + 500 }]);
  });

  it('[SDK259] of a file of which the server has more than a full device could keep, all counts', async () => {
    const world = startWorld();
    const page = world.page();
    await page.dictate();
    await say(100, 1);
    world.keeping = FULL;
    await say(100, 2);
    await pass(2_000);
    expect(world.server.only.files[0]?.length).toBe(200);
    page.isDead = true;
    vi.clearAllTimers();
    world.keeping = null;
    const next = world.page();
    await next.shelf.load();
    const [dictation] = next.dictations;
    await dictation?.continue();
    await say(50, 3);
    const finishing = dictation?.finish();
    await pass(1_000);
    await finishing;
    expect(world.server.only.files.map(({ length }) => length)).toEqual([200, 50]);
  });
});
