import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { recordingIdOf } from '@teleconsult/server/recordings/purposes';
import type { ImportWish } from '@teleconsult/server/telephony/tape/imported-tapes';
import { soundTypeOf } from '@teleconsult/server/telephony/tape/sound-type';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import {
  aCall,
  asked,
  callee,
  caller,
  consultationId,
  FFMPEG,
  openTapeStage,
  phoneCallId,
  type TapeStage,
} from './tape.fixtures.ts';

const run = promisify(execFile);
const recordingId = recordingIdOf(phoneCallId(1));

/** As a provider records a call: the caller's tone in the first second, the callee's in the second, and so on. */
async function provided(...format: readonly string[]): Promise<Buffer> {
  const source =
    'aevalsrc=0.5*sin(880*PI*t)*lt(mod(t\\,2)\\,1)|0.5*sin(880*PI*t)*gte(mod(t\\,2)\\,1):s=8000:d=4';
  const { stdout } = await run(FFMPEG, ['-v', 'error', '-f', 'lavfi', '-i', source, ...format, 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
/** Dual-channel WAV, 16 bits at 8 kHz. */
const wave = () => provided('-c:a', 'pcm_s16le', '-f', 'wav');
const mp3 = () => provided('-ac', '1', '-c:a', 'libmp3lame', '-b:a', '16k', '-f', 'mp3');

async function* pieces(bytes: Buffer, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const wish = (body: AsyncIterable<Uint8Array>, change: Partial<ImportWish> = {}): ImportWish => ({
  ...aCall(),
  body,
  contentType: 'audio/x-wav',
  channels: 2,
  ...change,
});

const waveformOf = async (stage: TapeStage, channel?: 0 | 1): Promise<readonly number[]> => {
  const [file] = await stage.filesOf();
  if (file === undefined) throw new Error('There is no file.');
  const of = { consultationId, recordingId, fileId: file.stored.fileId };
  const asking = channel === undefined ? of : { ...of, channel };
  return (await stage.playback.waveform(asking, asked('doc'))).peaks;
};

test('[TAP20] what a provider has recorded is sealed as it is, on the audit trail first, with who is heard in which channel', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  const outcome = await stage.tapes.importTape(wish(pieces(bytes), { endedAt: 1_800_000_004_000 }));
  expect(outcome).toBe('sealed');
  await stage.measured();
  const [file, ...others] = await stage.filesOf();
  expect(others).toEqual([]);
  expect(file?.bytes.equals(bytes)).toBe(true);
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  expect(recordings).toMatchObject([
    {
      purpose: 'phone_call',
      phoneCallId: phoneCallId(1),
      startedAt: 1_800_000_000_000,
      endedAt: 1_800_000_004_000,
      state: 'ready',
      composition: { state: 'ready' },
      files: [
        { contentType: 'audio/wav', channels: [[caller], [callee]], durationMs: 4_000, state: 'whole' },
      ],
    },
  ]);
  const [left, right] = [await waveformOf(stage, 0), await waveformOf(stage, 1)];
  const loud = [5, 15, 25, 35].map((at) => [(left[at] ?? 0) > 20, (right[at] ?? 0) > 20]);
  expect(loud).toEqual([
    [true, false],
    [false, true],
    [true, false],
    [false, true],
  ]);
  const [first] = stage.audit.rows;
  expect(first).toMatchObject({
    who: 'server',
    action: 'phone.importRecording',
    object: recordingId,
  });
});

test('[TAP20] where the provider has the callee left, or both in one channel, the file says so', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  await stage.tapes.importTape(wish(pieces(bytes), { calleeIsLeft: true }));
  await stage.tapes.importTape(wish(pieces(bytes), { ...aCall(2), channels: 1 }));
  const channels = async (number: number) => (await stage.filesOf(number))[0]?.facts.channels;
  expect(await channels(1)).toEqual([[callee], [caller]]);
  expect(await channels(2)).toEqual([[caller, callee]]);
});

test('[TAP21] MP3 of a provider that calls it anything is known by its bytes, has a length and loudness, and is composed already', async () => {
  await using stage = await openTapeStage();
  const bytes = await mp3();
  await stage.tapes.importTape(wish(pieces(bytes), { contentType: 'application/octet-stream', channels: 1 }));
  await stage.measured();
  const [file] = await stage.filesOf();
  expect(file?.facts.contentType).toBe('audio/mpeg');
  expect(Math.abs((file?.facts.durationMs ?? 0) - 4_000)).toBeLessThan(200);
  expect((await waveformOf(stage)).filter((peak) => peak > 20).length).toBeGreaterThan(30);
  await expect(waveformOf(stage, 1)).rejects.toMatchObject({ code: 'INVALID' });
});

test('[TAP22] a report that comes twice, at once or later, makes one file; the second reads nothing and lets its connection go', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  let letGo = 0;
  let read = 0;
  const counted = (): AsyncIterable<Uint8Array> => ({
    [Symbol.asyncIterator]: () => {
      const inner = pieces(bytes);
      return {
        next: () => {
          read += 1;
          return inner.next();
        },
        return: async () => {
          letGo += 1;
          return { done: true, value: undefined };
        },
      };
    },
  });
  const outcomes = await Promise.all([
    stage.tapes.importTape(wish(counted())),
    stage.tapes.importTape(wish(counted())),
  ]);
  expect(outcomes).toEqual(['sealed', 'sealed']);
  const before = read;
  expect(await stage.tapes.importTape(wish(counted()))).toBe('already_there');
  expect([read, letGo]).toEqual([before, 3]);
  expect(await stage.filesOf()).toHaveLength(1);
});

test('[TAP23] an import that is cut off leaves nothing, ends its recording, and is made anew from its beginning', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 20_000);
    throw new Error('the connection is gone');
  }
  await expect(stage.tapes.importTape(wish(cut()))).rejects.toThrow('the connection is gone');
  expect(await stage.filesOf()).toEqual([]);
  expect(await stage.disk.folder.list()).toEqual([]);
  expect(await stage.stateOf()).toBe('ready');
  expect(await stage.tapes.importTape(wish(pieces(bytes)))).toBe('sealed');
  const [file] = await stage.filesOf();
  expect(file?.bytes.equals(bytes)).toBe(true);
});

test('[TAP23] what a kill has left of an import goes when the whole of it is there', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  const held = Promise.withResolvers<void>();
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 20_000);
    await held.promise;
  }
  const first = stage.tapes.importTape(wish(stuck())).catch(() => null);
  await eventually('a file', async () => (await stage.filesOf()).length === 1);
  // Another process finds a file that grows, and fetches anew.
  const next = stage.open();
  expect(await next.importTape(wish(pieces(bytes)))).toBe('sealed');
  const files = await stage.filesOf();
  expect(files.map(({ stored }) => stored.state)).toEqual(['whole']);
  expect(files[0]?.bytes.equals(bytes)).toBe(true);
  held.resolve();
  await first;
});

test('[TAP24] too much, nothing for too long, and what is no sound are refused with their code, and leave nothing', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  const small = stage.open({ importLimits: { bytes: 10_000, idleMs: 30 } });
  await expect(small.importTape(wish(pieces(bytes)))).rejects.toMatchObject({ code: 'TOO_LARGE' });
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 5_000);
    await new Promise<void>(() => undefined);
  }
  await expect(small.importTape(wish(silent()))).rejects.toMatchObject({ code: 'TIMEOUT' });
  const page = Buffer.from('<!doctype html><title>Access denied</title>');
  for (const body of [page, Buffer.alloc(0), bytes.subarray(0, 11)])
    await expect(small.importTape(wish(pieces(body)))).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
  const strange = stage.open({ callOf: async () => null });
  await expect(strange.importTape(wish(pieces(bytes)))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await stage.filesOf()).toEqual([]);
  expect(await stage.disk.folder.list()).toEqual([]);
});

test('[TAP25] no more imports than may run at a time; a server that stops gives them up', async () => {
  await using stage = await openTapeStage();
  const tapes = stage.open({ importLimits: { most: 1 } });
  const bytes = await wave();
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 5_000);
    await new Promise<void>(() => undefined);
  }
  const first = tapes.importTape(wish(stuck()));
  const failed = expect(first).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await expect(tapes.importTape(wish(pieces(bytes), aCall(2)))).rejects.toMatchObject({ code: 'OVERLOADED' });
  await tapes.close();
  await failed;
  await expect(tapes.importTape(wish(pieces(bytes)))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(await stage.filesOf()).toEqual([]);
});

test('[TAP26] once an import has resolved it survives a kill, and no sound of it lies anywhere in the clear', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  await stage.tapes.importTape(wish(pieces(bytes)));
  // Nothing of this process is closed: another one opens what is on the disk.
  const files = stage.disk.files();
  const [file] = await stage.filesOf();
  if (file === undefined) throw new Error('There is no file.');
  const { fileId, state } = file.stored;
  expect(state).toBe('whole');
  await using opened = await files.open({ consultationId, recordingId, fileId, key: stage.key }, file.stored);
  expect(opened.byteSize).toBe(bytes.byteLength);
  const said = bytes.subarray(1_000, 1_016);
  for (const name of await readdir(stage.disk.path, { recursive: true })) {
    const content = await readFile(join(stage.disk.path, name)).catch(() => Buffer.alloc(0));
    expect(content.includes(said), name).toBe(false);
    expect(content.includes('RIFF'), name).toBe(false);
  }
});

test('[TAP27] of a call whose recording was erased here nothing is imported, and the provider’s copy may go', async () => {
  await using stage = await openTapeStage();
  const bytes = await wave();
  await stage.tapes.importTape(wish(pieces(bytes)));
  await stage.playback.delete({ consultationId, recordingId }, asked('doc'));
  expect(await stage.tapes.importTape(wish(pieces(bytes)))).toBe('erased');
  expect(await stage.filesOf()).toEqual([]);
});

test('[TAP28] kinds of sound are told apart by their first bytes', async () => {
  const beginning = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from(bytes), Buffer.alloc(12)]);
  expect(soundTypeOf(await mp3())).toBe('audio/mpeg');
  expect(soundTypeOf(await wave())).toBe('audio/wav');
  expect(soundTypeOf(Buffer.from('RIFF....AVI LIST'))).toBeNull();
  expect(soundTypeOf(beginning(0xff, 0xfb, 0x90, 0x00))).toBe('audio/mpeg');
  // AAC in ADTS begins alike, but is of no layer; bit rates and rates of all ones do not exist.
  expect(soundTypeOf(beginning(0xff, 0xf1, 0x50, 0x80))).toBeNull();
  expect(soundTypeOf(beginning(0xff, 0xfb, 0xf0, 0x00))).toBeNull();
  expect(soundTypeOf(beginning(0xff, 0xfb, 0x9c, 0x00))).toBeNull();
  expect(soundTypeOf(Buffer.from('{"error":"not found"}'))).toBeNull();
});
