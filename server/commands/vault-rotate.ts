import { addCurrentKey } from '../vault/change-keys.ts';
import { keyFileIn } from '../vault/server-keys.ts';
import type { Command } from './command.ts';

export const vaultRotate: Command = {
  name: 'vault rotate',
  usage: '',
  purpose: 'adds a key to the key file and makes it the current one; a running server takes it up by itself',
  takes: [],
  async run({ dataFolder, kms, say, now }) {
    if (kms?.keyId != null) {
      say(
        'A key service wraps here: rotate its key there, or set TELECONSULT_VAULT_KMS_KEY_ID to another key',
      );
      say('and name the former one in TELECONSULT_VAULT_KMS_FORMER_KEY_IDS. Nothing was changed.');
      return 1;
    }
    const { added, former } = await addCurrentKey(keyFileIn(dataFolder), now());
    say(`The current key is ${added} now. ${former} still opens what it wrapped.`);
    say('1. Copy the key file to where its backup is, now: what is written from here on needs the new key.');
    say(
      '2. "vault status" says when everything is sealed anew under it. The server does that while it runs.',
    );
    say(`3. Then make a backup, and only then: "vault retire ${former}".`);
    return 0;
  },
};
