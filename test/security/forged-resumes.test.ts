import { randomBytes } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../helpers/visit.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET = 'what only the two of them may read';
/** As the design asks for. */
const FORGERIES = 200;

const invented = () =>
  `cns_${Array.from(randomBytes(22), (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;

/** The id with one character changed: what somebody who saw half of it would try. */
function nearly(id: string): string {
  const at = 4 + ((randomBytes(1)[0] ?? 0) % 22);
  const other = ALPHABET[(ALPHABET.indexOf(id[at] ?? '0') + 1) % ALPHABET.length] ?? '0';
  return `${id.slice(0, at)}${other}${id.slice(at + 1)}`;
}

/** What a device that claims to return would ask. */
const resumes = (consultationId: string, n: number): readonly [name: string, payload: object][] => [
  ['consultation.watch', { consultationId, afterSequence: n % 7 }],
  ['consultation.watch', { consultationId }],
  ['thread.page', { consultationId, afterSequence: n % 5 }],
  ['thread.page', { consultationId, beforeSequence: 1 + (n % 9) }],
  ['thread.mark', { consultationId, delivered: n, read: n }],
  ['thread.search', { consultationId, query: SECRET }],
  ['message.recall', { consultationId, sequence: n % 9 }],
  ['typing.set', { consultationId, activity: 'typing' }],
];

/** Sends the forgeries and says what of the answers gives something away. An empty list is the claim. */
async function complaintsOf(forger: RawClient, real: string): Promise<string[]> {
  const complaints: string[] = [];
  const answers = new Map<string, Set<string>>();
  for (let n = 0; n < FORGERIES; n += 1) {
    const [kind, id] = (
      [
        ['real', real],
        ['invented', invented()],
        ['nearly', nearly(real)],
      ] as const
    )[n % 3] ?? ['real', real];
    const forged = resumes(id, n);
    const [name, payload] = forged[Math.floor(n / 3) % forged.length] ?? ['', {}];
    const reply = await forger.emit(name, payload);
    if (JSON.stringify(reply).includes(SECRET)) complaints.push(`${name} of ${kind}: holds what was said`);
    if (reply.ok) {
      complaints.push(`${name} of ${kind}: was answered`);
      continue;
    }
    // The request id differs each time, and is all that may.
    const { requestId: _requestId, ...error } = reply.error;
    if (error.code !== 'NOT_FOUND') complaints.push(`${name} of ${kind}: ${error.code}`);
    const seen = answers.get(name) ?? new Set();
    answers.set(name, seen.add(JSON.stringify(error)));
  }
  for (const [name, seen] of answers)
    if (seen.size !== 1) complaints.push(`${name}: what exists is answered otherwise than what does not`);
  if (answers.size !== 6) complaints.push(`${answers.size} kinds of requests were refused`);
  return complaints;
}

test(`[R5] ${FORGERIES} forged requests to resume leak nothing: what exists is answered like what does not, and nothing is told`, async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await using neighbours = await startVisit(app);
  for (const n of [1, 2, 3]) {
    await visit.patient.request('message.send', {
      consultationId: visit.id,
      clientMessageId: `message-secret-${n}`,
      content: textDraft(SECRET),
    });
  }
  // Somebody with a visit of their own, who claims the device of the patient.
  const { patient: neighbour } = peopleOf(neighbours.view);
  await using forger = await RawClient.connect(app.origin, personToken(neighbour), {
    deviceId: visit.patient.deviceId,
  });
  const before = await visit.patient.request('thread.page', { consultationId: visit.id });
  const markBefore = visit.doctor.of('marks.changed').length;
  expect(await complaintsOf(forger, visit.id)).toEqual([]);

  // What happens then reaches those it is for, and nobody who asked for it.
  await visit.patient.request('message.send', {
    consultationId: visit.id,
    clientMessageId: 'message-secret-4',
    content: textDraft(SECRET),
  });
  await visit.doctor.fact('entry.added', ({ sequence }) => sequence > before.lastSequence);
  expect(JSON.stringify(forger.facts)).not.toContain(visit.id);
  expect(JSON.stringify(forger.facts)).not.toContain(SECRET);
  // Neither were marks moved, messages recalled, or the patient's own connection replaced.
  const after = await visit.patient.request('thread.page', { consultationId: visit.id });
  expect(after.entries.slice(0, before.entries.length)).toEqual(before.entries);
  expect(after.lastSequence).toBe(before.lastSequence + 1);
  expect(visit.doctor.of('marks.changed').length).toBe(markBefore);
  expect(visit.patient.socket.connected).toBe(true);
});

test(`[R5] a device that resumes with sequences of the future, or of another thread, gets what is its own and no more`, async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { lastSequence } = await visit.patient.request('thread.page', { consultationId: visit.id });
  for (const afterSequence of [lastSequence, lastSequence + 1, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    const { entries, hasMore } = await visit.patient.request('consultation.watch', {
      consultationId: visit.id,
      afterSequence,
    });
    expect([entries, hasMore], String(afterSequence)).toEqual([[], false]);
  }
  for (const afterSequence of [-1, 0.5, '0; drop table', null, [1]]) {
    const reply = await visit.patient.emit('consultation.watch', { consultationId: visit.id, afterSequence });
    expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID' } });
  }
});

test('[R5 sabotage] a server that says of unknown ids something else than of others’ is noticed', async () => {
  await using app = await startTestApp({}, (store) => ({
    load: async (id) => {
      const stored = await store.load(id);
      if (stored === null) throw new AppError('STORAGE_UNAVAILABLE');
      return stored;
    },
  }));
  await using visit = await startVisit(app);
  await using forger = await RawClient.connect(app.origin, personToken('somebody-else'));
  const complaints = await complaintsOf(forger, visit.id);
  expect(complaints).toContain('consultation.watch: what exists is answered otherwise than what does not');
});
