import { chown, copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { addCurrentKey, removeKey } from '../../../server/vault/change-keys.ts';
import { countByKey } from '../../../server/vault/count-by-key.ts';
import { lockKeyFile } from '../../../server/vault/key-file-lock.ts';
import { openLocalKeyFile } from '../../../server/vault/local-key-file.ts';
import { rewrap } from '../../../server/vault/rewrap.ts';
import { Rewrapper } from '../../../server/vault/rewrapper.ts';
import { readLabel } from '../../../server/vault/sealed-label.ts';
import { ServerKeys } from '../../../server/vault/server-keys.ts';
import { Vault } from '../../../server/vault/vault.ts';
import type { WrappedValues } from '../../../server/vault/wrapped-values.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type DataFolder, keptLog, openDataFolder } from './stored-vault.fixtures.ts';
import { consultation, openVault } from './vault.fixtures.ts';

const needed = expect.objectContaining({ name: 'VaultError', reason: 'KEY_NEEDED' });
const nothing = async () => undefined;

const openRewrapper = (data: DataFolder, values: WrappedValues = data.store.wrappedValues, settleMs = 0) => {
  const rewrapper = new Rewrapper({
    values,
    keys: data.keys,
    clock: () => performance.now(),
    log: data.log,
    settleMs,
    onSettled: () => data.keys.dropVanished(),
  });
  data.keys.onChange(() => rewrapper.wake());
  rewrapper.start();
  return Object.assign(rewrapper, { [Symbol.asyncDispose]: () => rewrapper.close() });
};

const settled = (rewrapper: Rewrapper, keyId: string) =>
  eventually(
    'everything to be under the current key',
    () => rewrapper.progress.state === 'settled' && rewrapper.progress.currentKeyId === keyId,
    { lastSeen: () => rewrapper.progress },
  );

const keyIdsOf = async (data: DataFolder) => [...(await countByKey(data.store.wrappedValues)).keys()];

const wrappedKeyOf = async (data: DataFolder, id: ConsultationId): Promise<Uint8Array> =>
  (await data.store.load(id))?.wrappedKey ?? new Uint8Array();

test('[VLT41] a rotation adds a key to the file, whole, for its owner alone, and makes it current', async () => {
  await using data = await openDataFolder();
  const before = JSON.parse(await readFile(data.keyFile, 'utf8'));
  const { added, former } = await addCurrentKey(data.keyFile, Date.UTC(2026, 10, 22));
  const after = JSON.parse(await readFile(data.keyFile, 'utf8'));
  expect(former).toBe(before.current);
  expect(after).toEqual({
    keys: [...before.keys, { id: added, created: '2026-11-22T00:00:00.000Z', material: expect.any(String) }],
    current: added,
  });
  expect((await stat(data.keyFile)).mode & 0o777).toBe(0o600);
});

test.skipIf(process.getuid?.() !== 0)(
  '[VLT41] a key file that root changes stays the server’s user’s',
  async () => {
    await using data = await openDataFolder();
    await chown(data.keyFile, 4242, 4243);
    await addCurrentKey(data.keyFile, 0);
    expect(await stat(data.keyFile)).toMatchObject({ uid: 4242, gid: 4243 });
  },
);

test('[VLT41] two commands never change the key file at once', async () => {
  await using data = await openDataFolder();
  {
    using _held = await lockKeyFile(data.keyFile);
    await expect(addCurrentKey(data.keyFile, 0)).rejects.toMatchObject({ reason: 'KEY_FILE_UNAVAILABLE' });
  }
  const turns = await Promise.allSettled(Array.from({ length: 5 }, () => addCurrentKey(data.keyFile, 0)));
  const added = turns.flatMap((turn) => (turn.status === 'fulfilled' ? [turn.value.added] : []));
  const { keys } = JSON.parse(await readFile(data.keyFile, 'utf8'));
  expect(keys.map(({ id }: { id: string }) => id).slice(1)).toEqual(added);
});

test('[VLT42] a server that runs takes up a new key, and seals every consultation’s key and person’s record anew', async () => {
  await using data = await openDataFolder();
  const one = await data.addConsultation('first');
  const two = await data.addConsultation('second');
  const { context } = await data.addSubscription('patient-1', 'device-0001', 'where it is reached');
  await using rewrapper = openRewrapper(data);
  const { added } = await addCurrentKey(data.keyFile, 0);
  await data.keys.look();
  await settled(rewrapper, added);
  expect(await keyIdsOf(data)).toEqual([added]);
  expect(rewrapper.progress).toMatchObject({ remaining: 0, rewrapped: 3, failed: 0 });

  // With the new key alone: the same keys, which open what the old ones sealed.
  const file = JSON.parse(await readFile(data.keyFile, 'utf8'));
  await removeKey(data.keyFile, file.keys[0].id, nothing);
  const alone = new Vault(await openLocalKeyFile({ path: data.keyFile, mayCreate: false, now: 0 }));
  for (const { id, key } of [one, two]) {
    const again = await alone.openConsultationKey(id, await wrappedKeyOf(data, id));
    expect(again.open(key.seal('kept', 'x'), 'x').toString()).toBe('kept');
  }
  const [record] = await data.store.people.subscriptions('patient-1' as PersonId);
  const opened = await alone.openRecord(record?.sealed ?? new Uint8Array(), context);
  expect(opened.toString()).toBe('where it is reached');
});

test('[VLT43] what is sealed anew has a data key, a message and nonces of its own, and the same context', async () => {
  await using opened = await openVault();
  const anew = await rewrap(opened.keys, opened.wrapped);
  const [before, after] = [readLabel(opened.wrapped), readLabel(anew)];
  expect(after?.context).toEqual(before?.context);
  expect(after?.frameLength).toBe(before?.frameLength);
  expect(after?.messageId).not.toBe(before?.messageId);
  expect(Buffer.from(anew).includes(Buffer.from(opened.wrapped.subarray(-48)))).toBe(false);
  const again = await opened.vault.openConsultationKey(consultation('A'), anew);
  expect(again.open(opened.key.seal('same', 'x'), 'x').toString()).toBe('same');
});

test('[VLT43] a value that somebody moved to another row is still refused there after it was sealed anew', async () => {
  await using opened = await openVault();
  const anew = await rewrap(opened.keys, opened.wrapped);
  await expect(opened.vault.openConsultationKey(consultation('B'), anew)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
});

/** Somebody writes a value between its being read and its being replaced. */
function writtenMeanwhile(values: WrappedValues, write: () => Promise<void>): WrappedValues {
  let isWritten = false;
  return {
    columns: () => values.columns(),
    page: (column, options) => values.page(column, options),
    async replace(column, value, by) {
      if (!isWritten) {
        isWritten = true;
        await write();
      }
      return values.replace(column, value, by);
    },
  };
}

async function subscribesWhileRewrapped(wrap: (values: WrappedValues) => WrappedValues): Promise<string> {
  await using data = await openDataFolder();
  const { context } = await data.addSubscription('patient-1', 'device-0001', 'the old address');
  const { added } = await addCurrentKey(data.keyFile, 0);
  await data.keys.look();
  const values = writtenMeanwhile(wrap(data.store.wrappedValues), async () => {
    await data.addSubscription('patient-1', 'device-0001', 'the new address');
  });
  await using rewrapper = openRewrapper(data, values);
  await settled(rewrapper, added);
  const [record] = await data.store.people.subscriptions('patient-1' as PersonId);
  return (await data.vault.openRecord(record?.sealed ?? new Uint8Array(), context)).toString();
}

test('[VLT44] what is written while it is sealed anew is not lost', async () => {
  expect(await subscribesWhileRewrapped((values) => values)).toBe('the new address');
});

test('[VLT44 sabotage] without compare-and-set the old value comes back', async () => {
  const careless = (values: WrappedValues): WrappedValues => ({
    columns: () => values.columns(),
    page: (column, options) => values.page(column, options),
    async replace(column, value, by) {
      const page = values.page(column, { after: null, limit: 100 });
      const present = page.values.find(({ row }) => row.join() === value.row.join());
      return values.replace(column, present ?? value, by);
    },
  });
  expect(await subscribesWhileRewrapped(careless)).toBe('the old address');
});

test('[VLT44] a pass that was cut off goes on where it was, and a row that does not open keeps none of the others', async () => {
  await using data = await openDataFolder();
  for (let index = 0; index < 30; index += 1) await data.addConsultation();
  const { id: bad } = await data.addConsultation();
  const { added, former } = await addCurrentKey(data.keyFile, 0);
  await data.keys.look();
  {
    await using first = openRewrapper(data);
    await eventually('some to be sealed anew', () => first.progress.rewrapped > 3);
  }
  const half = await countByKey(data.store.wrappedValues);
  expect([...half.keys()].toSorted()).toEqual([added, former].toSorted());

  const column = data.store.wrappedValues.columns().find(({ table }) => table === 'consultation');
  if (column === undefined) throw new Error('no column of keys');
  const wrapped = await wrappedKeyOf(data, bad);
  const broken = Uint8Array.from(wrapped);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  await data.store.wrappedValues.replace(column, { row: [bad], sealed: wrapped }, broken);
  const wasDone = (half.get(added)?.get('consultation') ?? 0) > 0;
  expect(wasDone).toBe(true);

  await using second = openRewrapper(data);
  await eventually(
    'all but the broken one',
    () => second.progress.state === 'waiting' || second.progress.state === 'settled',
  );
  const counts = await countByKey(data.store.wrappedValues);
  expect((counts.get(added)?.get('consultation') ?? 0) + (counts.get(former)?.get('consultation') ?? 0)).toBe(
    31,
  );
  expect(counts.get(former)?.get('consultation') ?? 0).toBeLessThanOrEqual(1);
});

test('[VLT45] a key file that is damaged, exposed or gone while the server runs changes nothing and is told once', async () => {
  await using data = await openDataFolder();
  const { id } = await data.addConsultation();
  const { currentKeyId } = data.keys;
  await copyFile(data.keyFile, `${data.keyFile}.copy`);
  await writeFile(data.keyFile, '{"keys": [');
  await data.keys.look();
  await data.keys.look();
  expect(data.keys.currentKeyId).toBe(currentKeyId);
  await data.vault.openConsultationKey(id, await wrappedKeyOf(data, id));
  const complaints = data.log.lines.filter(({ step }) => step === 'vault.keyFileRefused');
  expect(complaints.map(({ fields }) => fields.reason)).toEqual(['KEY_FILE_MALFORMED']);

  await copyFile(`${data.keyFile}.copy`, data.keyFile);
  const { added } = await addCurrentKey(data.keyFile, 0);
  await data.keys.look();
  expect(data.keys.currentKeyId).toBe(added);
});

test('[VLT45] a key that goes from the file is kept in memory until nothing needs it', async () => {
  await using data = await openDataFolder();
  const { added, former } = await addCurrentKey(data.keyFile, 0);
  // Sealed under the former key after the file was changed, before it was looked at.
  const { id } = await data.addConsultation();
  await removeKey(data.keyFile, former, nothing);
  await data.keys.look();
  expect(data.keys.keyIds).toContain(former);
  await using rewrapper = openRewrapper(data);
  await settled(rewrapper, added);
  expect(data.keys.keyIds).toEqual([added]);
  await data.vault.openConsultationKey(id, await wrappedKeyOf(data, id));
});

test('[VLT41] what a killed change of the key file has left goes with the next one, the retired key with it', async () => {
  await using data = await openDataFolder();
  const { former } = await addCurrentKey(data.keyFile, 0);
  await copyFile(data.keyFile, `${data.keyFile}.0123456789abcdef.new`);
  await removeKey(data.keyFile, former, nothing);
  const folder = dirname(data.keyFile);
  for (const name of await readdir(folder))
    expect(await readFile(`${folder}/${name}`, 'utf8'), name).not.toContain(former);
});

test('[VLT46] the current key, and one that is not there, cannot be taken out of the file', async () => {
  await using data = await openDataFolder();
  await expect(removeKey(data.keyFile, data.keys.currentKeyId, nothing)).rejects.toEqual(needed);
  await expect(removeKey(data.keyFile, 'key_0000000000000000', nothing)).rejects.toMatchObject({
    reason: 'KEY_UNKNOWN',
  });
});

test('[E8] [VLT47] no start when something stored needs a key that was taken out of the file', async () => {
  await using data = await openDataFolder();
  await data.addConsultation();
  await data.addSubscription('patient-1', 'device-0001');
  const { former } = await addCurrentKey(data.keyFile, 0);
  await removeKey(data.keyFile, former, nothing);
  const start = async () => {
    const keys = await ServerKeys.open({
      dataFolder: data.path,
      hasData: true,
      kms: null,
      log: keptLog(),
      clock: () => 0,
    });
    try {
      await keys.startRotation({ values: data.store.wrappedValues, pid: 1, now: () => 0 });
    } finally {
      await keys.close();
    }
  };
  await expect(start()).rejects.toMatchObject({
    name: 'VaultError',
    reason: 'KEY_MISSING',
    message: expect.stringContaining(`${former} (1 of consultation, 1 of push_subscription)`),
  });
});

test('[VLT42] only a pass that began long enough after the change says that everything is under the new key', async () => {
  await using data = await openDataFolder();
  await using rewrapper = openRewrapper(data, data.store.wrappedValues, 3_600_000);
  await settled(rewrapper, data.keys.currentKeyId);
  await addCurrentKey(data.keyFile, 0);
  await data.keys.look();
  await eventually('a pass to be over', () => rewrapper.progress.state === 'waiting');
  expect(rewrapper.progress.remaining).toBe(0);
});
