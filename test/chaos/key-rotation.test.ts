import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openData } from '../../server/commands/data-folder.ts';
import type { ObjectPlaces } from '../../server/storage/objects/object-store-settings.ts';
import { removeKey } from '../../server/vault/change-keys.ts';
import { countByKey } from '../../server/vault/count-by-key.ts';
import { readRotationStatus } from '../../server/vault/rotation-status.ts';
import { keyFileIn } from '../../server/vault/server-keys.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { type Acknowledged, DrillVisit, missingFrom } from '../server/backup/drill-visit.ts';
import { operate } from '../server/backup/operate.ts';
import { openDataFolder } from '../server/vault/stored-vault.fixtures.ts';

/** How often the key is rotated and the server killed in the middle of it. */
const ROUNDS = Number(process.env['TELECONSULT_TEST_ROTATIONS'] ?? 8);
/** Consultations and devices there are before the first rotation. */
const STORED = 250;
const DEVICES = 50;
/** Visits that are begun and written to in each round. */
const VISITS = 4;

const ON_DISK: ObjectPlaces = { first: { kind: 'disk', dir: null }, second: null };

async function keyIdsIn(dataDir: string): Promise<string[]> {
  const { keys } = JSON.parse(await readFile(keyFileIn(dataDir), 'utf8'));
  return keys.map(({ id }: { id: string }) => id);
}

/** How many keys wrap something, right now. */
async function keysInUse(dataDir: string): Promise<number> {
  using data = await openData({ dataFolder: dataDir, objectPlaces: ON_DISK });
  return (await countByKey(data.values)).size;
}

/** Begins visits and writes to them until the server is gone; what it acknowledged is kept. */
async function underLoad(server: ServerProcess, acknowledged: Acknowledged[]): Promise<Promise<void>[]> {
  const visits = await Promise.all(Array.from({ length: VISITS }, () => DrillVisit.begin(server.origin)));
  acknowledged.push(...visits.map((visit) => visit.acknowledged));
  return visits.map(async (visit) => {
    try {
      for (let number = 0; ; number += 1) await visit.say(`message ${number}`);
    } catch {
      // The server is gone.
    } finally {
      await visit[Symbol.asyncDispose]();
    }
  });
}

/** Rotates under load, kills the server in the middle of sealing anew, and starts again where that left it. */
async function rotations(dataDir: string, rounds: number) {
  const acknowledged: Acknowledged[] = [];
  let killedHalfway = 0;
  for (let round = 0; round < rounds; round += 1) {
    const server = await startServerProcess({ dataDir, port: await freePort() });
    try {
      const writing = await underLoad(server, acknowledged);
      expect(await operate(dataDir, 'vault', 'rotate')).toMatchObject({ code: 0 });
      server.child.kill('SIGHUP');
      const current = (await keyIdsIn(dataDir)).at(-1);
      // Somewhere between the first value sealed anew and the last.
      const upTo = randomInt(1, STORED);
      await eventually('the server to seal anew', async () => {
        using data = await openData({ dataFolder: dataDir, objectPlaces: ON_DISK });
        const done = (await countByKey(data.values)).get(current ?? '')?.get('consultation') ?? 0;
        return done >= upTo;
      });
      await server.kill();
      await Promise.all(writing);
      if ((await keysInUse(dataDir)) > 1) killedHalfway += 1;
    } finally {
      await server.kill();
    }
  }
  return { acknowledged, killedHalfway };
}

async function preparedFolder() {
  const data = await openDataFolder();
  for (let index = 0; index < STORED; index += 1) await data.addConsultation();
  for (let index = 0; index < DEVICES; index += 1)
    await data.addSubscription(`patient-${index}`, `device-${String(index).padStart(4, '0')}`);
  await data.store.close();
  return data;
}

test(`[E1] [VLT48] ${ROUNDS} rotations under load, the server killed in each: nothing is unreadable, also when the old keys are gone`, async () => {
  await using data = await preparedFolder();
  const { acknowledged, killedHalfway } = await rotations(data.path, ROUNDS);
  expect(killedHalfway).toBeGreaterThan(0);

  const server = await startServerProcess({ dataDir: data.path, port: await freePort() });
  try {
    const keyIds = await keyIdsIn(data.path);
    const current = keyIds.at(-1) ?? '';
    expect(keyIds).toHaveLength(ROUNDS + 1);
    await eventually(
      'everything to be under the newest key',
      async () => {
        const status = await readRotationStatus(data.path);
        return status?.pid === server.pid && status.state === 'settled' && status.currentKeyId === current;
      },
      { withinMs: 60_000, lastSeen: () => server.output() },
    );
    const inUse = await operate(data.path, 'vault', 'retire', current);
    expect(inUse).toMatchObject({ code: 1, said: expect.stringContaining('is the current key') });
    for (const keyId of keyIds.slice(0, -1))
      expect(await operate(data.path, 'vault', 'retire', keyId)).toMatchObject({ code: 0 });
    expect(await keyIdsIn(data.path)).toEqual([current]);
  } finally {
    await server.kill();
  }

  const verified = await operate(data.path, 'vault', 'verify');
  expect(verified).toMatchObject({ code: 0, said: expect.stringContaining(' 0 unreadable') });
  await using alone = await startServerProcess({ dataDir: data.path, port: await freePort() });
  for (const visit of acknowledged) expect(await missingFrom(alone.origin, visit)).toEqual([]);
  expect(acknowledged.flatMap(({ texts }) => texts).length).toBeGreaterThan(ROUNDS * VISITS);
}, 240_000);

test('[E1 sabotage] a key that is taken out of the file without asking who needs it is seen to be missed', async () => {
  await using data = await preparedFolder();
  const { killedHalfway } = await rotations(data.path, 1);
  expect(killedHalfway).toBe(1);
  const [former = ''] = await keyIdsIn(data.path);
  const refused = await operate(data.path, 'vault', 'retire', former);
  expect(refused).toMatchObject({ code: 1, said: expect.stringMatching(/it wraps \d+ of consultation/) });
  await removeKey(keyFileIn(data.path), former, async () => undefined);
  const verified = await operate(data.path, 'vault', 'verify');
  expect(verified.code).toBe(1);
  expect(verified.said).toMatch(/^cns_\w+: its key does not open$/m);
  const start = startServerProcess({ dataDir: data.path, port: await freePort() });
  await expect(start).rejects.toThrow(/wrapped under a key that is not there/);
}, 60_000);
