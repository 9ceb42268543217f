import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SoundMeter } from '@teleconsult/server/playback/sound-meter';
import { waveHead, waveIndex } from '@teleconsult/server/playback/wave-head';
import { WaveScanner } from '@teleconsult/server/playback/wave-scanner';
import { PHONE_CALL_SOUND, type SampleFormat } from '@teleconsult/server/recordings/sample-format';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from '../../../scripts/setup/chromium.mjs';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { phoneSound } from '../telephony/tape/tape.fixtures.ts';
import { type LinkStage, openLinkStage } from './links.fixtures.ts';
import { asked, consultationId, converted, fileId, person, recordingId } from './playback.fixtures.ts';

const run = promisify(execFile);
const HEAD_BYTES = 58;

const tapeFacts = {
  personId: person('pat'),
  channels: [[person('pat')], [person('doc')]],
  contentType: 'audio/wav',
  samples: PHONE_CALL_SOUND,
};

/** The caller speaks in the first half of every two seconds, the callee in the second. */
const inTurns = (seconds: number): Buffer =>
  phoneSound(seconds, (atMs) => ({ left: atMs % 2_000 < 1_000, right: atMs % 2_000 >= 1_000 }));

const measured = (stage: LinkStage) =>
  eventually('everything is measured', async () => (await stage.store.unmeasuredFiles(1)).length === 0, {
    withinMs: 30_000,
  });

/** What ffprobe makes of a file. */
async function probed(bytes: Buffer): Promise<Record<string, unknown>> {
  await using dir = await tempDir();
  const path = join(dir.path, 'probed', 'sound.wav');
  await mkdir(join(dir.path, 'probed'));
  await writeFile(path, bytes);
  const { stdout } = await run('ffprobe', [
    ...['-v', 'warning', '-of', 'json', '-show_entries'],
    ...['stream=codec_name,channels,sample_rate,duration_ts', path],
  ]);
  return (JSON.parse(stdout) as { streams: Record<string, unknown>[] }).streams[0] ?? {};
}

test('[TAP10] samples that were stored alone are served as a WAV file whose every size is right, whole, cut and empty', async () => {
  await using stage = await openLinkStage();
  const sound = inTurns(4);
  await stage.record(1, {
    purpose: 'phone_call',
    files: [
      { number: 1, bytes: sound, facts: tapeFacts },
      { number: 2, bytes: sound.subarray(0, 20_001), facts: tapeFacts, state: 'truncated' },
    ],
  });
  for (const [number, samples] of [
    [1, sound],
    [2, sound.subarray(0, 20_000)],
  ] as const) {
    const response = await fetch(await stage.link(number));
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.headers.get('content-type')).toBe('audio/wav');
    expect(response.headers.get('content-length')).toBe(String(HEAD_BYTES + samples.byteLength));
    expect(bytes.readUInt32LE(4)).toBe(bytes.byteLength - 8);
    expect(bytes.readUInt32LE(HEAD_BYTES - 4)).toBe(samples.byteLength);
    expect(bytes.subarray(HEAD_BYTES).equals(samples)).toBe(true);
    expect(await probed(bytes)).toMatchObject({
      codec_name: 'pcm_alaw',
      channels: 2,
      sample_rate: '8000',
      duration_ts: samples.byteLength / 2,
    });
  }
  const download = await fetch(await stage.link(1, { right: 'download' }), { method: 'HEAD' });
  expect(download.headers.get('content-disposition')).toMatch(/recording-\d{8}-\d{6}\.wav$/);
  expect(waveHead(PHONE_CALL_SOUND, 0).readUInt32LE(HEAD_BYTES - 4)).toBe(0);
  expect(() => waveHead(PHONE_CALL_SOUND, 2 ** 32)).toThrow(RangeError);
});

test('[TAP11] any range of a phone recording is the bytes that were asked for, also across its head, and reads only what it touches', async () => {
  await using stage = await openLinkStage();
  const sound = inTurns(10);
  await stage.record(1, { purpose: 'phone_call', files: [{ number: 1, bytes: sound, facts: tapeFacts }] });
  const url = await stage.link(1);
  const whole = Buffer.concat([waveHead(PHONE_CALL_SOUND, sound.byteLength), sound]);
  for (let count = 0; count < 200; count += 1) {
    const start = count < 60 ? count : randomInt(whole.byteLength);
    const end = Math.min(whole.byteLength, start + randomInt(1, 5_000));
    const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.byteLength}`);
    const answer = Buffer.from(await response.arrayBuffer());
    if (!answer.equals(whole.subarray(start, end))) throw new Error(`${start}-${end} is wrong`);
  }
  stage.files.reads.length = 0;
  await (await fetch(url, { headers: { range: `bytes=${HEAD_BYTES + 100}-${HEAD_BYTES + 199}` } })).text();
  expect(stage.files.reads).toEqual(['100-200']);
});

test.for(['alaw', 'mulaw', 'pcm'] as const)(
  '[TAP12] the loudness of every sample of %s is what another decoder makes of it',
  async (encoding) => {
    const format: SampleFormat = { encoding, channels: 1, rate: 8_000 };
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const input = { alaw: 'alaw', mulaw: 'mulaw', pcm: 's16le' }[encoding];
    const url = `data:application/octet-stream;base64,${bytes.toString('base64')}`;
    const plain = await converted('-f', input, '-ar', '8000', '-ac', '1', '-i', url, '-f', 's16le');
    for (let at = 0; at < plain.byteLength; at += 2) {
      const meter = new SoundMeter(format);
      const width = encoding === 'pcm' ? 2 : 1;
      meter.push(bytes.subarray((at / 2) * width, (at / 2 + 1) * width));
      const percent = Math.min(100, Math.round((Math.abs(plain.readInt16LE(at)) / 32_767) * 100));
      expect(meter.waveform().peaks, `sample ${at / 2}`).toEqual([percent]);
    }
  },
);

test('[TAP13] a phone recording is measured without a media program: its length to the millisecond, and who spoke when', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, {
    purpose: 'phone_call',
    files: [{ number: 1, bytes: inTurns(6), facts: tapeFacts }],
  });
  Object.assign(stage.parts.tools, { ffmpegPath: null });
  await stage.playback.start();
  await measured(stage);
  const wish = { consultationId, recordingId: recordingId(1), fileId: fileId(1) };
  const left = await stage.playback.waveform({ ...wish, channel: 0 }, asked('pat'));
  const right = await stage.playback.waveform({ ...wish, channel: 1 }, asked('doc'));
  const all = await stage.playback.waveform(wish, asked('doc'));
  expect(left.stepMs).toBe(100);
  expect(left.peaks).toHaveLength(60);
  for (const [index, peak] of left.peaks.entries()) {
    expect(peak > 20, `left at ${index}`).toBe(index % 20 < 10);
    expect((right.peaks[index] ?? 0) > 20, `right at ${index}`).toBe(index % 20 >= 10);
    expect(all.peaks[index]).toBe(Math.max(peak, right.peaks[index] ?? 0));
  }
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  expect(recordings[0]?.files[0]?.durationMs).toBe(6_000);
  await stage.record(2, {
    files: [
      {
        number: 2,
        bytes: inTurns(1),
        facts: { ...tapeFacts, samples: { encoding: 'alaw', channels: 1, rate: 8_000 } },
      },
    ],
  });
  stage.playback.fileFinished();
  await measured(stage);
  const mono = { consultationId, recordingId: recordingId(2), fileId: fileId(2), channel: 1 };
  await expect(stage.playback.waveform(mono, asked('doc'))).rejects.toMatchObject({ code: 'INVALID' });
});

test('[TAP14] a phone recording of one file is composed already, and asking for it makes nothing', async () => {
  await using stage = await openLinkStage();
  const sound = inTurns(2);
  await stage.record(1, {
    purpose: 'phone_call',
    files: [{ number: 1, bytes: sound, facts: { ...tapeFacts, durationMs: 2_000 } }],
  });
  const wish = { consultationId, recordingId: recordingId(1) };
  const { recording } = await stage.playback.compose(wish, asked('doc'));
  expect(recording.composition).toEqual({
    state: 'ready',
    fileId: fileId(1),
    contentType: 'audio/wav',
    byteSize: sound.byteLength,
    durationMs: 2_000,
  });
  expect((await stage.store.filesOf(recordingId(1))).length).toBe(1);
  await expect(stage.playback.compose(wish, asked('pat'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test('[TAP14] a phone recording in several files is composed of the sound of both people', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, {
    purpose: 'phone_call',
    files: [
      { number: 1, bytes: inTurns(2), facts: { ...tapeFacts, durationMs: 2_000 } },
      {
        number: 2,
        bytes: inTurns(2),
        facts: { ...tapeFacts, durationMs: 2_000, startedAt: 1_003_000 },
        state: 'truncated',
      },
    ],
  });
  const wish = { consultationId, recordingId: recordingId(1) };
  await stage.playback.compose(wish, asked('doc'));
  const ready = await eventually(
    'the composition',
    async () => {
      const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
      const composition = recordings[0]?.composition;
      if (composition?.state === 'failed') throw new Error(composition.reason);
      return composition?.state === 'ready' && composition;
    },
    { withinMs: 60_000 },
  );
  expect(Math.abs(ready.durationMs - 5_000)).toBeLessThan(100);
  const { peaks } = await stage.playback.waveform({ ...wish, fileId: ready.fileId }, asked('doc'));
  const loud = (second: number): boolean => (peaks[Math.round(second * 10)] ?? 0) > 10;
  // Somebody speaks all the time, but for the second between the two files.
  expect([0.5, 1.5, 2.5, 3.5, 4.5].map(loud)).toEqual([true, true, false, true, true]);
});

test('[TAP15] a recording of a phone call is for patient and doctor what one of a call is', async () => {
  await using stage = await openLinkStage();
  stage.roles.set('rel', 'relative');
  stage.roles.set('col', 'colleague');
  await stage.record(1, {
    purpose: 'phone_call',
    startedBy: 'pat',
    files: [{ number: 1, bytes: inTurns(1), facts: tapeFacts }],
  });
  const rightsOf = async (name: string) =>
    (await stage.playback.list({ consultationId }, asked(name))).recordings[0]?.rights ?? null;
  expect(await rightsOf('pat')).toEqual(['play']);
  expect(await rightsOf('doc')).toEqual(['play', 'download', 'delete']);
  expect(await rightsOf('col')).toEqual(['play']);
  expect(await rightsOf('rel')).toBeNull();
  await expect(stage.link(1, { by: 'pat', right: 'download' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await (await fetch(await stage.link(1, { by: 'pat' }))).arrayBuffer();
  await stage.playback.start();
  await eventually('everybody who watches to be told', () => stage.told.length > 0);
  expect(stage.told).toEqual([{ to: 'watchers', name: 'recording.changed' }]);
  const played = stage.audit.rows.filter(({ action }) => action === 'recording.play');
  expect(played).toMatchObject([{ who: 'pat', object: fileId(1), result: 'granted' }]);
});

const importedFacts = {
  personId: person('pat'),
  channels: [[person('pat')], [person('doc')]],
  contentType: 'audio/wav',
  imported: true,
} as const;

const plainWave = (seconds: number, ...more: readonly string[]): Promise<Buffer> =>
  converted(
    ...[
      '-f',
      'lavfi',
      '-i',
      `aevalsrc=0.5*sin(880*PI*t)*lt(t\\,1)|0.5*sin(880*PI*t)*gte(t\\,1):s=8000:d=${seconds}`,
    ],
    ...more,
    ...['-c:a', 'pcm_s16le', '-f', 'wav'],
  );

test('[TAP16] a WAV file of a provider that does not know its own length is served with the right one', async () => {
  await using stage = await openLinkStage();
  // A pipe cannot be gone back on: sizes are left unknown.
  const bytes = await plainWave(2);
  const scanner = new WaveScanner();
  for (let at = 0; at < bytes.byteLength; at += 7) scanner.push(bytes.subarray(at, at + 7));
  const scan = scanner.result();
  expect(scan).toMatchObject({ format: { encoding: 'pcm', channels: 2, rate: 8_000 } });
  await stage.record(1, {
    purpose: 'phone_call',
    files: [{ number: 1, bytes, facts: importedFacts }],
  });
  Object.assign(stage.parts.tools, { ffmpegPath: null });
  await stage.playback.start();
  await measured(stage);
  const served = Buffer.from(await (await fetch(await stage.link(1))).arrayBuffer());
  expect(served.readUInt32LE(4)).toBe(served.byteLength - 8);
  expect(await probed(served)).toMatchObject({ codec_name: 'pcm_s16le', channels: 2, duration_ts: 16_000 });
  const start = bytes.indexOf('data') + 8;
  expect(served.subarray(44).equals(bytes.subarray(start))).toBe(true);
  const wish = { consultationId, recordingId: recordingId(1), fileId: fileId(1) };
  const [left, right] = [
    await stage.playback.waveform({ ...wish, channel: 0 }, asked('doc')),
    await stage.playback.waveform({ ...wish, channel: 1 }, asked('doc')),
  ];
  expect(
    [left.peaks[5] ?? 0, left.peaks[15], right.peaks[5], right.peaks[15] ?? 0].map(
      (peak) => (peak ?? 0) > 20,
    ),
  ).toEqual([true, false, false, true]);
});

test('[TAP17] what only looks like a WAV file, or is of another kind, is nothing to the scanner and breaks nothing', async () => {
  const good = await plainWave(1);
  const scanned = (bytes: Buffer, step = bytes.byteLength): ReturnType<WaveScanner['result']> => {
    const scanner = new WaveScanner();
    for (let at = 0; at < bytes.byteLength; at += step) scanner.push(bytes.subarray(at, at + step));
    return scanner.result();
  };
  expect(scanned(good, 1)?.samplesEnd).toBe(good.byteLength);
  expect(scanned(Buffer.alloc(0))).toBeNull();
  expect(scanned(Buffer.from('RIFF but nothing of a WAVE file'))).toBeNull();
  expect(scanned(good.subarray(0, 40))).toBeNull();
  const withoutKind = Buffer.concat([good.subarray(0, 12), good.subarray(good.indexOf('data'))]);
  expect(scanned(withoutKind)).toBeNull();
  for (let count = 0; count < 300; count += 1) {
    const damaged = Buffer.from(good.subarray(0, 2_000));
    for (let hits = 0; hits < 4; hits += 1) damaged[randomInt(100)] = randomInt(256);
    scanned(damaged, randomInt(1, 200));
  }
  // More is promised than came: what came is what there is.
  const cut = scanned(Buffer.concat([waveHead(PHONE_CALL_SOUND, 16_000), Buffer.alloc(8_001)]));
  expect(cut).toMatchObject({ samplesStart: HEAD_BYTES, samplesEnd: HEAD_BYTES + 8_001 });
  expect(waveIndex(PHONE_CALL_SOUND, HEAD_BYTES, HEAD_BYTES + 8_001)).toMatchObject({
    keptStart: HEAD_BYTES,
    keptEnd: HEAD_BYTES + 8_000,
  });
});

const missing = findChromium() === undefined ? ': Chromium is not installed' : '';

test.skipIf(missing !== '')(
  `[TAP18] a browser plays a phone recording, knows its length at once and seeks to any place${missing}`,
  { timeout: 120_000 },
  async () => {
    await using stage = await openLinkStage();
    const sound = inTurns(60);
    await stage.record(1, {
      purpose: 'phone_call',
      files: [
        { number: 1, bytes: sound, facts: tapeFacts },
        { number: 2, bytes: sound.subarray(0, 480_001), facts: tapeFacts, state: 'truncated' },
      ],
    });
    await using parts = new AsyncDisposableStack();
    const browser = parts.adopt(
      await chromium.launch({
        executablePath: findChromium() ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
      }),
      (opened) => opened.close(),
    );
    const page = await browser.newPage();
    await page.route(`${stage.origin}/`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
    );
    await page.goto(`${stage.origin}/`);
    for (const [number, seconds] of [
      [1, 60],
      [2, 30],
    ] as const) {
      const seen = await page.evaluate(
        async ({ url, places }) => {
          const media = document.createElement('audio');
          const heard = (name: string) =>
            new Promise<void>((resolve, reject) => {
              media.addEventListener(name, () => resolve(), { once: true });
              media.addEventListener('error', () => reject(new Error(media.error?.message)), { once: true });
            });
          media.muted = true;
          media.src = url;
          await heard('loadedmetadata');
          const { duration } = media;
          const reached: number[] = [];
          for (const place of places) {
            media.currentTime = place * duration;
            await heard('seeked');
            reached.push(media.currentTime / duration);
          }
          media.currentTime = duration - 0.5;
          await heard('seeked');
          const ended = heard('ended');
          await media.play();
          await ended;
          return { duration, reached, end: media.currentTime };
        },
        { url: await stage.link(number), places: [0.9, 0.1, 0.5] },
      );
      expect(Math.abs(seen.duration - seconds), `file ${number}`).toBeLessThan(0.01);
      expect(seen.reached.map((place) => Math.round(place * 10))).toEqual([9, 1, 5]);
      expect(Math.abs(seen.end - seen.duration), `file ${number}`).toBeLessThan(0.2);
    }
  },
);
