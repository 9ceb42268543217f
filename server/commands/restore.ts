import { join, resolve } from 'node:path';
import { restore } from '../backup/restore.ts';
import { type Command, optionOf, UsageError } from './command.ts';
import { openBeside } from './stores-beside.ts';

export const restoreCommand: Command = {
  name: 'restore',
  usage: '<folder> [--at <archive>] <new data folder>',
  purpose: 'puts the newest archive, or the one named, and the keys together as a new data folder',
  takes: ['at'],
  async run(context) {
    const { operands, say, objectPlaces } = context;
    const [folder, target, ...more] = operands;
    if (folder === undefined || target === undefined || more.length > 0)
      throw new UsageError('Name the backup’s folder and a new data folder.');
    const archive = optionOf(context, 'at') ?? null;
    // With a bucket as the first store the objects go there.
    const { first } = objectPlaces;
    const bucket = first.kind === 'disk' && first.dir === null ? null : await openBeside(first, '');
    const objects = bucket?.store ?? null;
    const result = await restore({
      folder: resolve(folder),
      archive,
      target: resolve(target),
      objects,
    }).finally(() => bucket?.close());
    say(`Archive ${result.archive} is restored in ${target}: ${result.objects} objects.`);
    if (result.erasedConsultations + result.erasedObjects > 0)
      say(
        `Erased since, and not restored: ${result.erasedConsultations} consultations, ${result.erasedObjects} objects.`,
      );
    say(
      `Now put the copy of the key file to ${join(target, 'keys', 'vault-keys.json')} (folder 0700, file 0600),`,
    );
    say(
      'with the other files of that folder, and run "vault verify" with --data before a server is started on it.',
    );
    return 0;
  },
};
