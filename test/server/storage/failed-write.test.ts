import type { ConsultationId } from '@teleconsult/protocol';
import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft, type Visit } from '../../helpers/visit.ts';
import { FailingWrites, type Failure, type Manner } from './failing-writes.ts';

interface Act {
  readonly name: string;
  /** By whom; the other one watches. */
  readonly by: 'patient' | 'doctor';
  readonly payload: (id: ConsultationId, callId: string) => object;
}

const ofCall = (id: ConsultationId, callId: string) => ({ consultationId: id, callId });
const ofConsultation = (id: ConsultationId) => ({ consultationId: id });

/** A whole visit, in an order in which each act is possible. */
const ACTS: readonly Act[] = [
  { name: 'consultation.enter', by: 'patient', payload: ofConsultation },
  { name: 'consultation.accept', by: 'doctor', payload: ofConsultation },
  {
    name: 'message.send',
    by: 'patient',
    payload: (id) => ({ consultationId: id, clientMessageId: 'message-0001', content: textDraft('hello') }),
  },
  { name: 'call.start', by: 'doctor', payload: (id) => ({ consultationId: id, media: 'video' }) },
  { name: 'call.accept', by: 'patient', payload: ofCall },
  { name: 'seat.join', by: 'patient', payload: ofCall },
  {
    name: 'call.setMedia',
    by: 'doctor',
    payload: (id, callId) => ({ ...ofCall(id, callId), media: 'voice' }),
  },
  { name: 'call.hangUp', by: 'patient', payload: ofCall },
  { name: 'consultation.end', by: 'doctor', payload: ofConsultation },
];

const CODES: Record<Failure, string> = {
  STORAGE_FULL: 'STORAGE_FULL',
  STORAGE_UNAVAILABLE: 'STORAGE_UNAVAILABLE',
  bug: 'INTERNAL',
};

/** Whatever was told to a device before it asked this has arrived when it is answered. */
const all = async (client: RawClient, id: ConsultationId) =>
  client.request('thread.page', { consultationId: id, afterSequence: 0, limit: 200 });

/** Has each act of a visit fail once and then done again; tells what was not as it must be. */
async function violations(app: TestApp, writes: FailingWrites, failure: Failure): Promise<string[]> {
  const found: string[] = [];
  await using visit = await startVisit(app, { active: false });
  const { id, patient, doctor } = visit;
  // On the disk itself: what was not announced is in no page.
  const entries = async () => (await app.store.page(id, { after: 0, limit: 200 })).length;
  let callId = '';
  for (const { name, by, payload } of ACTS) {
    await all(patient, id);
    const before = await entries();
    const told = () => patient.facts.length + doctor.facts.length;
    await all(doctor, id);
    const toldBefore = told();

    writes.begin(failure);
    const failed = await visit[by].emit(name, payload(id, callId));
    await all(patient, id);
    await all(doctor, id);
    const after = await entries();
    writes.end();
    if (failed.ok) found.push(`${name} was acknowledged`);
    else if (failed.error.code !== CODES[failure])
      found.push(`${name} was refused with ${failed.error.code}`);
    else if (!failed.error.retryable) found.push(`${name} may not be tried again`);
    if (told() !== toldBefore) found.push(`${name} was told to watchers`);
    if (after !== before) found.push(`${name} left something behind`);

    const again = await visit[by].emit(name, payload(id, callId));
    if (!again.ok) found.push(`${name} failed again with ${again.error.code}`);
    if (name === 'call.start' && again.ok) callId = (again.data as { call: { callId: string } }).call.callId;
  }
  return [...found, ...(await threadViolations(visit))];
}

async function threadViolations({ id, patient, doctor }: Visit): Promise<string[]> {
  const { entries } = await all(patient, id);
  const { entries: others } = await all(doctor, id);
  const found: string[] = [];
  if (entries.some(({ sequence }, index) => sequence !== index + 1)) found.push('the thread has a gap');
  if (entries.filter(({ kind }) => kind === 'message.sent').length !== 1) found.push('not one message');
  if (JSON.stringify(entries) !== JSON.stringify(others)) found.push('the threads differ');
  for (const client of [patient, doctor]) {
    const live = client.of('entry.added').map(({ sequence }) => sequence);
    if (
      live.join() !==
      entries
        .slice(1)
        .map(({ sequence }) => sequence)
        .join()
    )
      found.push(`live came ${live.join()}`);
  }
  return found;
}

async function appWith(manner: Manner) {
  const writes = new FailingWrites(manner);
  return { writes, app: await startTestApp({}, writes.over) };
}

test.each(Object.keys(CODES) as Failure[])(
  '[R3] [STO21] after a failed write (%s) nothing was told, nothing stays, and the retry succeeds',
  async (failure) => {
    const { writes, app } = await appWith('fails');
    await using _app = app;
    expect(await violations(app, writes, failure)).toEqual([]);
  },
);

test('[R3 sabotage] [STO21] a store that reports a failure but has written is noticed', async () => {
  const { writes, app } = await appWith('fails but wrote');
  await using _app = app;
  expect(await violations(app, writes, 'STORAGE_FULL')).toContain('message.send left something behind');
});

test('[R3 sabotage] [STO21] a server that tells what is not on disk is noticed', async () => {
  const { writes, app } = await appWith('succeeds but did not write');
  await using _app = app;
  const found = await violations(app, writes, 'STORAGE_FULL');
  expect(found).toContain('message.send was acknowledged');
  expect(found).toContain('message.send was told to watchers');
});

test('[R3] [STO21] a consultation whose creation failed is told to nobody, and the same request makes it later', async () => {
  const store = new MemoryStore();
  await using app = await startTestApp({ store, attachments: store });
  await using person = await RawClient.connect(app.origin, personToken('patient-x'));
  const create = () =>
    fetch(`${app.origin}/v1/consultations`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${hostToken()}`,
        'content-type': 'application/json',
        'idempotency-key': 'one',
      },
      body: JSON.stringify({
        patient: { personId: 'patient-x', displayName: 'P' },
        doctor: { personId: 'doctor-x', displayName: 'D' },
      }),
    });
  const list = async () => (await person.request('consultation.list', {})).consultations;
  for (const [failure, status] of [
    ['full', 507],
    ['unavailable', 503],
  ] as const) {
    store.nextCall(failure);
    expect((await create()).status).toBe(status);
    expect(await list()).toEqual([]);
    expect(person.facts).toEqual([]);
  }
  expect((await create()).status).toBe(201);
  expect((await create()).status).toBe(200);
  expect(await list()).toHaveLength(1);
  expect(person.of('consultation.changed')).toHaveLength(1);
});

test('[R3] [STO21] while a write is on its way its message is told to nobody, and afterwards to all', async () => {
  const gate = Promise.withResolvers<void>();
  let held = false;
  await using app = await startTestApp({}, (store) => ({
    append: async (commit) => {
      if (held) await gate.promise;
      return store.append(commit);
    },
  }));
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  held = true;
  const sending = patient.request('message.send', {
    consultationId: id,
    clientMessageId: 'message-0001' as never,
    content: textDraft('hello'),
  });
  const before = await all(doctor, id);
  expect(before.entries.some(({ kind }) => kind === 'message.sent')).toBe(false);
  expect([...patient.of('entry.added'), ...doctor.of('entry.added')].map(({ kind }) => kind)).not.toContain(
    'message.sent',
  );
  gate.resolve();
  const { sequence } = await sending;
  for (const client of [patient, doctor])
    await client.fact('entry.added', (entry) => entry.sequence === sequence);
});
