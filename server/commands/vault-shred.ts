import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ConsultationId } from '@teleconsult/protocol';
import { openFile } from '../backup/file-source.ts';
import { journalsIn } from '../backup/layout.ts';
import { SqliteErasure } from '../storage/sqlite/sqlite-erasure.ts';
import { Writer } from '../storage/sqlite/writer.ts';
import { MAX_HEADER_BYTES } from '../vault/sealed-header.ts';
import { readLabel } from '../vault/sealed-label.ts';
import { shred } from '../vault/shred.ts';
import { type Command, onlyOperand, UsageError } from './command.ts';
import { databaseIn, lockedDataFolder, type OpenedData, openData } from './data-folder.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const vaultShred: Command = {
  name: 'vault shred',
  usage: '<consultation id>',
  purpose: 'destroys the key of a consultation and everything of it, for good; only while no server runs',
  takes: [],
  async run(context) {
    const { dataFolder, say } = context;
    const id = ConsultationId.safeParse(onlyOperand(context, 'consultation'));
    if (!id.success) throw new UsageError('This is no id of a consultation.');
    const lock = lockedDataFolder(dataFolder, 'It may hold the consultation in memory: stop it first.');
    try {
      using data = await openData(context);
      const writer = await Writer.open(databaseIn(dataFolder));
      try {
        const { wasThere, objects, scrubbed } = await shred(
          {
            records: new SqliteErasure(writer, data.db),
            objects: data.objects,
            letGo: async () => undefined,
            furtherObjects: (consultationId) => objectsLabelled(data.objects, consultationId),
            removeJournals: (consultationId) => removeJournals(journalsIn(dataFolder), consultationId),
            log: silent,
          },
          id.data,
        );
        if (!wasThere) {
          say('There is no such consultation.');
          return 1;
        }
        say(`Erased: the key is destroyed, and up to ${objects} objects are removed.`);
        if (!scrubbed)
          say('The database’s log may still hold the wrapped key, until the server has run again.');
        say('Backups can still open it until the next "backup" has replaced their keys.');
        return 0;
      } finally {
        await writer.close();
      }
    } finally {
      lock.close();
    }
  },
};

async function removeJournals(folder: string, consultationId: ConsultationId): Promise<void> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.journal'))) {
    const path = join(folder, name);
    await using source = await openFile(path);
    const label = readLabel(await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES)));
    if (label?.context['consultation'] === consultationId) await unlink(path);
  }
}

/** Every object whose label names the consultation, whatever the records know of. */
async function* objectsLabelled(
  objects: OpenedData['objects'],
  consultationId: ConsultationId,
): AsyncGenerator<string> {
  for await (const name of objects.list('')) {
    await using source = await objects.open(name);
    const label = readLabel(await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES)));
    if (label?.context['consultation'] === consultationId) yield name;
  }
}
