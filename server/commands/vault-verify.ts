import type { Command } from './command.ts';
import { openData, openKeys } from './data-folder.ts';
import { type Found, Verification } from './verify/verification.ts';

/** Between two lines of progress, in milliseconds. */
const PROGRESS_MS = 5_000;

export const vaultVerify: Command = {
  name: 'vault verify',
  usage: '',
  purpose: 'opens everything that is stored and names what does not open; exit code 1 when there is any',
  takes: [],
  async run(context) {
    const { dataFolder, kms, say, now } = context;
    using data = await openData(context);
    using keys = await openKeys(dataFolder, kms);
    let toldAt = now();
    const found = await new Verification({
      data,
      dataFolder,
      keys: keys.provider,
      onUnreadable: (what) => say(what),
      onProgress(progress) {
        if (now() - toldAt < PROGRESS_MS) return;
        toldAt = now();
        say(`… ${describe(progress)}`);
      },
    }).run();
    say(`${describe(found)}: ${found.unreadable === 0 ? 'everything opens' : 'NOT everything opens'}`);
    return found.unreadable === 0 ? 0 : 1;
  },
};

const describe = ({ consultations, erased, fields, values, objects, unreadable }: Found): string =>
  `${consultations} consultations (${erased} erased), ${fields} fields, ${values} other values, ${objects} objects, ${unreadable} unreadable`;
