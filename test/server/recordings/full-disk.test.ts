import { join } from 'node:path';
import { DiskJournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { LocalTrackFiles } from '@teleconsult/server/recordings/local-track-files';
import { MemoryObjectStore } from '@teleconsult/server/storage/objects/memory';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { clientMessageId } from '../../contract/store.fixtures.ts';
import { noise, noLog } from '../../contract/track-files.fixtures.ts';
import { eventually } from '../../helpers/eventually.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { textDraft } from '../../helpers/visit.ts';
import { contentOf, filesOf, segmentOf, startRecording, startSoundCall } from './recorded-visit.ts';

test('[M5] [D4] [RECS35] on a full disk the recording keeps what it has, the call and its messages go on, and so does the recording when there is room', async (context) => {
  const mounted = await smallDisk();
  if (typeof mounted === 'string') return context.skip(mounted);
  await using disk = mounted;
  await using dir = await tempDir();
  const keys = await openLocalKeyFile({ path: join(dir.path, 'keys', 'k.json'), mayCreate: true, now: 0 });
  await using stack = new AsyncDisposableStack();
  const trackFiles = stack.adopt(
    new LocalTrackFiles({
      folder: await DiskJournalFolder.open(join(disk.path, 'recordings')),
      objects: new MemoryObjectStore(),
      vault: new Vault(keys),
      log: noLog,
      clock: Date.now,
      limits: { bytes: 64 * 1024 * 1024, ms: 60_000 },
      roomToBegin: 200_000,
    }),
    (opened) => opened.close(),
  );
  const app = stack.use(await startTestApp({ trackFiles }));
  const recorded = stack.use(await startSoundCall(app));
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  const pieces: Buffer[] = [];
  await eventually(
    'the disk to be full',
    () => {
      const bytes = noise(30_000);
      segment.emit(bytes);
      if (segment.end === null) pieces.push(bytes);
      return segment.end;
    },
    { withinMs: 30_000 },
  );
  expect(segment.end).toBe('sink_failed');
  await visit.patient.request('message.send', {
    consultationId: visit.id,
    clientMessageId: clientMessageId('while-full'),
    content: textDraft('still here'),
  });
  expect(await app.app.host.recordingOf(visit.id)).toBe(recordingId);
  const next = await eventually(
    'the next segment',
    () => app.recorder.segments.find((one) => one !== segment && one.options.seatId === people.patient),
    { withinMs: 15_000 },
  );
  next.emit(Buffer.from('on it goes'));
  await eventually('its file', async () => (await filesOf({ app, visit }, recordingId)).length === 2);
  await visit.patient.request('call.leave', call);
  const files = await eventually(
    'two finished files',
    async () => {
      const all = await filesOf({ app, visit }, recordingId);
      const isDone = all.length === 2 && all.every(({ stored }) => stored.state !== 'growing');
      return isDone ? all : null;
    },
    { withinMs: 15_000 },
  );
  expect(files.map(({ facts }) => facts.truncated?.reason ?? null)).toEqual(['storage_failed', null]);
  const read = { app: { ...app, trackFiles }, visit };
  const [first, second] = await Promise.all(files.map((file) => contentOf(read, file)));
  const sent = Buffer.concat(pieces).toString('latin1');
  expect(first?.length).toBeGreaterThan(2_000_000);
  expect(sent.startsWith(first ?? '?')).toBe(true);
  expect(second).toBe('on it goes');
  return undefined;
}, 90_000);
