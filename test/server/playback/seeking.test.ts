import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSeekIndex } from '@teleconsult/server/playback/seek-index';
import { servedFile } from '@teleconsult/server/playback/served-file';
import { type ScannedWebm, WebmScanner } from '@teleconsult/server/webm/scanner';
import { expect, test } from 'vitest';
import { FFMPEG, picture, recorded, tone } from './playback.fixtures.ts';

const run = promisify(execFile);

/** A pass over a file that comes in pieces of one size. */
function scan(bytes: Buffer, pieceSize = 4_096): ScannedWebm | null {
  const scanner = new WebmScanner();
  for (let at = 0; at < bytes.byteLength; at += pieceSize) scanner.push(bytes.subarray(at, at + pieceSize));
  return scanner.result();
}

async function served(bytes: Buffer): Promise<Buffer> {
  const found = scan(bytes);
  if (found === null) throw new Error('It was not understood.');
  const file = servedFile(
    {
      byteSize: bytes.byteLength,
      async *read({ start, endExclusive } = { start: 0, endExclusive: bytes.byteLength }) {
        yield bytes.subarray(start, endExclusive);
      },
    },
    makeSeekIndex(found),
  );
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read({ start: 0, endExclusive: file.byteSize })) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  expect(whole.byteLength).toBe(file.byteSize);
  return whole;
}

/** What ffprobe finds; from a real file, so that it can seek as a player does. */
async function probed(bytes: Buffer): Promise<{ duration: number; complaints: string; atHalf: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'teleconsult-seek-'));
  try {
    const path = join(dir, 'file.webm');
    await writeFile(path, bytes);
    const probe = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'format=duration',
      '-of',
      'csv=p=0',
      path,
    ]);
    const duration = Number(probe.stdout);
    const played = await run(FFMPEG, ['-v', 'error', '-i', path, '-f', 'null', '-']);
    // The first packet after seeking to the middle.
    const packets = await run('ffprobe', [
      ...['-v', 'error', '-read_intervals', `${duration / 2}%+#1`],
      ...['-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path],
    ]);
    return { duration, complaints: played.stderr, atHalf: Number.parseFloat(packets.stdout) };
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('[PLAY15] a file that was recorded live has a length and an index when it is served', async () => {
  for (const [bytes, seconds, tolerance] of [
    [await tone(12), 12, 1],
    [await picture(12), 12, 2.2],
  ] as const) {
    const { duration, complaints, atHalf } = await probed(await served(bytes));
    expect(complaints).toBe('');
    expect(Math.abs(duration - seconds)).toBeLessThan(0.2);
    expect(Math.abs(atHalf - seconds / 2)).toBeLessThan(tolerance + 0.3);
  }
});

test('[PLAY15] clusters of unknown length, as browsers write them, are understood', async () => {
  const bytes = await tone(5);
  // Chromium writes clusters whose length nobody knows: the same file with every length taken away.
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf('1f43b675', 0, 'hex'); at >= 0; at = bytes.indexOf('1f43b675', at + 4, 'hex')) {
    const width = Math.clz32(bytes.readUInt8(at + 4)) - 23;
    parts.push(bytes.subarray(from, at + 4), Buffer.from('01ffffffffffffff', 'hex'));
    from = at + 4 + width;
  }
  const live = Buffer.concat([...parts, bytes.subarray(from)]);
  const found = scan(live);
  expect(found?.durationTicks).toBe(scan(bytes)?.durationTicks);
  expect(found?.cues.length).toBe(scan(bytes)?.cues.length);
  const { duration, complaints } = await probed(await served(live));
  expect(complaints).toBe('');
  expect(Math.abs(duration - 5)).toBeLessThan(0.1);
});

test('[PLAY15] a pass finds the same however the bytes come', async () => {
  const bytes = await picture(3);
  const whole = scan(bytes, bytes.byteLength);
  for (const pieceSize of [1, 7, 1_000, 65_536]) expect(scan(bytes, pieceSize)).toEqual(whole);
});

test('[PLAY16] a file that was cut anywhere plays up to where it was cut, without a complaint', {
  timeout: 120_000,
}, async () => {
  const bytes = await tone(10);
  for (let count = 0; count < 6; count += 1) {
    const length = randomInt(8_000, bytes.byteLength);
    const cut = bytes.subarray(0, length);
    const { duration, complaints } = await probed(await served(cut));
    expect(complaints, `cut at ${length}`).toBe('');
    expect(Math.abs(duration - (10 * length) / bytes.byteLength), `cut at ${length}`).toBeLessThan(0.6);
  }
});

test('[PLAY16] what is no such file, or is garbage behind its beginning, is no reason to fail', async () => {
  expect(scan(Buffer.from('no media at all, but long enough'))).toBeNull();
  expect(scan(Buffer.alloc(0))).toBeNull();
  const bytes = await tone(4);
  const half = bytes.byteLength >> 1;
  for (let count = 0; count < 100; count += 1) {
    const damaged = Buffer.from(bytes);
    for (let spot = 0; spot < 5; spot += 1) damaged[randomInt(damaged.byteLength)] = randomInt(256);
    const found = scan(damaged);
    if (found !== null) expect(makeSeekIndex(found).keptEnd).toBeLessThanOrEqual(bytes.byteLength);
  }
  const garbled = Buffer.concat([bytes.subarray(0, half), Buffer.alloc(half, 0)]);
  expect(scan(garbled)?.durationTicks).toBeGreaterThan(1_000);
});

test('[PLAY16] the index of a very long file stays small', async () => {
  const bytes = await recorded(
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=48000:cl=mono',
    '-t',
    '4',
    '-c:a',
    'libopus',
    '-b:a',
    '8k',
  );
  const found = scan(bytes);
  if (found === null) throw new Error('It was not understood.');
  const scanner = new WebmScanner();
  scanner.push(bytes.subarray(0, found.keptStart));
  // A cluster a second for twelve hours, each with one block.
  for (let second = 0; second < 12 * 3_600; second += 1) {
    const made = Buffer.alloc(20);
    made.write('1f43b6758f', 0, 'hex');
    made.write('e784', 5, 'hex');
    made.writeUInt32BE(second * 1_000, 7);
    made.write('a387', 11, 'hex');
    made.write('81000080fcfffe', 13, 'hex');
    scanner.push(made);
  }
  const long = scanner.result();
  expect(long?.durationTicks).toBeGreaterThan(12 * 3_600_000 - 2_000);
  expect(long?.cues.length).toBeGreaterThan(900);
  expect(long?.cues.length).toBeLessThanOrEqual(2_000);
  if (long !== null) expect(makeSeekIndex(long).head.length).toBeLessThan(100_000);
});
