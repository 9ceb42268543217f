import { type Consultation, createTeleconsultClient, type TeleconsultClient } from '@teleconsult/client-sdk';
import type { ConsultationId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { type SentMessage, transcriptViolations } from '../server/host/transcript.ts';

/** Sends over all clients, and how often the server is killed meanwhile. */
const SENDS = 10_000;
const KILLS = Number(process.env['TELECONSULT_TEST_KILLS'] ?? 30);
const CONSULTATIONS = 10;

interface Sender {
  readonly client: TeleconsultClient;
  readonly consultation: Consultation;
  readonly by: string;
  readonly acked: SentMessage[];
}

async function openSender(origin: string, person: string, id: ConsultationId): Promise<Sender> {
  const client = createTeleconsultClient({ url: origin, token: () => personToken(person) });
  await client.connect();
  return { client, consultation: await client.open(id), by: person, acked: [] };
}

/** Sends in order; each promise settles when the server has acknowledged, however often it dies before. */
async function sendAll({ consultation, by, acked }: Sender, count: number): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) =>
    consultation.send({ type: 'text', text: `${by} ${index}` }),
  );
  for (const { sequence } of await Promise.all(waiting)) {
    // The answer may be here before the entry is: it comes with what is caught up on after a kill.
    const entry = await eventually(
      'an acknowledged message in the sender’s thread',
      () => consultation.entries.find((one) => one.sequence === sequence),
      { withinMs: 60_000 },
    );
    acked.push({ by, clientMessageId: entry.kind === 'message.sent' ? entry.clientMessageId : '', sequence });
  }
}

async function fullThread(origin: string, id: ConsultationId): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.sequence ?? 0;
    const response = await fetch(`${origin}/v1/consultations/${id}/thread?afterSequence=${after}&limit=200`, {
      headers: { authorization: `Bearer ${hostToken()}` },
    });
    const page = (await response.json()) as { entries: Entry[]; hasMore: boolean };
    entries.push(...page.entries);
    if (!page.hasMore) return entries;
  }
}

test('[MSG8] [R1] every message acknowledged before, between and after kills is there once, in order, for both sides', async () => {
  await using dir = await tempDir();
  const port = await freePort();
  let server: ServerProcess = await startServerProcess({ dataDir: dir.path, port });
  const views = [];
  for (let index = 0; index < CONSULTATIONS; index++)
    views.push(await createConsultation(server.origin, hostToken(), `kill-${index}`));
  const senders: Sender[] = [];
  for (const view of views)
    for (const person of Object.values(peopleOf(view)))
      senders.push(await openSender(server.origin, person, view.consultationId));

  try {
    const perSender = SENDS / senders.length;
    let done = 0;
    const chunk = 100;
    const work = Promise.all(
      senders.map(async (sender) => {
        for (let sent = 0; sent < perSender; sent += chunk) {
          await sendAll(sender, Math.min(chunk, perSender - sent));
          done += chunk;
        }
      }),
    );
    const killing = (async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        const from = done;
        const target = Math.min(SENDS - chunk, (SENDS / (KILLS + 1)) * kill);
        while (done < target) await new Promise((resolve) => setImmediate(resolve));
        await server.kill();
        server = await startServerProcess({ dataDir: dir.path, port });
        expect(done).toBeGreaterThanOrEqual(from);
      }
    })();
    await Promise.all([work, killing]);

    for (const view of views) {
      const entries = await fullThread(server.origin, view.consultationId);
      const inHere = senders.filter(({ consultation }) => consultation.id === view.consultationId);
      expect(
        transcriptViolations(
          entries,
          inHere.flatMap(({ acked }) => acked),
        ),
      ).toEqual([]);
      expect(entries.filter(({ kind }) => kind === 'message.sent')).toHaveLength(perSender * inHere.length);
      for (const { consultation } of inHere) {
        const held = () => consultation.entries.map(({ sequence }) => sequence);
        await eventually('both sides to hold the last entry', () => held().at(-1) === entries.length, {
          lastSeen: () => held().at(-1),
        });
        expect(consultation.entries).toEqual(entries.slice((held()[0] ?? 1) - 1));
      }
    }
  } finally {
    await Promise.all(senders.map(({ client }) => client.close()));
    await server.kill();
  }
}, 180_000);

test('[MSG8 sabotage] [R1] a lost, doubled, swapped or missing row is noticed', () => {
  const entry = (sequence: number, clientMessageId: string): Entry =>
    ({ kind: 'message.sent', sequence, by: 'a', clientMessageId }) as Entry;
  const good = [entry(1, 'm1'), entry(2, 'm2'), entry(3, 'm3')];
  const acked = good.map(({ sequence }, index) => ({ by: 'a', clientMessageId: `m${index + 1}`, sequence }));
  expect(transcriptViolations(good, acked)).toEqual([]);
  expect(transcriptViolations(good.slice(0, 2), acked)).not.toEqual([]);
  expect(transcriptViolations([...good, entry(4, 'm2')], acked)).not.toEqual([]);
  expect(transcriptViolations([entry(1, 'm2'), entry(2, 'm1'), entry(3, 'm3')], acked)).not.toEqual([]);
  expect(transcriptViolations([entry(1, 'm1'), entry(3, 'm3')], acked)).not.toEqual([]);
});
