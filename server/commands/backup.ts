import { resolve } from 'node:path';
import { backUp } from '../backup/backup.ts';
import { type Command, onlyOperand, optionOf, UsageError } from './command.ts';
import { openData } from './data-folder.ts';

export const backupCommand: Command = {
  name: 'backup',
  usage: '<folder> [--keep <number of archives>]',
  purpose: 'makes a backup while the server runs, and takes what was erased out of the earlier ones',
  takes: ['keep'],
  async run(context) {
    const { dataFolder, say, now } = context;
    const folder = resolve(onlyOperand(context, 'folder'));
    const keep = optionOf(context, 'keep');
    if (keep !== undefined && !/^[1-9]\d{0,4}$/.test(keep))
      throw new UsageError('--keep takes a number of archives, 1 or more.');
    if (folder === resolve(dataFolder) || folder.startsWith(`${resolve(dataFolder)}/`))
      throw new UsageError('The backup must not lie in the data folder: what takes one takes both.');
    using data = await openData(context);
    const result = await backUp({
      dataFolder,
      db: data.db,
      objects: data.objects,
      folder,
      keep: keep === undefined ? null : Number(keep),
      now: now(),
    });
    say(`Archive ${result.archive}: ${result.objects} objects, ${result.copied} of them new.`);
    if (result.removed > 0)
      say(`${result.removed} objects that were erased are out of the earlier archives too.`);
    say('The key file is not in it. Keep a copy of the folder "keys" apart from this backup:');
    say('without the key file nothing of it can be read, and whoever has both can read everything.');
    return 0;
  },
};
