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

/** What a client that does not read may cost, in bytes. */
const COST_LIMIT = 5 * 1024 * 1024;
/** 4,000 characters each: far more than the kernel's socket buffers take up. */
const MESSAGES = 8_000;
const AT_ONCE = 50;

/** Stops taking bytes off the socket, as a phone does that the system has put to sleep. */
function stopReading(client: RawClient): void {
  const { transport } = client.socket.io.engine;
  const { ws } = transport as unknown as { ws: { pause(): void } };
  ws.pause();
}

test('[R7] a client that stops reading costs at most 5 MB, is dropped, and catches up when it returns', async () => {
  await using dir = await tempDir();
  await using server = await startServerProcess({ dataDir: dir.path, port: 0, env: INSPECTED });
  const { consultationId, participants } = await createConsultation(server.origin, hostToken(), 'stalled');
  const people = peopleOf({ participants } as never);
  await using doctor = await RawClient.connect(server.origin, personToken(people.doctor));
  const token = personToken(people.patient);
  await using patient = await RawClient.connect(server.origin, token, { deviceId: 'device-stalled' });
  for (const client of [doctor, patient]) await client.request('consultation.watch', { consultationId });
  stopReading(patient);
  const before = await heapAfterCollection(server);
  let highest = 0;
  const text = '字'.repeat(4_000);
  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        doctor.request('message.send', {
          consultationId,
          clientMessageId: `message-${sent + index}` as ClientMessageId,
          content: textDraft(text),
        }),
      ),
    );
    doctor.facts.length = 0;
    if (sent % 1_000 === 0) highest = Math.max(highest, await heapAfterCollection(server));
  }
  expect(highest - before).toBeLessThan(COST_LIMIT);
  await eventually('the stalled client to be dropped', () => server.output().includes('device.stalled'));

  await using back = await RawClient.connect(server.origin, token, { deviceId: 'device-stalled' });
  let after = 0;
  for (let hasMore = true; hasMore; ) {
    const page = await back.request('thread.page', { consultationId, afterSequence: after, limit: 5 });
    after = page.entries.at(-1)?.sequence ?? after;
    hasMore = page.hasMore && after < 50;
  }
  expect(after).toBeGreaterThanOrEqual(50);
}, 120_000);
