import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openDataFolder } from './stored-vault.fixtures.ts';
import { contextOf, openFolder, sealOne } from './vault.fixtures.ts';

const DOCS = new URL('../../../docs/', import.meta.url);
const SCRIPT = fileURLToPath(new URL('vault-by-hand.py', DOCS));

/** Neither is part of the product; whoever opens an object by hand brings them. */
const missing = ['python3', 'openssl'].filter(
  (program) => spawnSync(program, ['version']).error !== undefined,
);
if (missing.length > 0)
  console.warn(`Skipped: ${missing.join(' and ')} not found. apt-get install python3 openssl`);
const withTools = test.skipIf(missing.length > 0);

function byHand(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('python3', [SCRIPT, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return { status, plain: stdout, said: stderr.toString() };
}

withTools(
  '[VLT56] Python and openssl alone open a file, an entry and a person’s record, and notice every change',
  async () => {
    await using data = await openDataFolder();
    await using folder = await openFolder();
    const file = async (name: string, bytes: Uint8Array) => {
      const path = join(folder.path, name);
      await writeFile(path, bytes);
      return path;
    };
    const { id, key, wrapped } = await data.addConsultation('说的话');
    const keys = ['--keys', data.keyFile];
    const wrappedKey = ['--wrapped', await file('wrapped', wrapped)];

    const plain = randomBytes(10_000);
    const context = contextOf({ consultation: id });
    const sealed = await sealOne(data.vault, plain, { context, key, frameLength: 4096 });
    const object = await file('object', sealed);
    const opened = byHand('object', ...keys, ...wrappedKey, object);
    expect(opened.status, opened.said).toBe(0);
    expect(opened.plain.equals(plain)).toBe(true);
    expect(JSON.parse(opened.said)).toEqual({ consultation: id, object: 'att_1', purpose: 'attachment' });

    const [entry] = await data.store.page(id, { after: 0, limit: 1 });
    const field = await file('field', entry?.sealed ?? new Uint8Array());
    const place = 'entry|1|message.sent|1||';
    const read = byHand('field', ...keys, ...wrappedKey, '--place', place, field);
    expect(JSON.parse(read.plain.toString())).toEqual({ text: '说的话' });
    expect(byHand('field', ...keys, ...wrappedKey, '--place', `${place}x`, field).status).toBe(1);

    const { sealed: record } = await data.addSubscription('patient-1', 'device-0001', 'where it is reached');
    const person = byHand('object', ...keys, await file('record', record));
    expect(person.plain.toString()).toBe('where it is reached');

    for (const at of [5, 150, sealed.byteLength - 5_000, sealed.byteLength - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const refused = byHand('object', ...keys, ...wrappedKey, await file('changed', changed));
      expect(refused.status, `byte ${at}`).toBe(1);
      expect(refused.plain).toHaveLength(0);
    }
    expect(
      byHand('object', ...keys, ...wrappedKey, await file('cut', sealed.subarray(0, -4200))).status,
    ).toBe(1);
  },
);

withTools(
  '[VLT56] the worked example of docs/VAULT-FORMAT.md opens to what the page says',
  async () => {
    await using folder = await openFolder();
    const page = await readFile(new URL('VAULT-FORMAT.md', DOCS), 'utf8');
    const block = (name: string) => {
      const found = new RegExp(`<!-- ${name} -->\\n\`\`\`[a-z]*\\n([\\s\\S]*?)\\n\`\`\``).exec(page)?.[1];
      if (found === undefined) throw new Error(`The page has no example ${name}.`);
      return found;
    };
    const path = (name: string) => join(folder.path, name);
    await writeFile(path('keys.json'), block('example-keys'));
    for (const name of ['wrapped', 'object'])
      await writeFile(path(name), Buffer.from(block(`example-${name}`).replaceAll('\n', ''), 'base64'));
    const opened = byHand(
      'object',
      '--keys',
      path('keys.json'),
      '--wrapped',
      path('wrapped'),
      path('object'),
    );
    expect(opened.plain.toString()).toBe(block('example-plain'));
  },
  60_000,
);
