import type { ClientMessageId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { heapAfterCollection, INSPECTED } from '../helpers/inspected-heap.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { textDraft } from '../helpers/visit.ts';
import { startChild } from '../security/child.ts';
import { originOf } from '../security/main-process.ts';

/** What a client that does not read may cost, in bytes. */
const COST_LIMIT = 5 * 1024 * 1024;
/** 4,000 characters each: far more than the kernel's socket buffers take up. */
const MESSAGES = 8_000;
const AT_ONCE = 50;

const TEXT = '字'.repeat(4_000);

/** Stops taking bytes off the socket, as a phone does that the system has put to sleep. */
function stopReading(client: RawClient): void {
  const socket = Reflect.get(client.socket.io.engine.transport, 'ws') as { pause(): void };
  socket.pause();
}

/** How much more the server's heap holds than before, at most, while one client reads nothing of what is sent. */
async function costOfStalled(
  server: { readonly output: () => string },
  clients: { readonly sender: RawClient; readonly stalled: RawClient; readonly messages: number },
  send: (index: number) => Promise<unknown>,
): Promise<number> {
  const { sender, stalled, messages } = clients;
  stopReading(stalled);
  const before = await heapAfterCollection(server);
  let highest = before;
  for (let sent = 0; sent < messages; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => send(sent + index)));
    sender.facts.length = 0;
    if (sent % 1_000 === 0) highest = Math.max(highest, await heapAfterCollection(server));
  }
  return highest - before;
}

test('[R7] a client that stops reading costs at most 5 MB, is dropped, and catches up when it returns', async () => {
  await using dir = await tempDir();
  await using server = await startServerProcess({ dataDir: dir.path, port: 0, env: INSPECTED });
  const view = await createConsultation(server.origin, hostToken(), 'stalled');
  const { consultationId } = view;
  const people = peopleOf(view);
  await using doctor = await RawClient.connect(server.origin, personToken(people.doctor));
  const token = personToken(people.patient);
  await using patient = await RawClient.connect(server.origin, token, { deviceId: 'device-stalled' });
  for (const client of [doctor, patient]) await client.request('consultation.watch', { consultationId });
  const clients = { sender: doctor, stalled: patient, messages: MESSAGES };
  const cost = await costOfStalled(server, clients, (index) =>
    doctor.request('message.send', {
      consultationId,
      clientMessageId: `message-${index}` as ClientMessageId,
      content: textDraft(TEXT),
    }),
  );
  expect(cost).toBeLessThan(COST_LIMIT);
  await eventually('the stalled client to be dropped', () => server.output().includes('device.stalled'));

  await using back = await RawClient.connect(server.origin, token, { deviceId: 'device-stalled' });
  let after = 0;
  for (let hasMore = true; hasMore; ) {
    const page = await back.request('thread.page', { consultationId, afterSequence: after, limit: 200 });
    after = page.entries.at(-1)?.sequence ?? after;
    hasMore = page.hasMore;
  }
  // Requested, and everything that was sent.
  expect(after).toBe(MESSAGES + 1);
}, 120_000);

test('[R7 sabotage] a server that keeps everything for a client that does not read is noticed', async () => {
  await using unbounded = startChild('test/chaos/unbounded-server.fixture.ts', INSPECTED);
  const origin = await originOf(unbounded);
  await using sender = await RawClient.connect(origin, 'anybody');
  await using stalled = await RawClient.connect(origin, 'anybody');
  const clients = { sender, stalled, messages: 3_050 };
  const cost = await costOfStalled({ output: () => unbounded.errors() }, clients, () =>
    sender.emit('message.send', { text: TEXT }),
  );
  expect(cost).toBeGreaterThan(COST_LIMIT);
}, 60_000);
