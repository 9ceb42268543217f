import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { buildClient, CommitmentPolicy } from '@aws-crypto/client-node';
import { AppError } from '@teleconsult/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource } from '../../../server/storage/objects/memory-source.ts';
import type { ObjectContext } from '../../../server/vault/encryption-context.ts';
import { openLocalKeyFile } from '../../../server/vault/local-key-file.ts';
import { openSealedObject } from '../../../server/vault/sealed-object.ts';
import { Vault } from '../../../server/vault/vault.ts';
import { openByHand } from './by-hand.ts';
import {
  additions,
  type Changed,
  everyBit,
  everyCut,
  opensAsAnother,
  repeats,
  unnoticedChanges,
} from './claims.ts';
import {
  consultation,
  contextOf,
  inChunks,
  openFolder,
  openOne,
  openVault,
  sealOne,
} from './vault.fixtures.ts';

/** The AWS Encryption SDK as its makers mean it to be used, to compare with. */
const encryptionSdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

const FRAME = 32;
/** Sealed bytes of a frame of 32, and of a last frame of 5. */
const STRIDE = FRAME + 32;
const LAST = 5 + 40;

test.each([1, 7, 16, 4096, 65_536])(
  '[VLT3] what was sealed in frames of %i opens, whatever its length',
  async (frameLength) => {
    await using opened = await openVault();
    const lengths = [
      0,
      1,
      frameLength - 1,
      frameLength,
      frameLength + 1,
      3 * frameLength,
      3 * frameLength + 1,
    ];
    for (const length of lengths) {
      const plain = randomBytes(Math.min(length, 200_000));
      for (const key of [undefined, opened.key]) {
        const sealed = await sealOne(opened.vault, plain, { frameLength, key });
        expect(await openOne(opened.vault, sealed, { key })).toEqual(plain);
      }
    }
  },
);

test('[E4] [VLT3] every changed bit, cut and addition of a sealed object is noticed', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const plain = randomBytes(2 * FRAME + 5);
  const sealed = await sealOne(vault, plain, { frameLength: FRAME });
  const open = (bytes: Uint8Array) => openOne(vault, bytes);
  for (const changes of [everyBit, everyCut, additions])
    expect(await unnoticedChanges(changes(sealed), open)).toEqual([]);
  expect(await open(sealed)).toEqual(plain);
});

test('[E4] [VLT3] frames that were swapped, repeated, dropped or taken from elsewhere are noticed', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const options = { frameLength: FRAME };
  const sealed = await sealOne(vault, Buffer.alloc(5 * FRAME + 5, 'a'), options);
  // The same plaintext sealed as the same object: only the data key differs.
  const twin = await sealOne(vault, Buffer.alloc(5 * FRAME + 5, 'a'), options);
  expect(await unnoticedChanges(movedFrames(sealed, twin), (bytes) => openOne(vault, bytes))).toEqual([]);
});

test('[E4] [VLT3] a cut or lengthened object is refused when it is opened, before any of it is read', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const sealed = await sealOne(vault, Buffer.alloc(5 * FRAME + 5, 'a'), { frameLength: FRAME });
  const open = (bytes: Uint8Array) => vault.open(memorySource(bytes), { context: contextOf() });
  for (const changes of [everyCut, additions])
    expect(await unnoticedChanges(changes(sealed), open)).toEqual([]);
});

test('[E4] [VLT3] no byte of a bad frame is handed out, and none after it', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const plain = randomBytes(10 * FRAME);
  const sealed = await sealOne(vault, plain, { frameLength: FRAME });
  const bodyStart = sealed.byteLength - 10 * STRIDE - 40;
  const bad = 6;
  const at = bodyStart + bad * STRIDE + 20;
  sealed[at] = (sealed[at] ?? 0) ^ 1;
  const object = await vault.open(memorySource(sealed), { context: contextOf() });
  const got: Buffer[] = [];
  const reading = async () => {
    for await (const chunk of object.read()) got.push(chunk as Buffer);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'INTEGRITY' });
  const bytes = Buffer.concat(got);
  expect(bytes.byteLength).toBeLessThanOrEqual(bad * FRAME);
  expect(bytes).toEqual(plain.subarray(0, bytes.byteLength));
  // The frames around it are whole, and a range that does not touch it can be read.
  expect(await buffer(object.read({ start: (bad + 1) * FRAME, endExclusive: 10 * FRAME }))).toEqual(
    plain.subarray((bad + 1) * FRAME),
  );
});

test('[E4 sabotage] a cipher without tags, in frames without numbers, notices nothing', async () => {
  const fields = encryptedOnly();
  const sealed = fields.seal(Buffer.alloc(5 * FRAME + 5, 'a'));
  expect(await unnoticedChanges(everyCut(sealed), fields.open)).toContain('cut to 60');
  expect(await unnoticedChanges(everyBit(sealed), fields.open)).toContain('bit 0 of byte 100');
});

test('[M11] [VLT5] 500 random ranges equal the bytes', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const plain = randomBytes(3_000_017);
  for (const frameLength of [1000, 4096, 65_536, 1_000_000]) {
    const sealed = await sealOne(vault, plain, { frameLength });
    const object = await vault.open(memorySource(sealed), { context: contextOf() });
    expect(object.byteSize).toBe(plain.byteLength);
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.byteLength), fc.nat(200_000), async (start, length) => {
        const endExclusive = Math.min(plain.byteLength, start + length);
        const part = await buffer(object.read({ start, endExclusive }));
        expect(part.equals(plain.subarray(start, endExclusive))).toBe(true);
      }),
      { numRuns: 125 },
    );
  }
});

test('[VLT5] a range fetches the frames it touches and no others', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const sealed = await sealOne(vault, randomBytes(1_000_000), { frameLength: 4096 });
  const memory = memorySource(sealed);
  let fetched = 0;
  const counting = {
    ...memory,
    read: (start: number, endExclusive: number) => {
      fetched += endExclusive - start;
      return memory.read(start, endExclusive);
    },
  };
  const object = await vault.open(counting, { context: contextOf() });
  expect(fetched).toBeLessThan(8192 + 4096 + 40);
  fetched = 0;
  await buffer(object.read({ start: 500_000, endExclusive: 500_100 }));
  expect(fetched).toBeLessThanOrEqual(2 * (4096 + 32));
});

test.each([
  [-1, 5],
  [0, 11],
  [6, 5],
  [0.5, 5],
  [0, Number.NaN],
])('[VLT5] a range from %d to %d of ten bytes is refused', async (start, endExclusive) => {
  await using opened = await openVault();
  const sealed = await sealOne(opened.vault, Buffer.alloc(10));
  const object = await opened.vault.open(memorySource(sealed), { context: contextOf() });
  expect(() => object.read({ start, endExclusive })).toThrow(RangeError);
});

const contexts: readonly ObjectContext[] = [
  contextOf(),
  contextOf({ consultation: consultation('B') }),
  contextOf({ purpose: 'recording' }),
  contextOf({ object: 'att_2' }),
  contextOf({ tenant: 'clinic-1' }),
  contextOf({ tenant: 'clinic-2' }),
];

test('[M12] [VLT4] swapped objects do not open', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const sealed = await Promise.all(
    contexts.map(async (context) => ({
      place: context,
      bytes: await sealOne(vault, Buffer.from('same'), { context }),
    })),
  );
  expect(await opensAsAnother(sealed, (bytes, context) => openOne(vault, bytes, { context }))).toEqual([]);
});

test('[M12] [VLT4] objects of one consultation’s key do not open with another’s, or with none', async () => {
  await using opened = await openVault();
  const { vault, key } = opened;
  const { key: newer } = await vault.createConsultationKey(consultation('A'));
  const sealed = await sealOne(vault, Buffer.from('x'), { key });
  await expect(openOne(vault, sealed, { key: newer })).rejects.toMatchObject({ code: 'INTEGRITY' });
  await expect(openOne(vault, sealed)).rejects.toMatchObject({ code: 'INTEGRITY' });
  const bare = await sealOne(vault, Buffer.from('x'));
  await expect(openOne(vault, bare, { key })).rejects.toMatchObject({ code: 'INTEGRITY' });
  await expect(async () =>
    sealOne(vault, Buffer.from('x'), { key, context: contextOf({ consultation: consultation('B') }) }),
  ).rejects.toThrow(TypeError);
});

test('[M12 sabotage] an opener that believes the header is seen to open swapped objects', async () => {
  await using opened = await openVault();
  const { vault, keys } = opened;
  const sealed = await Promise.all(
    contexts.slice(0, 2).map(async (context) => ({
      place: context,
      bytes: await sealOne(vault, Buffer.from('same'), { context }),
    })),
  );
  const wrong = await opensAsAnother(sealed, async (bytes) => {
    const { messageHeader } = await encryptionSdk.decrypt(keys.unwrapping, Buffer.from(bytes));
    const source = memorySource(bytes);
    const options = { keyring: keys.unwrapping, encryptionContext: messageHeader.encryptionContext };
    return buffer((await openSealedObject(source, options)).read());
  });
  expect(wrong).toHaveLength(2);
});

test('[VLT9] what was sealed with a consultation’s key needs that key, and outlives a rotation without being touched', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const vault = new Vault(await openLocalKeyFile({ path, mayCreate: true, now: 0 }));
  const { key, wrapped } = await vault.createConsultationKey(consultation('A'));
  const sealed = await sealOne(vault, Buffer.from('picture'), { key });
  // Another vault, with other keys, and nothing but the consultation's secret in common: as after a rewrap.
  await using other = await openVault();
  const secretHolder = await vault.openConsultationKey(consultation('A'), wrapped);
  expect((await openOne(other.vault, sealed, { key: secretHolder })).toString()).toBe('picture');
  // Without the key the provider's keys are of no use.
  await expect(openOne(vault, sealed)).rejects.toMatchObject({ code: 'INTEGRITY' });
});

test('[E6] [VLT6] a thousand objects repeat no key and nonce, in headers, frames and wrapped keys', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const vault = new Vault(await openLocalKeyFile({ path, mayCreate: true, now: 0 }));
  const keyOf = await wrappingKeys(path);
  const uses: string[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const sealed = await sealOne(vault, Buffer.alloc(5 * FRAME + (index % 2), 'a'), { frameLength: FRAME });
    uses.push(...openByHand(sealed, keyOf).uses);
  }
  // One wrapped key, one header, and six frames each.
  expect(uses).toHaveLength(8000);
  expect(repeats(uses)).toEqual([]);
});

test('[E6 sabotage] a data key that is used for two objects is seen to repeat', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const vault = new Vault(await openLocalKeyFile({ path, mayCreate: true, now: 0 }));
  const keyOf = await wrappingKeys(path);
  const { uses } = openByHand(await sealOne(vault, Buffer.alloc(5 * FRAME), { frameLength: FRAME }), keyOf);
  // The second object has a wrapping of its own, and the same data key and message id.
  const second = uses.with(0, 'another wrapping');
  expect(repeats([...uses, ...second])).toEqual(uses.slice(1));
});

test('[VLT10] the AWS Encryption SDK opens what was sealed here, and its objects open here', async () => {
  await using opened = await openVault();
  const { vault, keys } = opened;
  const plain = randomBytes(100_000);
  const sealed = await sealOne(vault, plain);
  const opener = encryptionSdk.decryptUnsignedMessageStream(keys.unwrapping);
  expect(await buffer(Readable.from([sealed]).pipe(opener))).toEqual(plain);

  const { result } = await encryptionSdk.encrypt(keys.wrapping, plain, {
    encryptionContext: { consultation: consultation('A'), purpose: 'attachment', object: 'att_1' },
    suiteId: 0x0478,
    frameLength: 4096,
  });
  expect(await openOne(vault, result)).toEqual(plain);
  // Signed objects could only be checked at their end.
  const signed = await encryptionSdk.encrypt(keys.wrapping, plain, {
    encryptionContext: { consultation: consultation('A'), purpose: 'attachment', object: 'att_1' },
  });
  await expect(openOne(vault, signed.result)).rejects.toMatchObject({ code: 'INTEGRITY' });
});

test('[VLT10] docs/VAULT-FORMAT.md is enough to open an object with a plain AES and HKDF', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const keys = await openLocalKeyFile({ path, mayCreate: true, now: 0 });
  const vault = new Vault(keys);
  const keyOf = await wrappingKeys(path);
  const plain = randomBytes(1000);
  const byHand = openByHand(await sealOne(vault, plain, { frameLength: 100 }), keyOf);
  expect(byHand).toMatchObject({ plain, wrappingKey: keys.currentKeyId, context: contextOf() });

  // And what is sealed with a consultation's key: first that key, then the object.
  const { key, wrapped } = await vault.createConsultationKey(consultation('A'));
  const secret = openByHand(Buffer.from(wrapped), keyOf).plain;
  const derive = (use: string) => Buffer.from(hkdfSync('sha512', secret, '', `teleconsult ${use} 1`, 32));
  const inner = openByHand(await sealOne(vault, plain, { key }), () => derive('objects'));
  expect(inner).toMatchObject({ plain, wrappingKey: consultation('A') });

  const field = Buffer.from(key.seal('a field', 'message|1'));
  const decipher = createDecipheriv('aes-256-gcm', derive('columns'), field.subarray(1, 13), {
    authTagLength: 16,
  });
  decipher.setAAD(Buffer.from(`teleconsult column 1\0${consultation('A')}|message|1`));
  decipher.setAuthTag(field.subarray(-16));
  expect(Buffer.concat([decipher.update(field.subarray(13, -16)), decipher.final()]).toString()).toBe(
    'a field',
  );
});

test('[E11] [VLT3] nothing of the content is in the sealed object', async () => {
  await using opened = await openVault();
  const sealed = await sealOne(opened.vault, Buffer.from('CANARY-9f3a'.repeat(1000)));
  expect(sealed.includes('CANARY')).toBe(false);
});

test('[VLT11] an error of the plaintext destroys the sealed stream with the same error', async () => {
  await using opened = await openVault();
  const failing = async function* () {
    yield Buffer.alloc(100_000);
    throw new AppError('STORAGE_UNAVAILABLE');
  };
  const sealed = opened.vault.seal(failing(), { context: contextOf() });
  await expect(buffer(sealed)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('[VLT11] destroying the sealed stream destroys a plaintext that has stalled', async () => {
  await using opened = await openVault();
  const stalled = new Readable({ read: () => undefined });
  const closed = new Promise((resolve) => stalled.once('close', resolve));
  const sealed = opened.vault.seal(stalled, { context: contextOf() });
  sealed.on('error', () => undefined);
  stalled.push(Buffer.alloc(10));
  sealed.destroy();
  await closed;
});

test('[VLT11] an error of the source while reading reaches the reader as it is', async () => {
  await using opened = await openVault();
  const { vault } = opened;
  const memory = memorySource(await sealOne(vault, randomBytes(300_000)));
  const object = await vault.open(memory, { context: contextOf() });
  memory.read = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
  await expect(buffer(object.read())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test.each([0, -1, 1.5, 5 * 1024 * 1024])('[VLT3] a frame length of %d is refused', async (frameLength) => {
  await using opened = await openVault();
  expect(() =>
    opened.vault.seal(inChunks(Buffer.alloc(1), 1), { context: contextOf(), frameLength }),
  ).toThrow(RangeError);
});

test('[VLT4] a context with an empty part is refused', async () => {
  await using opened = await openVault();
  expect(() =>
    opened.vault.seal(inChunks(Buffer.alloc(1), 1), { context: contextOf({ object: '' }) }),
  ).toThrow(TypeError);
});

async function wrappingKeys(path: string): Promise<(name: string) => Buffer> {
  const file = JSON.parse(await readFile(path, 'utf8')) as { keys: { id: string; material: string }[] };
  return (name) => Buffer.from(file.keys.find((key) => key.id === name)?.material ?? '', 'base64');
}

function* movedFrames(sealed: Buffer, twin: Buffer): Generator<Changed> {
  const bodyStart = sealed.byteLength - 5 * STRIDE - LAST;
  const header = sealed.subarray(0, bodyStart);
  const framesOf = (object: Buffer) => [
    ...[0, 1, 2, 3, 4].map((index) =>
      object.subarray(bodyStart + index * STRIDE, bodyStart + (index + 1) * STRIDE),
    ),
    object.subarray(-LAST),
  ];
  const frames = framesOf(sealed);
  const others = framesOf(twin);
  const whole = (change: string, parts: readonly (Buffer | undefined)[]) => ({
    change,
    bytes: Buffer.concat([header, ...parts.map((part) => part ?? Buffer.alloc(0))]),
  });
  for (let one = 0; one < 6; one += 1) {
    for (let other = 0; other < 6; other += 1) {
      if (one === other) continue;
      yield whole(`${one} in place of ${other}`, frames.with(other, frames[one] ?? Buffer.alloc(0)));
      yield whole(
        `${one} and ${other} swapped`,
        frames.with(other, frames[one] ?? Buffer.alloc(0)).with(one, frames[other] ?? Buffer.alloc(0)),
      );
      yield whole(`${one} again before ${other}`, frames.toSpliced(other, 0, frames[one] ?? Buffer.alloc(0)));
    }
    yield whole(`without ${one}`, frames.toSpliced(one, 1));
    yield whole(`${one} from the twin`, frames.with(one, others[one] ?? Buffer.alloc(0)));
  }
  yield whole('the twin’s body', others);
  yield { change: 'the twin’s header', bytes: Buffer.concat([twin.subarray(0, bodyStart), ...frames]) };
}

/** What the vault would be with a cipher that only hides. */
function encryptedOnly() {
  const key = randomBytes(32);
  return {
    seal: (plain: Buffer) => {
      const nonce = randomBytes(16);
      return Buffer.concat([nonce, createCipheriv('aes-256-ctr', key, nonce).update(plain)]);
    },
    open: (sealed: Uint8Array) =>
      createDecipheriv('aes-256-ctr', key, sealed.subarray(0, 16)).update(sealed.subarray(16)),
  };
}
