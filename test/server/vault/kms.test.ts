import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { AppError } from '@teleconsult/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kmsOf, readConfig } from '../../../server/config.ts';
import { countByKey } from '../../../server/vault/count-by-key.ts';
import { type KmsOptions, openKms } from '../../../server/vault/kms-key-provider.ts';
import { readLabel } from '../../../server/vault/sealed-label.ts';
import { keyFileIn, ServerKeys } from '../../../server/vault/server-keys.ts';
import { Vault } from '../../../server/vault/vault.ts';
import { eventually } from '../../helpers/eventually.ts';
import { KMS_KEY, OTHER_KMS_KEY, startKmsStub } from './kms-stub.ts';
import { keptLog, openDataFolder } from './stored-vault.fixtures.ts';
import { consultation, openFolder, openOne, sealOne } from './vault.fixtures.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
const former = new Map<string, string | undefined>();

beforeAll(() => {
  for (const [name, value] of Object.entries(CREDENTIALS)) {
    former.set(name, process.env[name]);
    process.env[name] = value;
  }
});

afterAll(() => {
  for (const [name, value] of former)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

const unavailable = expect.objectContaining({ code: 'STORAGE_UNAVAILABLE', retryable: true });

async function openKmsVault(options: Partial<KmsOptions> = {}) {
  const stub = await startKmsStub();
  const keys = openKms({
    keyId: KMS_KEY,
    formerKeyIds: [],
    endpoint: stub.endpoint,
    answerMs: 400,
    ...options,
  });
  return {
    stub,
    keys,
    vault: new Vault(keys),
    [Symbol.asyncDispose]: async () => {
      keys.close();
      await stub[Symbol.asyncDispose]();
    },
  };
}

test('[VLT50] a key service wraps consultations’ keys, objects and records, each bound to what it is', async () => {
  await using opened = await openKmsVault();
  const { vault, stub } = opened;
  const { key, wrapped } = await vault.createConsultationKey(consultation('A'));
  const sealed = key.seal('kept', 'message|1');
  const again = await vault.openConsultationKey(consultation('A'), wrapped);
  expect(again.open(sealed, 'message|1').toString()).toBe('kept');
  await expect(vault.openConsultationKey(consultation('B'), wrapped)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
  const record = await vault.sealRecord(Buffer.from('x'), { purpose: 'push-subscription', person: 'p' });
  expect((await vault.openRecord(record, { purpose: 'push-subscription', person: 'p' })).toString()).toBe(
    'x',
  );
  expect((await openOne(vault, await sealOne(vault, Buffer.from('y')))).toString()).toBe('y');
  expect(readLabel(wrapped)?.wrappedUnder).toEqual([{ by: 'provider', keyId: KMS_KEY }]);
  expect(new Set(stub.asked)).toEqual(new Set(['GenerateDataKey', 'Decrypt']));
});

test('[VLT50] fields and objects of a consultation whose key is open ask the service nothing', async () => {
  await using opened = await openKmsVault();
  const { vault, stub } = opened;
  const { key } = await vault.createConsultationKey(consultation('A'));
  const asked = stub.asked.length;
  await stub.goAway();
  for (let index = 0; index < 20; index += 1) key.open(key.seal('x', `message|${index}`), `message|${index}`);
  expect((await openOne(vault, await sealOne(vault, Buffer.from('y'), { key }), { key })).toString()).toBe(
    'y',
  );
  expect(stub.asked).toHaveLength(asked);
});

test('[VLT51] a service that throttles or fails for a moment is asked again', async () => {
  await using opened = await openKmsVault();
  const { vault, stub } = opened;
  stub.next('throttle', 'fail');
  const { wrapped } = await vault.createConsultationKey(consultation('A'));
  stub.next('throttle', 'fail', 'throttle');
  await vault.openConsultationKey(consultation('A'), wrapped);
  expect(stub.asked).toHaveLength(3 + 4);
});

test.each(['throttle', 'fail', 'hang', 'deny'] as const)(
  '[VLT51] a service that goes on to %s is an error that may be retried, and is forgotten once it answers',
  async (trouble) => {
    await using opened = await openKmsVault({ answerMs: 150 });
    const { vault, stub } = opened;
    const { wrapped } = await vault.createConsultationKey(consultation('A'));
    stub.always(trouble);
    await expect(vault.openConsultationKey(consultation('A'), wrapped)).rejects.toEqual(unavailable);
    await expect(vault.createConsultationKey(consultation('B'))).rejects.toEqual(unavailable);
    stub.always(null);
    await vault.openConsultationKey(consultation('A'), wrapped);
  },
);

test('[VLT51] a service that cannot be reached is an error that may be retried, in time', async () => {
  await using opened = await openKmsVault();
  const { vault, stub } = opened;
  const { wrapped } = await vault.createConsultationKey(consultation('A'));
  await stub.goAway();
  const startedAt = performance.now();
  await expect(vault.openConsultationKey(consultation('A'), wrapped)).rejects.toEqual(unavailable);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await stub.comeBack();
  await vault.openConsultationKey(consultation('A'), wrapped);
});

test('[VLT50] only keys that are configured are asked for, and a changed wrapped key is refused, not retried', async () => {
  await using opened = await openKmsVault();
  const { vault, stub } = opened;
  const { wrapped } = await vault.createConsultationKey(consultation('A'));
  const other = openKms({ keyId: OTHER_KMS_KEY, formerKeyIds: [], endpoint: stub.endpoint });
  const asked = stub.asked.length;
  await expect(new Vault(other).openConsultationKey(consultation('A'), wrapped)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
  expect(stub.asked).toHaveLength(asked);
  other.close();
  const at = Buffer.from(wrapped).indexOf(KMS_KEY) + KMS_KEY.length + 20;
  const changed = Uint8Array.from(wrapped);
  changed[at] = (changed[at] ?? 0) ^ 1;
  await expect(vault.openConsultationKey(consultation('A'), changed)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
  expect(stub.asked).toHaveLength(asked + 1);
});

test('[VLT52] a server that moves from the key file to a service, to another key of it, and back, seals everything anew', async () => {
  await using data = await openDataFolder();
  await using stub = await startKmsStub();
  const { id, key } = await data.addConsultation();
  await data.addSubscription('patient-1', 'device-0001');
  const moveTo = async (kms: KmsOptions) => {
    const keys = await ServerKeys.open({
      dataFolder: data.path,
      hasData: true,
      kms,
      log: keptLog(),
      clock: () => performance.now(),
    });
    try {
      await keys.startRotation({ values: data.store.wrappedValues, pid: 1, now: () => 0 });
      await eventually('everything to be sealed anew', () => keys.progress?.state === 'settled', {
        lastSeen: () => keys.progress,
      });
      const stored = await data.store.load(id);
      const again = await new Vault(keys.provider).openConsultationKey(
        id,
        stored?.wrappedKey ?? new Uint8Array(),
      );
      expect(again.open(key.seal('kept', 'x'), 'x').toString()).toBe('kept');
    } finally {
      await keys.close();
    }
    return [...(await countByKey(data.store.wrappedValues)).keys()];
  };
  const { endpoint } = stub;
  expect(await moveTo({ keyId: KMS_KEY, formerKeyIds: [], endpoint })).toEqual([KMS_KEY]);
  expect(await moveTo({ keyId: OTHER_KMS_KEY, formerKeyIds: [KMS_KEY], endpoint })).toEqual([OTHER_KMS_KEY]);
  // Back to a file, which is made anew.
  await rm(data.keyFile);
  const back = await moveTo({ keyId: null, formerKeyIds: [OTHER_KMS_KEY], endpoint });
  expect(back).toEqual([JSON.parse(await readFile(data.keyFile, 'utf8')).current]);
});

test('[E8] [VLT52] with a service no key file is made, and no start when its key is not the one that is needed', async () => {
  await using folder = await openFolder();
  await using data = await openDataFolder();
  await data.addConsultation();
  const open = (dataFolder: string, kms: KmsOptions | null) =>
    ServerKeys.open({ dataFolder, hasData: false, kms, log: keptLog(), clock: () => 0 });
  const kms = { keyId: KMS_KEY, formerKeyIds: [], endpoint: 'http://127.0.0.1:1' };
  const keys = await open(folder.path, kms);
  expect(existsSync(keyFileIn(folder.path))).toBe(false);
  await expect(
    keys.startRotation({ values: data.store.wrappedValues, pid: 1, now: () => 0 }),
  ).rejects.toMatchObject({ reason: 'KEY_MISSING' });
  await keys.close();
  // Nor with a file made anew where the service does not open what is stored.
  const lost = await open(folder.path, { ...kms, keyId: null, formerKeyIds: [KMS_KEY] });
  await expect(
    lost.startRotation({ values: data.store.wrappedValues, pid: 1, now: () => 0 }),
  ).rejects.toMatchObject({ reason: 'KEY_MISSING' });
  await lost.close();
});

test('[VLT52] settings name a key by its ARN, and the service by an address that is encrypted or on this machine', () => {
  const settings = (more: Record<string, string>) =>
    readConfig({ TELECONSULT_VAULT_KMS_KEY_ID: KMS_KEY, ...more });
  expect(settings({}).kms).toEqual({ keyId: KMS_KEY, formerKeyIds: [], endpoint: undefined });
  expect(kmsOf({ VAULT_KMS_FORMER_KEY_IDS: [], VAULT_KMS_KEY_ID: undefined })).toBeNull();
  for (const wrong of [
    { TELECONSULT_VAULT_KMS_KEY_ID: 'alias/hospital' },
    { TELECONSULT_VAULT_KMS_KEY_ID: 'arn:aws:kms:cn-north-1:000000000000:alias/hospital' },
    { TELECONSULT_VAULT_KMS_FORMER_KEY_IDS: `${KMS_KEY},x` },
    { TELECONSULT_VAULT_KMS_ENDPOINT: 'http://kms.example.org' },
  ])
    expect(() => settings(wrong)).toThrow(/VAULT_KMS/);
  // Its author believes that a service wraps, and the file would.
  expect(() => readConfig({ TELECONSULT_VAULT_KMS_ENDPOINT: 'https://kms.example.org' })).toThrow(
    /VAULT_KMS_ENDPOINT is set and not used/,
  );
});

test('[VLT51] an error of the service says nothing of what was asked', async () => {
  await using opened = await openKmsVault({ answerMs: 150 });
  opened.stub.always('deny');
  const failure: unknown = await opened.vault
    .createConsultationKey(consultation('A'))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppError);
  expect(String(failure)).not.toContain('arn:');
});
