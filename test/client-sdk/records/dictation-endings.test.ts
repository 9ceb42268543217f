import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Journal } from '../../../client-sdk/records/journal.ts';
import { SoundFile } from '../../../client-sdk/records/sound-file.ts';
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

describe('a dictation of which two things are asked at once', () => {
  beforeEach(beginFakeBrowser);
  afterEach(endFakeBrowser);

  it('[SDK249] one that is thrown away is not finished by who asked for that at the same time', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(2_000);
    let isDiscarded = false;
    const discarding = dictation.discard().then(() => {
      isDiscarded = true;
    });
    const finishing = codeOf(dictation.finish());
    await pass(10_000);
    expect(isDiscarded).toBe(true);
    await discarding;
    expect(await finishing).not.toBe('resolved');
    expect(world.server.dictations.size).toBe(0);
    expect(await keptSounds(world)).toBe(0);
  });

  it('[SDK249] one that is being thrown away or finished does not take the microphone again', async () => {
    for (const act of ['discard', 'finish'] as const) {
      const world = startWorld();
      const page = world.page();
      const dictation = await page.dictate();
      await say(100);
      await pass(2_000);
      page.media.tracks[0]?.remoteStop();
      await pass();
      expect(dictation.state).toBe('paused');
      const continuing = codeOf(dictation.continue());
      const acting = dictation[act]();
      await pass(10_000);
      await acting;
      expect(page.media.running, act).toEqual([]);
      expect(await continuing, act).toBe('WRONG_STATE');
    }
  });

  it('[SDK258] one that was asked for before signing out does not begin after it', async () => {
    const world = startWorld();
    const page = world.page();
    const { promise, resolve } = Promise.withResolvers<void>();
    const ask = page.media.getUserMedia.bind(page.media);
    page.media.getUserMedia = async (constraints) => {
      await promise;
      return ask(constraints);
    };
    const beginning = codeOf(page.dictate());
    await pass();
    await page.leave('forget');
    resolve();
    await pass();
    expect(page.media.running).toEqual([]);
    expect(await beginning).toBe('ABORTED');
    expect(await world.kept.entries('')).toEqual([]);
  });

  it('[SDK254] a sound that the browser hands over late is not written down after signing out', async () => {
    const world = startWorld();
    const page = world.page();
    await page.dictate();
    await say(100);
    expect(await keptSounds(world)).toBe(1);
    FakeRecorder.readingMs = 3_000;
    FakeRecorder.last.pending = sound(50);
    const leaving = page.leave('forget');
    // A client waits no longer than this before it wipes what is kept.
    await pass(2_000);
    await world.kept.clear();
    await pass(5_000);
    await leaving;
    expect(await world.kept.entries('')).toEqual([]);
  });

  it('[SDK257] one that is being continued when its client closes leaves the microphone alone', async () => {
    const world = startWorld();
    const first = world.page();
    await first.dictate();
    await say(100);
    await first.leave('close');
    const page = world.page();
    await page.shelf.load();
    const [dictation] = page.dictations;
    const { promise, resolve } = Promise.withResolvers<void>();
    const ask = page.media.getUserMedia.bind(page.media);
    page.media.getUserMedia = async (constraints) => {
      await promise;
      return ask(constraints);
    };
    const continuing = codeOf(dictation?.continue() ?? Promise.resolve());
    await pass();
    await page.leave('close');
    resolve();
    await pass();
    expect(page.media.running).toEqual([]);
    expect(await continuing).toBe('WRONG_STATE');
  });

  it('[SDK281] one that is thrown away while bytes of it are still arriving is erased on the server', async () => {
    const world = startWorld();
    const page = world.page();
    const dictation = await page.dictate();
    await say(100);
    await pass(2_000);
    expect(world.server.dictations.size).toBe(1);
    // What an earlier page had sent arrives between two requests.
    const answer = world.server.answer.bind(world.server);
    world.server.answer = (name, payload) => {
      const answered = answer(name, payload);
      if (name === 'dictation.begin') world.server.only.files[0] = Buffer.alloc(150);
      return answered;
    };
    const discarding = dictation.discard();
    await pass(10_000);
    await discarding;
    expect(world.server.dictations.size).toBe(0);
  });
});

describe('sound without room on the device', () => {
  it('[SDK245] a write that succeeds after all takes nothing along that it did not write', async () => {
    const MIB = 1024 * 1024;
    const written: Uint8Array[] = [];
    let next: PromiseWithResolvers<void> | null = null;
    const journal = {
      write: async (_id: string, _place: unknown, { bytes }: { bytes: Uint8Array }) => {
        if (next !== null) await next.promise;
        else throw { name: 'QuotaExceededError' };
        written.push(bytes);
      },
      read: async (_id: string, { piece }: { piece: number }) => {
        const bytes = written[piece];
        if (bytes === undefined) return null;
        const endByte = written.slice(0, piece + 1).reduce((sum, one) => sum + one.length, 0);
        return { at: 1, bytes, endByte, endMs: 1 };
      },
    } as unknown as Journal;
    const file = new SoundFile({ journal, dictationId: 'dict-1', number: 0, onChange: () => {} });
    for (let n = 0; n < 7; n += 1) {
      file.add(sound(MIB, n), n + 1);
      await file.settled();
    }
    // The server has the first three; the device has room again, and is slow to write.
    file.sentBytes = 3 * MIB;
    next = Promise.withResolvers<void>();
    file.add(sound(MIB, 7), 8);
    file.add(sound(MIB, 8), 9);
    next.resolve();
    await file.settled();
    for (let n = 3; n < 9; n += 1) {
      const bytes = await file.read(n * MIB, 4);
      expect([n, bytes?.[0]]).toEqual([n, n]);
    }
    expect(file.byteSize).toBe(9 * MIB);
    vi.restoreAllMocks();
  });
});
