import { randomBytes, randomInt } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import { LinkTickets } from '@teleconsult/server/playback/link-tickets';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { openLinkStage } from './links.fixtures.ts';
import { consultationId, device, fileId, openStage, person, recordingId } from './playback.fixtures.ts';

const bytes = randomBytes(1_000_000);
const file = { number: 1, bytes };

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { code: string }).code;

test('[PLAY5] a link serves the bytes of its file, and says nothing to browsers that they could misuse', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const response = await fetch(await stage.link(1));
  expect(response.status).toBe(200);
  expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes)).toBe(0);
  const { headers } = response;
  expect(headers.get('content-type')).toBe('audio/webm;codecs=opus');
  expect(headers.get('content-length')).toBe(String(bytes.byteLength));
  expect(headers.get('accept-ranges')).toBe('bytes');
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  expect(headers.get('content-disposition')).toBeNull();
  const download = await fetch(await stage.link(1, { right: 'download' }), { method: 'HEAD' });
  expect(download.headers.get('content-disposition')).toMatch(
    /^attachment; filename=recording-\d{8}-\d{6}\.webm$/,
  );
  expect(await download.arrayBuffer()).toHaveProperty('byteLength', 0);
  expect(download.headers.get('content-length')).toBe(String(bytes.byteLength));
});

test('[PLAY6] five hundred random ranges are the bytes that were asked for', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  for (let count = 0; count < 500; count += 1) {
    const start = randomInt(bytes.byteLength);
    const end = Math.min(start + randomInt(1, 70_000), bytes.byteLength);
    const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    const answer = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-range')]).toEqual([
      206,
      `bytes ${start}-${end - 1}/${bytes.byteLength}`,
    ]);
    if (Buffer.compare(answer, bytes.subarray(start, end)) !== 0) throw new Error(`${start}-${end} is wrong`);
  }
});

test('[PLAY6] a range reads of the stored file what it touches, and no more', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  stage.files.reads.length = 0;
  await (await fetch(url, { headers: { range: 'bytes=500000-500099' } })).arrayBuffer();
  expect(stage.files.reads).toEqual(['500000-500100']);
  stage.files.reads.length = 0;
  await fetch(url, { method: 'HEAD' });
  expect(stage.files.reads).toEqual([]);
});

test.for([
  ['bytes=0-', 206, 'bytes 0-999999/1000000'],
  ['bytes=999999-', 206, 'bytes 999999-999999/1000000'],
  ['bytes=-1', 206, 'bytes 999999-999999/1000000'],
  ['bytes=-5000000', 206, 'bytes 0-999999/1000000'],
  ['bytes=5-99999999', 206, 'bytes 5-999999/1000000'],
  ['bytes=1000000-', 416, 'bytes */1000000'],
  ['bytes=-0', 416, 'bytes */1000000'],
  ['bytes=9-5', 200, null],
  ['bytes=0-1,5-6', 200, null],
  ['lines=0-1', 200, null],
  ['bytes=a-b', 200, null],
] as const)('[PLAY7] Range: %s is answered %i', async ([range, status, contentRange]) => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const response = await fetch(await stage.link(1), { headers: { range } });
  await response.arrayBuffer();
  expect([response.status, response.headers.get('content-range')]).toEqual([status, contentRange]);
});

test('[PLAY7] a range of what is not the same bytes any more is answered with the whole', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag') ?? '';
  expect(etag).toMatch(/^"fil_\w+-1000000"$/);
  const statuses = [];
  for (const value of [etag, '"another"', `W/${etag}`, new Date().toUTCString()]) {
    const response = await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': value } });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  expect(statuses).toEqual([206, 200, 200, 200]);
});

test('[PLAY8] a link is for its person and device: it is worth nothing when the device is gone', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  stage.connected.delete(`doc ${device}`);
  const response = await fetch(url);
  expect([response.status, await codeOf(response)]).toEqual([404, 'NOT_FOUND']);
  stage.connected.add(`doc ${device}`);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
});

test('[PLAY8] a link is worth nothing once its person takes no part, its recording is erased, or five minutes have passed', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  stage.roles.set('col', 'colleague');
  stage.connected.add(`col ${device}`);
  const [theirs, own] = [await stage.link(1, { by: 'col' }), await stage.link(1)];
  expect((await fetch(theirs, { method: 'HEAD' })).status).toBe(200);
  stage.roles.delete('col');
  expect((await fetch(theirs, { method: 'HEAD' })).status).toBe(404);
  stage.time.now += 5 * 60_000 - 1;
  expect((await fetch(own, { method: 'HEAD' })).status).toBe(200);
  stage.time.now += 1;
  const late = await fetch(own);
  expect([late.status, await codeOf(late)]).toEqual([410, 'EXPIRED']);
  const another = await stage.link(1);
  await stage.playback.delete(
    { consultationId, recordingId: recordingId(1) },
    {
      by: person('doc'),
      deviceId: device,
      onlyConsultation: null,
    },
  );
  expect((await fetch(another, { method: 'HEAD' })).status).toBe(404);
});

test('[PLAY8] what flows is cut when the link is not good any more', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [{ number: 1, bytes: randomBytes(64 * 1024 * 1024) }] });
  const response = await fetch(await stage.link(1));
  const reader = response.body?.getReader();
  await reader?.read();
  stage.connected.clear();
  const started = performance.now();
  // The player reads slowly: what it is given is looked at again on the way.
  await eventually('it was cut', async () => {
    try {
      const { done } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error('It came whole.');
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  });
  expect(performance.now() - started).toBeLessThan(9_000);
});

test('[PLAY9] a ticket cannot be made, changed or used at another server', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  const at = url.lastIndexOf('/') + 1;
  const ticket = url.slice(at);
  for (let index = 0; index < ticket.length; index += 7) {
    const other = ticket[index] === 'A' ? 'B' : 'A';
    const forged = ticket.slice(0, index) + other + ticket.slice(index + 1);
    expect(() => new LinkTickets().open(forged, 0)).toThrow(AppError);
    if (index < 210) expect((await fetch(url.slice(0, at) + forged, { method: 'HEAD' })).status).toBe(404);
  }
  const grant = {
    personId: person('doc'),
    deviceId: device,
    consultationId,
    recordingId: recordingId(1),
    fileId: fileId(1),
    right: 'play' as const,
    seekable: false,
    expiresAt: stage.time.now + 1_000,
  };
  const here = new LinkTickets();
  expect(here.open(here.seal(grant), 0)).toEqual(grant);
  expect(here.seal(grant)).not.toBe(here.seal(grant));
  expect(Buffer.from(here.seal(grant), 'base64url').toString('latin1')).not.toMatch(/doc|fil_|cns_/);
  expect(() => here.open(`${here.seal(grant)}=`, 0)).toThrow(AppError);
  const elsewhere = new LinkTickets().seal(grant);
  expect((await fetch(url.slice(0, at) + elsewhere, { method: 'HEAD' })).status).toBe(404);
});

test('[PLAY9] who tries many links that lead nowhere is told to wait, and good ones pass', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  const statuses = new Set<number>();
  for (let count = 0; count < 62; count += 1)
    statuses.add(
      (await fetch(`${stage.origin}/v1/recordings/media/guess${count}`, { method: 'HEAD' })).status,
    );
  expect([...statuses]).toEqual([404, 429]);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
});

test('[PLAY10] every link and the first use of each is on record; a player that asks for many ranges is one use', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const [first, second] = [await stage.link(1), await stage.link(1, { right: 'download' })];
  const ranges = Array.from({ length: 50 }, (_, index) => ({
    range: `bytes=${index * 100}-${index * 100 + 9}`,
  }));
  await Promise.all(ranges.map(async (headers) => (await fetch(first, { headers })).arrayBuffer()));
  await (await fetch(second)).arrayBuffer();
  const rows = stage.audit.rows.map(({ action, who, deviceId, object, result }) => ({
    action,
    who,
    deviceId,
    object,
    result,
  }));
  const row = (action: string) => ({
    action,
    who: 'doc',
    deviceId: device,
    object: fileId(1),
    result: 'granted',
  });
  expect(rows).toEqual([
    row('recording.link'),
    row('recording.link'),
    row('recording.play'),
    row('recording.download'),
  ]);
});

test('[PLAY10] what is refused is on record, too', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  await expect(stage.link(1, { by: 'pat', right: 'download' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(stage.link(1, { by: 'eve' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const url = await stage.link(1);
  stage.connected.clear();
  for (let count = 0; count < 3; count += 1) await fetch(url, { method: 'HEAD' });
  expect(stage.audit.rows.map(({ who, action, result }) => [who, action, result])).toEqual([
    ['pat', 'recording.link', 'refused'],
    ['eve', 'recording.link', 'refused'],
    ['doc', 'recording.link', 'granted'],
    ['doc', 'recording.play', 'refused'],
  ]);
});

test('[PLAY11] what cannot be recorded does not happen: no list, no link, no byte, no waveform, no composition, no erasing', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [{ ...file, facts: { waveform: { stepMs: 100, peaks: [1] } } }] });
  const url = await stage.link(1);
  stage.audit.fail('STORAGE_UNAVAILABLE');
  stage.files.reads.length = 0;
  const response = await fetch(url);
  expect([response.status, await codeOf(response)]).toEqual([503, 'STORAGE_UNAVAILABLE']);
  expect(stage.files.reads).toEqual([]);
  const by = { by: person('doc'), deviceId: device, onlyConsultation: null };
  const recording = { consultationId, recordingId: recordingId(1) };
  const { playback } = stage;
  for (const ask of [
    () => playback.list({ consultationId }, by),
    () => playback.link({ ...recording, fileId: fileId(1), right: 'play' }, by),
    () => playback.waveform({ ...recording, fileId: fileId(1) }, by),
    () => playback.compose(recording, by),
    () => playback.delete(recording, by),
    () => playback.listForHost(consultationId),
    () => playback.deleteForHost(consultationId, recording.recordingId),
  ])
    await expect(ask()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect((await stage.store.loadRecording(recording.recordingId))?.state).toBe('ready');
  expect(stage.files.kept.size).toBe(1);
  expect(await stage.store.growingFiles()).toEqual([]);
  stage.audit.fail(null);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
});

test('[PLAY12] a player that goes away lets go of the file', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [{ number: 1, bytes: randomBytes(32 * 1024 * 1024) }] });
  const abort = new AbortController();
  const response = await fetch(await stage.link(1), { signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  const read = stage.files.reads.length;
  expect(read).toBeLessThan(32 * 16);
  await eventually('nothing more is read', async () => {
    const before = stage.files.reads.length;
    await new Promise(setImmediate);
    return stage.files.reads.length === before;
  });
  expect(stage.files.reads.length).toBeLessThan(32 * 16);
});

test('[PLAY13] a damaged file is answered with its code, or cut, and is never taken for whole', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [file] });
  const url = await stage.link(1);
  stage.files.failing = new AppError('INTEGRITY');
  const response = await fetch(url);
  expect([response.status, await codeOf(response)]).toEqual([500, 'INTEGRITY']);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(stage.audit.rows.at(-1)).toMatchObject({ action: 'recording.play', result: 'failed' });
});

test('[PLAY14] a file that still grows cannot be played', async () => {
  await using stage = await openStage();
  await stage.record(1, { state: 'running', files: [{ ...file, state: 'growing' }] });
  const wish = { consultationId, recordingId: recordingId(1), fileId: fileId(1), right: 'play' as const };
  await expect(
    stage.playback.link(wish, { by: person('doc'), deviceId: device, onlyConsultation: null }),
  ).rejects.toMatchObject({ code: 'WRONG_STATE' });
});
