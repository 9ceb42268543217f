import { expect, test } from 'vitest';
import { readRotationStatus } from '../../../server/vault/rotation-status.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { DrillVisit, missingFrom } from '../backup/drill-visit.ts';
import { operate } from '../backup/operate.ts';
import { openDataFolder } from './stored-vault.fixtures.ts';

const gaugeOf = async (origin: string): Promise<number> => {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^teleconsult_vault_values_to_rewrap (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
};

test('[VLT42] a server notices a new key by itself, goes on serving, and tells how far it is', async () => {
  await using data = await openDataFolder();
  for (let index = 0; index < 20; index += 1) await data.addConsultation();
  await data.store.close();
  const former = data.keys.currentKeyId;
  await using server = await startServerProcess({ dataDir: data.path, port: await freePort() });
  await using visit = await DrillVisit.begin(server.origin);
  await visit.say('before');
  const { said } = await operate(data.path, 'vault', 'rotate');
  const added = /The current key is (key_\w+) now/.exec(said)?.[1];
  await eventually(
    'the server to have sealed everything anew',
    async () => {
      const status = await readRotationStatus(data.path);
      return status?.currentKeyId === added && status?.remaining === 0 && status.rewrapped >= 21;
    },
    { withinMs: 20_000, lastSeen: () => server.output() },
  );
  expect(await gaugeOf(server.origin)).toBe(0);
  expect(server.output()).toMatch(/"msg":"vault\.keysRead"/);
  expect(server.output()).toMatch(/"count":\d+,"msg":"vault\.rewrapped"/);
  await visit.say('after');
  expect(await missingFrom(server.origin, visit.acknowledged)).toEqual([]);

  // What was written while the key changed could still be under way: the old key stays until the server rules that out.
  const status = await operate(data.path, 'vault', 'status');
  expect(status.said).toContain(`${added} (current`);
  const retired = await operate(data.path, 'vault', 'retire', former);
  expect(retired).toMatchObject({ code: 1, said: expect.stringContaining('still sealing anew') });
}, 60_000);

test('[VLT45] a server that is told to look at its keys again does not end for it', async () => {
  await using data = await openDataFolder();
  await data.store.close();
  await using server = await startServerProcess({ dataDir: data.path, port: await freePort() });
  await operate(data.path, 'vault', 'rotate');
  server.child.kill('SIGHUP');
  await eventually('the keys to be read', () => server.output().includes('vault.keysRead'), {
    withinMs: 4_000,
  });
  expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
});
