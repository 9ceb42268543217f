import { countByKey, describeCounts } from '../vault/count-by-key.ts';
import { readKeyFile } from '../vault/key-file.ts';
import { readRotationStatus } from '../vault/rotation-status.ts';
import { keyFileIn } from '../vault/server-keys.ts';
import type { Command } from './command.ts';
import { lockDataFolder, openData } from './data-folder.ts';

export const vaultStatus: Command = {
  name: 'vault status',
  usage: '',
  purpose: 'says which keys there are, what each of them wraps, and how far the server has sealed anew',
  takes: [],
  async run(context) {
    const { dataFolder, kms, say } = context;
    const file = await readKeyFile(keyFileIn(dataFolder));
    const current = kms?.keyId ?? file?.current ?? null;
    if (kms?.keyId != null) say(`a key service wraps: ${kms.keyId}`);
    using data = await openData(context);
    const counts = await countByKey(data.values);
    const known = new Set([
      ...(kms?.keyId == null ? [] : [kms.keyId]),
      ...(kms?.formerKeyIds ?? []),
      ...(file?.keys ?? []).map(({ id }) => id),
    ]);
    for (const keyId of new Set([...known, ...counts.keys()])) {
      const tables = counts.get(keyId);
      const created = file?.keys.find(({ id }) => id === keyId)?.created;
      const notes = [
        keyId === current ? 'current' : null,
        created === undefined ? null : `of ${created.slice(0, 10)}`,
        known.has(keyId) ? null : 'MISSING',
      ].filter((note) => note !== null);
      const wraps = tables === undefined ? 'wraps nothing' : `wraps ${describeCounts(tables)}`;
      say(`${keyId}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}: ${wraps}`);
    }
    say(await describeServer(dataFolder));
    return [...counts.keys()].every((keyId) => known.has(keyId)) ? 0 : 1;
  },
};

async function describeServer(dataFolder: string): Promise<string> {
  const lock = lockDataFolder(dataFolder);
  lock?.close();
  if (lock !== null) return 'no server runs: it seals anew when it does';
  const status = await readRotationStatus(dataFolder);
  if (status === null) return 'a server runs, and has not said yet how far it is';
  const failed = status.failed === 0 ? '' : `, ${status.failed} do not open: see "vault verify"`;
  switch (status.state) {
    case 'settled':
      return `a server runs: everything is under ${status.currentKeyId}${failed}`;
    case 'rewrapping':
    case 'waiting':
      return `a server runs and seals anew under ${status.currentKeyId}: ${status.rewrapped} done, ${status.remaining} to go${failed}`;
  }
}
