import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { addCurrentKey } from '../../../server/vault/change-keys.ts';
import { rewrap } from '../../../server/vault/rewrap.ts';
import { readLabel } from '../../../server/vault/sealed-label.ts';
import { openByHand } from './by-hand.ts';
import { repeats } from './claims.ts';
import { openDataFolder, someConsultation } from './stored-vault.fixtures.ts';
import { sealOne } from './vault.fixtures.ts';

/** The keys of a key file by name, as whoever opens by hand has them. */
async function keysOf(path: string) {
  const { keys } = JSON.parse(await readFile(path, 'utf8')) as { keys: { id: string; material: string }[] };
  const byName = new Map(keys.map(({ id, material }) => [id, Buffer.from(material, 'base64')]));
  return (name: string): Buffer => byName.get(name) ?? Buffer.alloc(32);
}

test('[E6] [VLT49] no key and nonce repeat over 400 consultations, their objects, and three rotations of the key', async () => {
  await using data = await openDataFolder();
  const uses: string[] = [];
  let wrapped = await Promise.all(
    Array.from({ length: 400 }, async () => {
      const id = someConsultation();
      const made = await data.vault.createConsultationKey(id);
      return { id, ...made };
    }),
  );
  for (let rotation = 0; rotation < 3; rotation += 1) {
    await addCurrentKey(data.keyFile, 0);
    await data.keys.look();
    const keyOf = await keysOf(data.keyFile);
    for (const { wrapped: sealed } of wrapped) uses.push(...openByHand(Buffer.from(sealed), keyOf).uses);
    wrapped = await Promise.all(
      wrapped.map(async (one) => ({ ...one, wrapped: await rewrap(data.keys, one.wrapped) })),
    );
  }
  const keyOf = await keysOf(data.keyFile);
  for (const { id, key, wrapped: sealed } of wrapped) {
    const opened = openByHand(Buffer.from(sealed), keyOf);
    uses.push(...opened.uses);
    const objects = Buffer.from(hkdfSync('sha512', opened.plain, '', 'teleconsult objects 1', 32));
    for (const object of ['one', 'two']) {
      const context = { consultation: id, purpose: 'attachment', object };
      const one = await sealOne(data.vault, randomBytes(300), { context, key, frameLength: 64 });
      uses.push(...openByHand(one, () => objects).uses);
    }
  }
  // Three uses of each wrapped key, four times, and seven of each object.
  expect(uses).toHaveLength(400 * (4 * 3 + 2 * 7));
  expect(repeats(uses)).toEqual([]);
}, 60_000);

/** What must never be done: the same data key under another wrapping key, in a header written again. */
function rewrapInPlace(sealed: Buffer, keyOf: (name: string) => Buffer, to: string): Buffer {
  const label = readLabel(sealed);
  if (label === null) throw new Error('no sealed object');
  const header = sealed.subarray(0, label.headerBytes - 16);
  const nameAt = sealed.indexOf('key_');
  const messageId = sealed.subarray(3, 35);
  const context = sealed.subarray(37, 37 + sealed.readUInt16BE(35));
  const nonce = sealed.subarray(nameAt + 28, nameAt + 40);
  const wrapped = sealed.subarray(nameAt + 42, nameAt + 90);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    keyOf(sealed.toString('utf8', nameAt, nameAt + 20)),
    nonce,
  );
  decipher.setAAD(context).setAuthTag(wrapped.subarray(32));
  const dataKey = Buffer.concat([decipher.update(wrapped.subarray(0, 32)), decipher.final()]);
  const anew = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(to), anew).setAAD(context);
  const result = Buffer.from(sealed);
  result.write(to, nameAt);
  anew.copy(result, nameAt + 28);
  Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]).copy(result, nameAt + 42);
  const info = Buffer.concat([Buffer.from([4, 0x78]), Buffer.from('DERIVEKEY')]);
  const frameKey = Buffer.from(hkdfSync('sha512', dataKey, messageId, info, 32));
  const tag = createCipheriv('aes-256-gcm', frameKey, Buffer.alloc(12)).setAAD(
    result.subarray(0, header.byteLength),
  );
  tag.final();
  tag.getAuthTag().copy(result, header.byteLength);
  return result;
}

test('[E6 sabotage] a key that is wrapped anew in place is seen to use a nonce twice', async () => {
  await using data = await openDataFolder();
  const { wrapped } = await data.vault.createConsultationKey(someConsultation());
  const { added } = await addCurrentKey(data.keyFile, 0);
  const keyOf = await keysOf(data.keyFile);
  const inPlace = rewrapInPlace(Buffer.from(wrapped), keyOf, added);
  const before = openByHand(Buffer.from(wrapped), keyOf);
  const after = openByHand(inPlace, keyOf);
  expect(after.wrappingKey).toBe(added);
  expect(repeats([...before.uses, ...after.uses]).length).toBeGreaterThan(0);
  const proper = openByHand(Buffer.from(await rewrap(data.keys, wrapped)), keyOf);
  expect(repeats([...before.uses, ...proper.uses])).toEqual([]);
});
