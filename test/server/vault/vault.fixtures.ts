import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ConsultationId } from '@teleconsult/protocol';
import { memorySource } from '../../../server/storage/objects/memory-source.ts';
import type { ConsultationKey } from '../../../server/vault/consultation-key.ts';
import type { ObjectContext } from '../../../server/vault/encryption-context.ts';
import { openLocalKeyFile } from '../../../server/vault/local-key-file.ts';
import { Vault } from '../../../server/vault/vault.ts';

export const consultation = (letter: string) => ConsultationId.parse(`cns_${letter.repeat(22)}`);

export const contextOf = (change: Partial<ObjectContext> = {}): ObjectContext => ({
  consultation: consultation('A'),
  purpose: 'attachment',
  object: 'att_1',
  ...change,
});

export async function openFolder() {
  const path = await mkdtemp(join(tmpdir(), 'teleconsult-vault-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A vault over a key file of its own, and the key of consultation A. */
export async function openVault() {
  const folder = await openFolder();
  const keys = await openLocalKeyFile({
    path: join(folder.path, 'keys', 'vault.json'),
    mayCreate: true,
    now: 0,
  });
  const vault = new Vault(keys);
  const { key, wrapped } = await vault.createConsultationKey(consultation('A'));
  return { vault, keys, key, wrapped, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

export async function* inChunks(bytes: Uint8Array, chunkLength: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkLength) yield bytes.subarray(at, at + chunkLength);
}

export interface SealOneOptions {
  readonly context?: ObjectContext;
  readonly key?: ConsultationKey | undefined;
  readonly frameLength?: number;
}

export const sealOne = (vault: Vault, plain: Uint8Array, options: SealOneOptions = {}): Promise<Buffer> =>
  buffer(vault.seal(inChunks(plain, 1000), { context: contextOf(), ...options }));

export async function openOne(
  vault: Vault,
  sealed: Uint8Array,
  { context = contextOf(), key }: SealOneOptions = {},
): Promise<Buffer> {
  const object = await vault.open(memorySource(sealed), { context, key });
  return buffer(object.read());
}
