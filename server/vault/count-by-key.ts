import { setImmediate } from 'node:timers/promises';
import type { KeyProvider } from './key-provider.ts';
import { providerKeysOf, readLabel } from './sealed-label.ts';
import { VaultError } from './vault-error.ts';
import type { WrappedValues } from './wrapped-values.ts';

const PAGE_ROWS = 1_000;

/** How many values of which table each key wraps. */
export type CountsByKey = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Looks at every value, except those in which one of some names occurs. */
export async function countByKey(
  values: WrappedValues,
  except: readonly string[] = [],
): Promise<CountsByKey> {
  const counts = new Map<string, Map<string, number>>();
  for (const column of values.columns())
    for (let after: readonly (string | number)[] | null = null; ; ) {
      const page = values.page(column, { after, limit: PAGE_ROWS, except });
      for (const { sealed } of page.values)
        for (const keyId of providerKeysOf(readLabel(sealed))) add(counts, keyId, column.table);
      after = page.next;
      if (after === null) break;
      await setImmediate();
    }
  return counts;
}

function add(counts: Map<string, Map<string, number>>, keyId: string, table: string): void {
  const tables = counts.get(keyId) ?? new Map<string, number>();
  tables.set(table, (tables.get(table) ?? 0) + 1);
  counts.set(keyId, tables);
}

/** Such as `3 of consultation, 1 of push_subscription`. */
export const describeCounts = (tables: ReadonlyMap<string, number>): string =>
  [...tables].map(([table, count]) => `${count} of ${table}`).join(', ');

/**
 * Refuses keys that cannot open what is stored: a key was retired, or lost from the key file, that is still needed.
 * @throws VaultError KEY_MISSING
 */
export async function assertKeysAreThere(values: WrappedValues, keys: KeyProvider): Promise<void> {
  const unknown = [...(await countByKey(values, keys.keyIds))].filter(([id]) => !keys.keyIds.includes(id));
  if (unknown.length === 0) return;
  const needed = unknown.map(([id, tables]) => `${id} (${describeCounts(tables)})`).join('; ');
  throw new VaultError(
    'KEY_MISSING',
    `Something stored is wrapped under a key that is not there: ${needed}. Put the key back from a copy of the key file.`,
  );
}
