/**
 * Bindings on a real database in a process of their own, which the test kills. Doctors share patients and relay numbers
 * are few, so each of them goes from visit to visit as fast as it can. What is promised is said on a line at once.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type PersonId, type PhoneBindingId } from '@teleconsult/protocol';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { makeDatabaseFile } from '@teleconsult/server/storage/sqlite/database-file';
import { SqlitePhone } from '@teleconsult/server/storage/sqlite/sqlite-phone';
import { Writer } from '@teleconsult/server/storage/sqlite/writer';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import { randomPhoneIds } from '@teleconsult/server/telephony/bindings/random-phone-ids';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { isPhoneNumber, normalise, type PhoneNumber } from '@teleconsult/server/telephony/numbers';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { FakeProvider } from '../server/telephony/bindings/fake-provider.ts';
import { consultation, FakeVisits, person } from '../server/telephony/bindings/fake-visits.ts';
import { DOCTORS, numberOf, PATIENTS, type Said, VISITS, visitOf } from './phone-bindings-check.ts';

const [dir = '', run = '0', operations = '0', sabotage = ''] = process.argv.slice(2);
const RELAYS = 14;
const ABREAST = 24;

/** Synchronously: a kill loses nothing that was said before it. */
const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`);

const path = join(dir, 'store.db');
await makeDatabaseFile(path);
const writer = await Writer.open(path);
const store = new SqlitePhone(writer, openConnection(path, { readOnly: true }));
if (sabotage === 'any-caller') {
  // Whoever calls a relay number reaches whoever had it first.
  const seen = new Map<string, Awaited<ReturnType<typeof store.bindings.place>>>();
  const { bindings } = store;
  const place = bindings.place.bind(bindings);
  bindings.place = async (xHash, hash) => {
    const found = await place(xHash, hash);
    if (found !== null) seen.set(xHash, found);
    return seen.get(xHash) ?? null;
  };
}

const visits = new FakeVisits();
for (let visit = 0; visit < VISITS; visit += 1) {
  const { doctor, patient } = visitOf(visit);
  visits.set(visit, { [doctor]: 'doctor', [patient]: 'patient' }, { phaseSince: Date.now() });
}
const provider = new FakeProvider();
const keys = await openLocalKeyFile({ path: join(dir, 'keys.json'), mayCreate: true, now: 0 });
const many = { calls: 1e9, talkMs: 1e15 };
const bindings = await PhoneBindings.open({
  store,
  host: visits,
  vault: new Vault(keys),
  providers: [provider],
  recordings: null,
  ids: randomPhoneIds,
  clock: Date.now,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  settings: {
    ...DEFAULT_PHONE_SETTINGS,
    relays: {
      sip: Array.from({ length: RELAYS }, (_, index) =>
        normalise(`170000010${String(index).padStart(2, '0')}`, 'CN'),
      ),
    },
    pairsPerRelay: 3,
    // As fast from strangers to strangers as it can be: only who calls tells them apart.
    coolDownMs: 0,
    decideMs: 20_000,
    limits: {
      ...DEFAULT_PHONE_SETTINGS.limits,
      binding: many,
      consultation: many,
      person: many,
      server: many,
      atOncePerPerson: 3,
      bindingsPerConsultation: 1e9,
    },
  },
});
if (run === '0')
  for (const name of [...DOCTORS, ...PATIENTS]) await bindings.setNumber(person(name), numberOf(name));
await bindings.callsLost('sip', Date.now() + 1);
await bindings.start();

const known = new Map<number, PhoneNumber>();
const seen: PhoneNumber[] = [];
let made = 0;

/** What somebody does with a visit; refusals are part of it. */
async function operate(name: string): Promise<void> {
  const visit = Math.floor(Math.random() * VISITS);
  const { doctor, patient } = visitOf(visit);
  const by: PersonId = person(Math.random() < 0.5 ? doctor : patient);
  const what = Math.random();
  if (what < 0.3) {
    const wish = { clientBindingId: `client-${name}`, direction: 'both', recorded: false } as const;
    const { board, bindingId } = await bindings.bind(consultation(visit), by, wish);
    const x = board.bindings.find((one) => one.bindingId === bindingId)?.number;
    if (x === undefined || x === null || !isPhoneNumber(x)) return;
    known.set(visit, x);
    seen.push(x);
    if (seen.length > 200) seen.shift();
    say({ what: 'bound', visit, bindingId, x });
    return;
  }
  if (what < 0.5) {
    const [open] = (await bindings.board(consultation(visit), by)).bindings.filter(
      ({ state }) => state === 'bound' || state === 'binding',
    );
    if (open === undefined) return;
    await bindings.unbind(consultation(visit), by, open.bindingId);
    say({ what: 'unbound', visit, bindingId: open.bindingId });
    return;
  }
  const x = (what < 0.8 ? known.get(visit) : undefined) ?? seen[Math.floor(Math.random() * seen.length)];
  const from = numberOf(by);
  if (x === undefined || !isPhoneNumber(from)) return;
  say({ what: 'dials', name });
  const decision = await bindings.decide({ provider: 'sip', callRef: name, from, x, at: Date.now() });
  if (decision.do !== 'bridge') return;
  const { bindingId, to, showAs, phoneCallId } = decision;
  say({ what: 'connected', name, from, to, x, showAs, bindingId });
  await end(name, bindingId, phoneCallId);
}

const end = (
  callRef: string,
  bindingId: PhoneBindingId,
  phoneCallId: Parameters<typeof bindings.event>[0]['phoneCallId'],
) =>
  bindings.event({
    eventId: `${callRef}-ended`,
    provider: 'sip',
    callRef,
    bindingId,
    phoneCallId,
    at: Date.now(),
    what: { type: 'ended', caller: 'a', end: 'completed', talkMs: 1 },
  });

await Promise.all(
  Array.from({ length: ABREAST }, async () => {
    while (made < Number(operations)) {
      made += 1;
      await operate(`run-${run}-${made}`).catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
      });
      if (made % 10 === 0) say({ what: 'made', made });
    }
  }),
);
say({ what: 'done' });
await bindings.close();
await writer.close();
process.exit(0);
