import { join } from 'node:path';
import { ConsultationId } from '@teleconsult/protocol';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const context = { purpose: 'push-subscription', person: 'ann', device: 'phone-0001' };
const refused = expect.objectContaining({ code: 'INTEGRITY' });

async function openVault() {
  const dir = await tempDir();
  const keys = await openLocalKeyFile({ path: join(dir.path, 'k.json'), mayCreate: true, now: 0 });
  return { vault: new Vault(keys), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test('[PUSH15] a sealed record opens as what it was sealed as, and as nothing else', async () => {
  await using under = await openVault();
  const { vault } = under;
  const sealed = await vault.sealRecord(Buffer.from('canary'), context);
  expect(Buffer.from(sealed).includes('canary')).toBe(false);
  expect((await vault.openRecord(sealed, context)).toString()).toBe('canary');
  for (const other of [
    { ...context, person: 'bob' },
    { ...context, device: 'desk-00001' },
    { ...context, purpose: 'invitation' },
    { purpose: context.purpose, person: context.person },
    { ...context, more: 'x' },
  ])
    await expect(vault.openRecord(sealed, other)).rejects.toEqual(refused);
});

test('[PUSH15] a sealed record that was changed, cut or lengthened does not open', async () => {
  await using under = await openVault();
  const { vault } = under;
  const sealed = await vault.sealRecord(Buffer.from('canary'), context);
  for (let at = 0; at < sealed.byteLength; at += 7) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await expect(vault.openRecord(changed, context)).rejects.toEqual(refused);
  }
  for (const wrong of [sealed.subarray(0, -1), Buffer.concat([sealed, Buffer.alloc(1)]), new Uint8Array()])
    await expect(vault.openRecord(wrong, context)).rejects.toEqual(refused);
  await using other = await openVault();
  await expect(other.vault.openRecord(sealed, context)).rejects.toEqual(refused);
});

test('[PUSH15] a record cannot pass for anything of a consultation', async () => {
  await using under = await openVault();
  const { vault } = under;
  const id = ConsultationId.parse(`cns_${'0'.repeat(22)}`);
  const { wrapped } = await vault.createConsultationKey(id);
  const stolen = { consultation: id, purpose: 'consultation-key' };
  await expect(vault.openRecord(wrapped, stolen)).rejects.toThrow();
  await expect(vault.sealRecord(Buffer.alloc(32), stolen)).rejects.toThrow('consultation');
  await expect(vault.sealRecord(Buffer.alloc(16 * 1024), context)).rejects.toThrow(RangeError);
  await expect(vault.sealRecord(Buffer.alloc(1), { ...context, device: '' })).rejects.toThrow('device');
});
