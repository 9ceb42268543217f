import { join } from 'node:path';
import { createLog } from '@teleconsult/server/log';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { SqlitePhone } from '@teleconsult/server/storage/sqlite/sqlite-phone';
import { Writer } from '@teleconsult/server/storage/sqlite/writer';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import { expect, test } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { scan } from '../../storage/plaintext-scan.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, person } from './fake-visits.ts';
import { bridged, NOW, NUMBERS, number, openBindings, RELAYS } from './opened.ts';

/** Digits that a number has in every way of writing it down. */
const digitsOf = (text: string): string => text.slice(3);

test('[PHB72] no number lies open in the database or its log, in any log line, or in an error', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'store.db');
  const writer = await Writer.open(path);
  const reader = openConnection(path, { readOnly: true });
  const provider = new FakeProvider();
  const lines: string[] = [];
  const errors: unknown[] = [];
  const failed = (error: unknown) => void errors.push(error);
  const fresh = number('13700000009');
  const canaries = [...Object.values(NUMBERS), ...RELAYS, fresh].map(digitsOf);
  const found: string[] = [];
  const look = async () => {
    const { words, filesRead } = await scan(dir.path, canaries);
    found.push(...words);
    expect(filesRead).toBeGreaterThanOrEqual(1);
  };
  {
    await using opened = await openBindings({ store: new SqlitePhone(writer, reader), provider });
    const { visits, parts, time } = opened;
    const log = createLog({
      level: 'trace',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const bindings = await PhoneBindings.open({ ...parts, log });
    const wish = { clientBindingId: 'canary-1', direction: 'both', recorded: true } as const;
    const { board, bindingId } = await bindings.bind(consultation(1), person('dora'), wish);
    const x = board.bindings[0]?.number as (typeof RELAYS)[number];
    expect(RELAYS).toContain(x);
    const call = (callRef: string, from: keyof typeof NUMBERS) =>
      bindings.decide({ provider: 'sip', callRef, from: NUMBERS[from] ?? null, x, at: NOW });
    const { phoneCallId } = bridged(await call('c1', 'pat'));
    await look();
    await call('c2', 'dan');
    // Everything that can fail and be written down.
    provider.failing = 'unavailable';
    await bindings.setNumber(person('pat'), fresh).catch(failed);
    await bindings.setNumber(person('pat'), `${fresh}1`).catch(failed);
    await bindings.setNumber(person('pat'), `x${fresh}`).catch(failed);
    visits.failing = true;
    await bindings.event({
      eventId: 'e',
      provider: 'sip',
      callRef: 'c1',
      bindingId,
      phoneCallId,
      at: NOW,
      what: { type: 'ended', caller: 'b', end: 'completed', talkMs: 5 },
    });
    await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
    await bindings.unbind(consultation(1), person('pat'), bindingId).catch(failed);
    await look();
    provider.failing = null;
    visits.failing = false;
    time.now += 3_600_000;
    await bindings.tick();
    await bindings.setNumber(person('pat'), null);
    await look();
    await bindings.close();
  }
  reader.close();
  await writer.close();
  await look();
  expect(found).toEqual([]);
  expect(lines.length).toBeGreaterThan(3);
  const said = `${lines.join('\n')}\n${errors.map((error) => JSON.stringify([String(error), error])).join('\n')}`;
  expect(errors).toHaveLength(2);
  for (const digits of canaries) expect(said).not.toContain(digits);
});

test('[PHB72 sabotage] a number that lies open in the database is noticed', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'store.db');
  const writer = await Writer.open(path);
  const open = new SqlitePhone(writer, openConnection(path, { readOnly: true }));
  const plain = new TextEncoder().encode(NUMBERS['pat']);
  await open.numbers.setNumber({ personId: person('pat'), numberHash: 'h', changedAt: 1, sealed: plain });
  expect((await scan(dir.path, [digitsOf(NUMBERS['pat'] ?? '')])).words).not.toEqual([]);
  await writer.close();
});
