import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { describe, expect, test } from 'vitest';
import { createGate } from '../../../server/attachments/gate.ts';
import { findPrlimit } from '../../../server/attachments/limited-child.ts';
import { mp4IndexFirst } from '../../../server/attachments/mp4-index-first.ts';
import { processVoice } from '../../../server/attachments/voice.ts';
import { createPeakMeter } from '../../../server/attachments/voice-peaks.ts';
import {
  CANARY,
  type Form,
  ffmpeg,
  ffmpegPath,
  formNames,
  mp4WithIndexLast,
  recording,
  silence,
  video,
  videoAlone,
} from './sounds.fixtures.ts';

const prlimitPath = await findPrlimit();
const process = (bytes: Buffer) => processVoice(bytes, { ffmpegPath, prlimitPath });
const refused = (detail: string) => expect.objectContaining({ code: 'UNSUPPORTED_MEDIA', detail });

/** Loudness of 440 Hz in the half second that begins at `from`, 0 to 1 (Goertzel). */
async function toneAt(bytes: Buffer, from: number): Promise<number> {
  const { output } = await ffmpeg(
    ['-i', 'pipe:0', '-ar', '8000', '-ac', '1', '-f', 's16le', 'pipe:1'],
    bytes,
  );
  const samples = new Int16Array(Uint8Array.from(output).buffer, from * 8000 * 2, 4000);
  const factor = 2 * Math.cos((2 * Math.PI * 440) / 8000);
  let previous = 0;
  let before = 0;
  for (const sample of samples) [before, previous] = [previous, sample / 32_768 + factor * previous - before];
  return Math.sqrt(previous ** 2 + before ** 2 - factor * previous * before) / 2000;
}

async function indexLast(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-voice-'));
  try {
    await mp4WithIndexLast(join(folder, 'voice.m4a'));
    return await readFile(join(folder, 'voice.m4a'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const noFfmpeg = ffmpegPath === null;

describe.skipIf(noFfmpeg)(
  `voice messages${noFfmpeg ? ' (skipped: there is no ffmpeg here)' : ''}`,
  { timeout: 120_000 },
  () => {
    test.each(formNames)(
      '[VOI1] %s becomes mono Opus in WebM, with what was said in it',
      async (form: Form) => {
        const voice = await process(await recording(form));
        expect(voice.contentType).toBe('audio/webm; codecs=opus');
        expect(voice.durationMs).toBeGreaterThan(3900);
        expect(voice.durationMs).toBeLessThan(4100);
        const { words } = await ffmpeg(['-i', 'pipe:0', '-f', 'null', '-'], voice.bytes);
        expect(words).toMatch(/Stream #0:0[^\n]*: Audio: opus, 48000 Hz, mono/);
        expect(words).not.toMatch(/Stream #0:1/);
        expect(voice.bytes.byteLength).toBeLessThan(((4.1 * 40_000) / 8) | 0);
        expect(await toneAt(voice.bytes, 1)).toBeGreaterThan(0.5);
        expect(await toneAt(voice.bytes, 2.5)).toBeLessThan(0.05);
      },
    );

    test('[VOI1] an MP4 whose index stands last is read from a pipe as well', async () => {
      const file = await indexLast();
      expect(file.indexOf('moov')).toBeGreaterThan(file.indexOf('mdat'));
      const voice = await process(file);
      expect(voice.durationMs).toBeGreaterThan(3900);
      expect(await toneAt(voice.bytes, 1)).toBeGreaterThan(0.5);
    });

    test('[VOI2] title, place and encoder of the recording are gone', async () => {
      for (const file of [
        ...(await Promise.all(formNames.map((form) => recording(form)))),
        await indexLast(),
      ]) {
        const { bytes } = await process(file);
        for (const word of [CANARY, '+31.2304', 'Lavf', 'Lavc', 'libopus', 'location', 'title'])
          expect(bytes.includes(word)).toBe(false);
      }
    });

    test('[VOI3] the peaks show where there is sound, from 0 to 100', async () => {
      const { peaks } = await process(await recording('wav'));
      expect(peaks).toHaveLength(64);
      expect(Math.max(...peaks.slice(0, 15))).toBeLessThanOrEqual(1);
      expect(Math.min(...peaks.slice(17, 31))).toBeGreaterThanOrEqual(75);
      expect(Math.max(...peaks.slice(17, 31))).toBeLessThanOrEqual(85);
      expect(Math.max(...peaks.slice(34))).toBeLessThanOrEqual(1);
    });

    test('[VOI4] the file tells its length, and an index leads to each part of it', async () => {
      const { bytes, durationMs } = await process(await silence(12));
      const { words } = await ffmpeg(['-i', 'pipe:0', '-f', 'null', '-'], bytes);
      expect(words).toContain(`Duration: 00:00:${(durationMs / 1000).toFixed(2)}`);
      // What a player sees: the index names places, and at each of them a part of the sound begins.
      const lengthAt = bytes.indexOf(Buffer.from([0x18, 0x53, 0x80, 0x67])) + 4;
      // RFC 8794, section 4: as many zero bits as further bytes, a marker, and the number.
      const width = Math.clz32(bytes.readUInt8(lengthAt)) - 23;
      const segmentStart = lengthAt + width;
      const said = bytes.readUIntBE(lengthAt, width) - 2 ** (7 * width);
      const clusters = placesOf(bytes, Buffer.from([0x1f, 0x43, 0xb6, 0x75]));
      const index = bytes.subarray(0, clusters[0]);
      const cues = placesOf(index, Buffer.from([0xf1, 0x84]));
      expect(clusters.length).toBeGreaterThanOrEqual(3);
      expect(cues.map((at) => segmentStart + index.readUInt32BE(at + 2))).toEqual(clusters);
      expect(said).toBe(bytes.byteLength - segmentStart);
    });

    test('[VOI5] what holds a video or a picture is refused', async () => {
      const reason = 'A voice message must not hold a picture or a video.';
      await expect(process(await video())).rejects.toEqual(refused(reason));
      await expect(process(await videoAlone())).rejects.toEqual(refused(reason));
    });

    test('[VOI5] what has no sound is refused', async () => {
      const { output: noSamples } = await ffmpeg([
        '-f',
        'lavfi',
        '-i',
        'anullsrc',
        '-t',
        '0',
        '-f',
        'wav',
        'pipe:1',
      ]);
      await expect(process(noSamples)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
      const wholeWebm = await recording('webm');
      const headerOnly = wholeWebm.subarray(0, wholeWebm.indexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75])));
      await expect(process(headerOnly)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
    });

    test.each([
      ['a page', Buffer.from('<!doctype html><p>hello')],
      ['a playlist', Buffer.from('#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n')],
      ['a list of files', Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n")],
      ['a session description', Buffer.from('v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n')],
      ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
      ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
      ['nothing', Buffer.alloc(0)],
      ['zeros', Buffer.alloc(5000)],
    ])('[VOI5] %s is refused with a reason, before ffmpeg sees it', async (_, bytes) => {
      await expect(processVoice(bytes, { ffmpegPath: '/bin/false', prlimitPath })).rejects.toEqual(
        refused(expect.stringContaining('is not accepted as a voice message') as unknown as string),
      );
    });

    test('[VOI6] more than ten minutes is too long', async () => {
      await expect(process(await silence(604))).rejects.toMatchObject({
        code: 'TOO_LARGE',
        detail: 'The voice message is longer than ten minutes.',
      });
    });

    test('[VOI6] ten minutes, and a second that the recorder stopped late, are not', async () => {
      const voice = await process(await silence(601));
      expect(Math.round(voice.durationMs / 1000)).toBe(601);
      expect(voice.peaks.every((peak) => peak === 0)).toBe(true);
    });

    test('[VOI7] of a recording whose recorder was killed the beginning is kept', async () => {
      for (const form of ['webm', 'ogg', 'mp4 in fragments'] as const) {
        const whole = await recording(form, 8);
        const voice = await process(whole.subarray(0, whole.byteLength * 0.8));
        expect(voice.durationMs).toBeGreaterThan(1500);
        expect(voice.durationMs).toBeLessThan(7900);
        expect(await toneAt(voice.bytes, 1)).toBeGreaterThan(0.5);
      }
    });

    test('[VOI7] a recording that is damaged all over is refused', async () => {
      for (const form of ['webm', 'ogg', 'mp3'] as const) {
        const bytes = Buffer.from(await recording(form, 8));
        for (let at = 600; at < bytes.byteLength; at += 1) if (at % 3 === 0) bytes[at] = (at * 31) & 0xff;
        await expect(process(bytes)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
      }
    });

    test('[VOI8] random damage leads to a voice message or a refusal, and to nothing else', async () => {
      const sources = await Promise.all([...formNames.map((form) => recording(form, 3)), indexLast()]);
      let seed = 7;
      const random = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed % below;
      };
      const gate = createGate(2);
      const outcomes = Array.from({ length: 56 }, (_, index) => {
        const bytes = Buffer.from(sources[index % sources.length] ?? '');
        for (let change = 0; change < 6; change += 1) bytes[12 + random(bytes.byteLength - 12)] = random(256);
        return gate.run(() =>
          process(bytes).then(
            () => 'made',
            (error: unknown) =>
              error instanceof AppError && error.detail !== undefined ? 'refused' : String(error),
          ),
        );
      });
      expect(new Set(await Promise.all(outcomes)).isSubsetOf(new Set(['made', 'refused']))).toBe(true);
    });

    test('[VOI9] it works without prlimit', async () => {
      const voice = await processVoice(await recording('webm'), { ffmpegPath, prlimitPath: null });
      expect(voice.durationMs).toBeGreaterThan(3900);
    });

    test('[VOI9] a server that closes ends ffmpeg', async () => {
      const closing = new AbortController();
      const processing = processVoice(await silence(300), {
        ffmpegPath,
        prlimitPath,
        signal: closing.signal,
      });
      setImmediate(() => closing.abort());
      await expect(processing).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    });
  },
);

test('[VOI9] without ffmpeg the upload may be tried again', async () => {
  const wav = Buffer.from('RIFF\0\0\0\0WAVEfmt ');
  for (const path of [null, '/nonexistent/ffmpeg'])
    await expect(processVoice(wav, { ffmpegPath: path, prlimitPath })).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      retryable: true,
    });
});

test('[VOI3] peaks and duration do not depend on how the samples are cut', () => {
  const bytes = Buffer.from(Int16Array.from({ length: 16_000 }, (_, index) => index * 2).buffer);
  const measure = (cut: number) => {
    const meter = createPeakMeter(16_000);
    for (let at = 0; at < bytes.byteLength; at += cut) meter.push(bytes.subarray(at, at + cut));
    return { durationMs: meter.durationMs(), peaks: meter.peaks(64) };
  };
  const whole = measure(bytes.byteLength);
  expect(whole.durationMs).toBe(1000);
  expect(whole.peaks).toEqual(whole.peaks.toSorted((one, other) => one - other));
  for (const cut of [1, 3, 7, 1000]) expect(measure(cut)).toEqual(whole);
});

test('[VOI3] a click of a few milliseconds has 64 peaks too, and the loudest sample there is counts as 100', () => {
  const meter = createPeakMeter(16_000);
  meter.push(Buffer.from(Int16Array.from([-32_768, 0, 0]).buffer));
  expect(meter.peaks(64)).toEqual(Array.from({ length: 64 }, () => 100));
});

test('[VOI1] reordering an MP4 never fails and changes no file that is in order', () => {
  const box = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.byteLength);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const table = Buffer.alloc(12);
  table.writeUInt32BE(1, 4);
  table.writeUInt32BE(100, 8);
  const moov = box('moov', box('trak', box('mdia', box('minf', box('stbl', box('stco', table))))));
  const ftyp = box('ftyp', Buffer.from('M4A '));
  const mdat = box('mdat', Buffer.from('the sound'));
  const inOrder = Buffer.concat([ftyp, moov, mdat]);
  expect(mp4IndexFirst(inOrder)).toBe(inOrder);
  const moved = mp4IndexFirst(Buffer.concat([ftyp, mdat, moov]));
  expect(moved.byteLength).toBe(inOrder.byteLength);
  expect(moved.indexOf('moov')).toBeLessThan(moved.indexOf('mdat'));
  expect(moved.readUInt32BE(moved.indexOf('stco') + 12)).toBe(100 + moov.byteLength);
  const last = Buffer.concat([ftyp, mdat, moov]);
  for (let length = 0; length < last.byteLength; length += 1) mp4IndexFirst(last.subarray(0, length));
  for (let at = 0; at < last.byteLength; at += 1) mp4IndexFirst(Buffer.from(last).fill(255, at, at + 1));
});

function placesOf(bytes: Buffer, sign: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(sign); at >= 0; at = bytes.indexOf(sign, at + 1)) places.push(at);
  return places;
}
