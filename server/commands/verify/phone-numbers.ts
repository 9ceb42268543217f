import type { DatabaseSync } from 'node:sqlite';
import type { PersonId } from '@teleconsult/protocol';
import { PhoneSeals } from '../../telephony/bindings/phone-seals.ts';
import type { Vault } from '../../vault/vault.ts';

/**
 * Opens every telephone number of people and of the clinic. They are sealed with a secret that lies in the database as a
 * record of the vault.
 * @param onOpened told of each row, by a name without a number, and whether it opens
 */
export async function verifyPhoneNumbers(
  db: DatabaseSync,
  vault: Pick<Vault, 'sealRecord' | 'openRecord'>,
  onOpened: (name: string, isOpen: boolean) => void,
): Promise<void> {
  const key = db.prepare('SELECT sealed FROM phone_key').get()?.['sealed'];
  // Nobody has been phoned from here. Without its key no number opens, and that is told of the key's own value.
  if (!(key instanceof Uint8Array)) return;
  const seals = await PhoneSeals.open(
    { loadKey: async () => key, keepKey: async (fresh) => fresh },
    vault,
  ).catch(() => null);
  for (const row of db.prepare('SELECT person_id, sealed FROM phone_number').iterate()) {
    const personId = String(row['person_id']) as PersonId;
    onOpened(
      `phone_number ${personId}`,
      opens(() => seals?.openPersonNumber(personId, row['sealed'] as Uint8Array)),
    );
  }
  for (const row of db.prepare('SELECT x_hash, sealed FROM phone_relay').iterate()) {
    const xHash = String(row['x_hash']);
    onOpened(
      `phone_relay ${xHash}`,
      opens(() => seals?.openRelay(xHash, row['sealed'] as Uint8Array)),
    );
  }
}

function opens(open: () => string | undefined): boolean {
  try {
    return open() !== undefined;
  } catch {
    return false;
  }
}
