import { readFileSync } from 'node:fs';
import { Settings } from '@teleconsult/server/config';
import { phoneSettings } from '@teleconsult/server/telephony/phone-config';
import { expect, test } from 'vitest';

const read = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url).pathname, 'utf8');
const RELAY = read('RELAY.md');
const names = Object.keys(Settings.shape);

test('[PSD43] every setting that RELAY.md names is one of the server, by the name an operator writes', () => {
  const named = [...RELAY.matchAll(/\bTELECONSULT_([A-Z_]+)/g)].map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(30);
  // `TELECONSULT_PHONE_PERSON_…` is all that begin so.
  const isOne = (name: string): boolean =>
    name.endsWith('_') ? names.some((known) => known.startsWith(name)) : names.includes(name);
  expect(named.filter((name) => !isOne(name))).toEqual([]);
  expect(RELAY.match(/`(?:PHONE|SIP|RTP|TWILIO|ALIBABA|MEDIA)_[A-Z]/g) ?? []).toEqual([]);
});

test('[PSD43] every setting of telephony is set up in RELAY.md or limited in OPERATING.md, with its default', () => {
  const rows = new Map(
    [...read('OPERATING.md').matchAll(/^\| `TELECONSULT_([A-Z_]+)` \| (.*?) \|/gm)].map(([, name, value]) => [
      name ?? '',
      (value ?? '').replaceAll('`', ''),
    ]),
  );
  const parsed = Settings.parse({});
  for (const name of Object.keys(phoneSettings)) {
    const value: unknown = Reflect.get(parsed, name);
    // Lists are written as they are set, with commas.
    const written = JSON.stringify(value ?? '').replaceAll(/["[\]]/g, '');
    expect(rows.get(name), name).toBe(written === '' ? 'none' : written);
  }
});
