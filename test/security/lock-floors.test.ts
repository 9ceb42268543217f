import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The first versions without a published hole that this product could be hurt by. */
const floors: Readonly<Record<string, string>> = {
  'socket.io-parser': '4.2.7',
  'engine.io': '6.6.10',
  ws: '8.21.1',
  sharp: '0.35.0',
};

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;

function isBelow(version: string, floor: string): boolean {
  const [ours, theirs] = [version, floor].map((text) => (text.split('-')[0] ?? '').split('.').map(Number));
  for (const [index, least] of (theirs ?? []).entries()) {
    const part = ours?.[index] ?? 0;
    if (part !== least) return part < least;
  }
  return version.includes('-');
}

/** Every copy of these packages below its floor, however deep it is nested; and packages of which there is no copy. */
function belowFloor({ packages }: Lock): string[] {
  return Object.entries(floors).flatMap(([name, floor]) => {
    const copies = Object.entries(packages).filter(([path]) => path.endsWith(`node_modules/${name}`));
    if (copies.length === 0) return [`${name} is not in the lock file`];
    return copies
      .filter(([, { version = '0' }]) => isBelow(version, floor))
      .map(([path, { version }]) => `${path} ${version}`);
  });
}

test('[S4] [LIMIT4] no locked package of the network stack or the picture decoder is older than its last known hole', () => {
  expect(belowFloor(lock)).toEqual([]);
});

test('[S4 sabotage] [LIMIT4 sabotage] an old copy, nested or before a release, is found', () => {
  const nested = { 'node_modules/engine.io/node_modules/ws': { version: '8.21.0' } };
  const early = { 'node_modules/socket.io-parser': { version: '4.2.7-beta.1' } };
  const found = belowFloor({ packages: { ...lock.packages, ...nested, ...early } });
  expect(found).toEqual([
    'node_modules/socket.io-parser 4.2.7-beta.1',
    'node_modules/engine.io/node_modules/ws 8.21.0',
  ]);
});
