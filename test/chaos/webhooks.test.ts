import type { ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { startEndpoint } from '../server/notify/endpoint.ts';
import { SECRET } from '../server/notify/started-notifier.ts';

const CONSULTATIONS = 6;
const ROUNDS = 3;
const MESSAGES = 20;

/** Sends until the server is killed under it; what was acknowledged counts. */
async function send(client: RawClient, id: ConsultationId, round: number): Promise<void> {
  for (let number = 0; number < MESSAGES && client.socket.connected; number += 1) {
    const content = { type: 'text', text: `canary ${round} ${number}` } as const;
    const clientMessageId = `message-${round}-${number}`;
    await client.request('message.send', { consultationId: id, clientMessageId, content });
  }
}

test('[HOOK11] over kills of the server and failures of the receiver every event arrives, in order, under one id', async () => {
  await using dir = await tempDir();
  await using receiver = await startEndpoint();
  const accepted: string[] = [];
  receiver.answer = ({ headers }, count) => {
    if (count % 13 === 0) return { status: 500 };
    accepted.push(String(headers['webhook-id']));
    // Taken, but the server is told too late or not at all: it has to ask again.
    return count % 29 === 0 ? { status: 503 } : { status: 200 };
  };
  const port = await freePort();
  const env = { TELECONSULT_WEBHOOK_URL: `${receiver.origin}/hook`, TELECONSULT_WEBHOOK_SECRET: SECRET };
  const start = (): Promise<ServerProcess> => startServerProcess({ dataDir: dir.path, port, env });
  const views: Awaited<ReturnType<typeof createConsultation>>[] = [];
  let server = await start();
  for (let number = 0; number < CONSULTATIONS; number += 1)
    views.push(await createConsultation(server.origin, hostToken()));
  for (let round = 0; round < ROUNDS; round += 1) {
    const clients = await Promise.all(
      views.map((view) => RawClient.connect(server.origin, personToken(peopleOf(view).patient))),
    );
    const before = accepted.length;
    const sending = clients.map((client, index) =>
      send(client, views[index]?.consultationId as ConsultationId, round),
    );
    // What was under way when the server is killed is never answered.
    for (const each of sending) each.catch(() => undefined);
    await eventually('some webhooks of the round', () => accepted.length > before + 15);
    await server.kill();
    for (const client of clients) await client[Symbol.asyncDispose]();
    server = await start();
  }
  await using _server = server;
  for (const view of views) {
    await using client = await RawClient.connect(server.origin, personToken(peopleOf(view).patient));
    const { consultationId } = view;
    const { lastSequence } = await client.request('thread.page', { consultationId, limit: 1 });
    expect(lastSequence).toBeGreaterThan(1);
    const told = (): number[] => [
      ...new Set(accepted.flatMap((id) => (id.startsWith(consultationId) ? [Number(id.split(':')[1])] : []))),
    ];
    await eventually('every entry to be told', () => told().length === lastSequence, {
      withinMs: 60_000,
      lastSeen: () => [told().length, lastSequence],
    });
    expect(told()).toEqual(Array.from({ length: lastSequence }, (_, index) => index + 1));
  }
  for (const { body } of receiver.received) expect(body.toString('utf8')).not.toContain('canary');
  expect(server.output()).not.toContain('canary');
}, 120_000);
