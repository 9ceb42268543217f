import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COLUMN_OVERHEAD } from '../../../server/vault/column.ts';
import { ERASED_KEY } from '../../../server/vault/consultation-key.ts';
import { additions, everyBit, everyCut, opensAsAnother, repeats, unnoticedChanges } from './claims.ts';
import { consultation, openVault } from './vault.fixtures.ts';

interface SealsFields {
  seal(plaintext: string, place: string): Uint8Array;
  open(sealed: Uint8Array, place: string): Buffer;
}

const places = ['message|1', 'message|2', 'note|1', 'message|11', 'message'];

const swappedFields = (fields: SealsFields) =>
  opensAsAnother(
    places.map((place) => ({ place, bytes: fields.seal('the same words', place) })),
    (bytes, place) => fields.open(bytes, place),
  );

const noncesOf = (fields: SealsFields, count: number) =>
  Array.from({ length: count }, (_, index) =>
    Buffer.from(fields.seal('x', `message|${index}`)).toString('hex', 1, 13),
  );

test('[VLT7] what was sealed for a place opens there, whatever it is', async () => {
  await using opened = await openVault();
  const { key } = opened;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ minLength: 1 }), (text, place) => {
      const bytes = Buffer.from(text, 'utf8');
      const sealed = key.seal(text, place);
      expect(sealed.byteLength).toBe(bytes.byteLength + COLUMN_OVERHEAD);
      expect(key.open(sealed, place)).toEqual(bytes);
      expect(key.open(key.seal(bytes, place), place)).toEqual(bytes);
    }),
  );
});

test('[E4] [VLT7] every changed bit, cut and addition of a sealed field is noticed', async () => {
  await using opened = await openVault();
  const { key } = opened;
  const sealed = key.seal('Two tablets in the morning.', 'message|7');
  const open = (bytes: Uint8Array) => key.open(bytes, 'message|7');
  for (const changes of [everyBit, everyCut, additions])
    expect(await unnoticedChanges(changes(sealed), open)).toEqual([]);
  expect(open(sealed).toString()).toBe('Two tablets in the morning.');
});

test('[E4] [VLT7] a field that was put in another place, or another consultation, does not open', async () => {
  await using opened = await openVault();
  expect(await swappedFields(opened.key)).toEqual([]);
  const { key: other } = await opened.vault.createConsultationKey(consultation('B'));
  const sealed = opened.key.seal('mine', 'message|1');
  expect(() => other.open(sealed, 'message|1')).toThrow(AppError);
});

test('[E4 sabotage] without AAD a swapped row is not noticed', async () => {
  expect(await swappedFields(withoutPlaces())).toContain('"message|1" opens as "message|2"');
});

test('[E4 sabotage] without authentication a flipped bit is not noticed', async () => {
  const fields = withoutTag();
  const sealed = fields.seal('Two tablets in the morning.', 'message|7');
  const unnoticed = await unnoticedChanges(everyBit(sealed), (bytes) => fields.open(bytes, 'message|7'));
  expect(unnoticed).toContain('bit 0 of byte 20');
});

test('[E6] [VLT6] 50,000 sealed fields of two consultations repeat no key and nonce', async () => {
  await using opened = await openVault();
  const { key: other } = await opened.vault.createConsultationKey(consultation('B'));
  // Nonces are not repeated even across keys: with 96 random bits that would be as unlikely as 1 in 2^65.
  expect(repeats([...noncesOf(opened.key, 25_000), ...noncesOf(other, 25_000)])).toEqual([]);
});

test('[E6 sabotage] a nonce that is a counter of 12 bits is seen to repeat', () => {
  let counter = 0;
  const fields = withoutPlaces(() => {
    const nonce = Buffer.alloc(12);
    counter = (counter + 1) % 4096;
    nonce.writeUInt16BE(counter);
    return nonce;
  });
  expect(repeats(noncesOf(fields, 5_000)).length).toBeGreaterThan(0);
});

test('[VLT7] a place must be named', async () => {
  await using opened = await openVault();
  expect(() => opened.key.seal('x', '')).toThrow(TypeError);
});

test('[E11] [VLT7] nothing of the text is in the sealed field', async () => {
  await using opened = await openVault();
  const canary = 'CANARY-9f3a'.repeat(20);
  const sealed = Buffer.from(opened.key.seal(canary, 'message|1'));
  expect(sealed.includes('CANARY')).toBe(false);
  expect(sealed.includes('message')).toBe(false);
});

test('[VLT9] a consultation’s key opens only as that consultation’s, and only unchanged', async () => {
  await using opened = await openVault();
  const { vault, key, wrapped } = opened;
  const again = await vault.openConsultationKey(consultation('A'), wrapped);
  expect(again.open(key.seal('kept', 'message|1'), 'message|1').toString()).toBe('kept');
  await expect(vault.openConsultationKey(consultation('B'), wrapped)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
  const open = (bytes: Uint8Array) =>
    bytes.byteLength === 0 ? notNothing() : vault.openConsultationKey(consultation('A'), bytes);
  for (const changes of [everyBit, everyCut, additions])
    expect(await unnoticedChanges(changes(wrapped), open)).toEqual([]);
});

test('[VLT40] what erasing leaves of a consultation’s key is no key: there is nothing of it to see', async () => {
  await using opened = await openVault();
  const opening = opened.vault.openConsultationKey(consultation('A'), ERASED_KEY);
  await expect(opening).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

/** A key that was cut to nothing is one that was erased, and does not open either. */
const notNothing = (): never => {
  throw new AppError('INTEGRITY');
};

/** What the vault would be if a field were not bound to its place. */
function withoutPlaces(nextNonce = () => randomBytes(12)): SealsFields {
  const key = randomBytes(32);
  return {
    seal(plaintext) {
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(1), nonce, body, cipher.getAuthTag()]);
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13), { authTagLength: 16 });
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(13, -16)), decipher.final()]);
    },
  };
}

/** What the vault would be with a cipher that only hides. */
function withoutTag(): SealsFields {
  const key = randomBytes(32);
  return {
    seal(plaintext) {
      const nonce = randomBytes(16);
      return Buffer.concat([nonce, createCipheriv('aes-256-ctr', key, nonce).update(plaintext, 'utf8')]);
    },
    open: (sealed) =>
      createDecipheriv('aes-256-ctr', key, sealed.subarray(0, 16)).update(sealed.subarray(16)),
  };
}
