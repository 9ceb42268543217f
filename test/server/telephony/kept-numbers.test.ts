import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PersonId } from '@teleconsult/protocol';
import { FIELD_TABLES } from '@teleconsult/server/commands/verify/field-tables';
import { verifyPhoneNumbers } from '@teleconsult/server/commands/verify/phone-numbers';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import { maskedCalls } from '@teleconsult/server/telephony/masked-calls';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { shred } from '@teleconsult/server/vault/shred';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken } from '../../helpers/test-tokens.ts';
import { startVisit, type Visit } from '../../helpers/visit.ts';
import { call } from '../http/rest-client.ts';
import { DOCTOR, PATIENT, RELAYS } from './desk-stage.ts';

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A whole server on SQLite whose provider is scripted. */
async function startKept() {
  const relay = new FakeRelayProvider();
  const app = await startTestApp({
    telephonyOf: ({ store, vault, log, clock }) =>
      maskedCalls({
        settings: { ...DEFAULT_PHONE_SETTINGS, relays: { [relay.name]: RELAYS }, tickMs: 50 },
        recording: 'off',
        store: store.phone,
        vault,
        ids: randomIds,
        clock,
        log,
        providers: () => [relay],
      }),
  });
  return { relay, app, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

async function bound(app: TestApp, visit: Visit): Promise<void> {
  const people = peopleOf(visit.view);
  for (const [person, number] of [
    [people.doctor, DOCTOR],
    [people.patient, PATIENT],
  ] as const)
    await call(app, `PUT /v1/people/${person}/phone-number`, { token: hostToken(), body: { number } });
  await visit.doctor.request('phone.bind', { consultationId: visit.id, clientBindingId: 'client-0001' });
}

const database = (app: TestApp, readOnly = true): DatabaseSync =>
  new DatabaseSync(join(app.dataDir, 'teleconsult.db'), { readOnly });

const vaultOf = async (app: TestApp): Promise<Vault> =>
  new Vault(await openLocalKeyFile({ path: join(app.dataDir, 'keys', 'k.json'), mayCreate: false, now: 0 }));

const rowsOf = (app: TestApp, table: string, visit: Visit): number => {
  const db = database(app);
  const row = db.prepare(`SELECT count(*) AS count FROM ${table} WHERE consultation_id = ?`).get(visit.id);
  db.close();
  return Number(row?.['count']);
};

async function erase(app: TestApp, visit: Visit): Promise<void> {
  await shred(
    {
      records: app.store.erasure,
      objects: await DiskObjectStore.open(join(app.dataDir, 'objects')),
      letGo: (id) => app.app.host.letGo(id),
      log: QUIET,
    },
    visit.id,
  );
}

test('[RLE7] erasing a consultation takes its bindings, refusals and news with it, and its number is nobody’s', async () => {
  await using kept = await startKept();
  const { app } = kept;
  await using visit = await startVisit(app);
  await bound(app, visit);
  await visit.patient.request('phone.setRefused', { consultationId: visit.id, refused: true });
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await eventually('it is given back', async () => {
    const { board } = await visit.doctor.request('phone.get', { consultationId: visit.id });
    return board.bindings[0]?.state === 'unbound';
  });
  expect(rowsOf(app, 'phone_binding', visit)).toBe(1);
  expect(rowsOf(app, 'phone_refusal', visit)).toBe(1);
  await erase(app, visit);
  for (const table of ['phone_binding', 'phone_refusal', 'phone_news', 'phone_call'])
    expect(rowsOf(app, table, visit), table).toBe(0);
});

test('[RLE7] a binding that a provider still has is taken back there after its consultation was erased', async () => {
  await using kept = await startKept();
  const { app, relay } = kept;
  await using visit = await startVisit(app);
  await bound(app, visit);
  expect(relay.bindings.length).toBe(1);
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await erase(app, visit);
  await eventually('it is given back', () => relay.bindings.length === 0);
});

test('[RLE8] a verification opens every number that is kept, and names one that does not open without telling it', async () => {
  await using kept = await startKept();
  const { app } = kept;
  await using visit = await startVisit(app);
  await bound(app, visit);
  const vault = await vaultOf(app);
  const look = async (): Promise<{ open: string[]; shut: string[]; pairs: number }> => {
    const db = database(app);
    const found = { open: [] as string[], shut: [] as string[], pairs: 0 };
    await verifyPhoneNumbers(db, vault, (name, isOpen) => (isOpen ? found.open : found.shut).push(name));
    const table = FIELD_TABLES.find(({ columns }) => columns.includes('phone_binding.sealed'));
    const { key } = await app.app.host.sealing(visit.id, null);
    for (const row of db.prepare(table?.sql ?? '').all(visit.id)) {
      table?.open(key, row);
      found.pairs += 1;
    }
    db.close();
    return found;
  };
  const all = await look();
  expect(all).toMatchObject({ shut: [], pairs: 1 });
  expect(all.open).toHaveLength(2 + RELAYS.length);
  const { patient, doctor } = peopleOf(visit.view);
  const other = await app.store.phone.numbers.number(PersonId.parse(doctor));
  const own = await app.store.phone.numbers.number(PersonId.parse(patient));
  if (other === null || own === null) throw new Error('no numbers');
  // Of somebody else: sealed well, and in the wrong place.
  await app.store.phone.numbers.setNumber({ ...own, sealed: other.sealed });
  const changed = await look();
  expect(changed.shut).toEqual([`phone_number ${patient}`]);
  expect(JSON.stringify(changed)).not.toMatch(/13900002222|13800001111/);
});
