import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CallTable, type TabledCall } from '@teleconsult/server/telephony/embedded/call-table';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { newBindingId, newPhoneCallId } from '../../../contract/relay.core.ts';
import { WrittenLog } from '../../../contract/relay.under-test.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const dialog = {
  callId: 'call-id',
  localTag: 'ours',
  remoteTag: 'theirs',
  local: 'sip:+8617000005555@127.0.71.50',
  remote: 'sip:+8613800001111@127.0.71.1',
  localSeq: 3,
  remoteSeq: null,
  routes: ['<sip:127.0.71.1;lr>'],
  target: 'sip:127.0.71.1:5060',
  flow: { protocol: 'udp', address: '127.0.71.1', port: 5060 },
} as const;

const callOf = (callRef: string, maxTalkMs = 1_000): TabledCall => ({
  callRef,
  relay: {
    bindingId: newBindingId(),
    phoneCallId: newPhoneCallId(),
    caller: 'a',
    answeredAt: 5,
    maxTalkMs,
    ended: null,
  },
  ringing: null,
  dialogs: [dialog],
});

async function tableIn(path: string, errors: unknown[] = []) {
  const keys = await openLocalKeyFile({ path: join(path, 'keys.json'), mayCreate: true, now: 0 });
  return CallTable.open(join(path, 'calls'), new Vault(keys), (error) => void errors.push(error));
}

test('[RLY52] what was put last is found by the next server, what was removed is not, in whatever order they came', async () => {
  await using dir = await tempDir();
  const table = await tableIn(dir.path);
  for (let time = 0; time < 20; time += 1) {
    table.put(callOf('one', time));
    table.put(callOf('two', time));
    table.remove('three');
    table.put(callOf('three', time));
    table.remove('three');
  }
  table.remove('two');
  await table.settled();
  const found = await (await tableIn(dir.path)).leftOver(new WrittenLog());
  expect(found).toMatchObject([{ callRef: 'one', relay: { maxTalkMs: 19 }, dialogs: [dialog] }]);
});

test('[RLY52] a file that was changed, cut, swapped or half written is removed, and stops nothing', async () => {
  await using dir = await tempDir();
  const table = await tableIn(dir.path);
  table.put(callOf('good'));
  await table.settled();
  const folder = join(dir.path, 'calls');
  await writeFile(join(folder, 'bad.call'), Buffer.from('not sealed'));
  await writeFile(join(folder, 'half.call.new'), Buffer.from('half'));
  const log = new WrittenLog();
  expect(await table.leftOver(log)).toMatchObject([{ callRef: 'good' }]);
  expect(await readdir(folder)).toEqual(['good.call']);
  expect(log.text).toContain('phone.tableUnreadable');
});

test('[RLY53] a table that cannot be written is told, and the calls go on', async () => {
  await using dir = await tempDir();
  const errors: unknown[] = [];
  const table = await tableIn(dir.path, errors);
  // A folder of that name is in its way.
  table.put({ ...callOf('gone/away') });
  await table.settled();
  expect(errors).toHaveLength(1);
  table.put(callOf('fine'));
  await table.settled();
  expect(await readdir(join(dir.path, 'calls'))).toEqual(['fine.call']);
});
