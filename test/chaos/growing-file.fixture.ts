/**
 * A program that appends a moment of the clock to a growing file of the folder it is given, fifty times a second, and stops
 * when it is told to. `careless` never syncs.
 */
import { join } from 'node:path';
import { argv, env } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { DiskJournalFolder, type JournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { LocalTrackFiles } from '@teleconsult/server/recordings/local-track-files';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { consultationId, fileId, noLog, recordingId } from '../contract/track-files.fixtures.ts';

const [, , folder = '', way] = argv;
/** As much as a picture of half a megabit a second has in this time. */
const RECORD_BYTES = 1_250;
const EVERY_MS = 20;

const careless = (real: JournalFolder): JournalFolder => ({
  create: async (name) => {
    const file = await real.create(name);
    return { append: (bytes) => file.append(bytes), sync: async () => undefined, close: () => file.close() };
  },
  publish: (name) => real.publish(name),
  discard: (name) => real.discard(name),
  list: () => real.list(),
  open: (name) => real.open(name),
  remove: (name) => real.remove(name),
  setAside: (name) => real.setAside(name),
  lastWrittenAt: (name) => real.lastWrittenAt(name),
  room: () => real.room(),
});

const journals = await DiskJournalFolder.open(join(folder, 'recordings'));
const files = new LocalTrackFiles({
  folder: way === 'careless' ? careless(journals) : journals,
  objects: await DiskObjectStore.open(join(folder, 'objects')),
  vault: new Vault(await openLocalKeyFile({ path: join(folder, 'keys', 'k.json'), mayCreate: true, now: 0 })),
  log: noLog,
  clock: Date.now,
  // Several journals end and begin in the seconds of the test.
  limits: { bytes: 16 * 1024 * 1024, ms: 1_700 },
  roomToBegin: 0,
});
const key = new ConsultationKey(consultationId, Buffer.from(env['SECRET'] ?? '', 'hex'));
const file = await files.create({ consultationId, recordingId, fileId: fileId('P'), key });
process.send?.('growing');
for (;;) {
  const record = Buffer.alloc(RECORD_BYTES, 7);
  record.writeDoubleBE(Date.now());
  file.append(record);
  await wait(EVERY_MS);
}
