import type { Entry } from '@teleconsult/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestApp } from '../../helpers/test-app.ts';
import { startVisit } from '../../helpers/visit.ts';
import { transcriptViolations } from '../host/transcript.ts';
import { newId, say, threadOf } from './conversation.ts';

const HOUR = 3_600_000;

test('[R8] clock jumps of an hour forwards and back between commits change no order and no moment goes back', async () => {
  let now = 1_800_000_000_000;
  await using app = await startTestApp({ clock: () => now });
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const acked: { by: string; clientMessageId: string; sequence: number }[] = [];
  const jumps = fc.sample(fc.constantFrom(-HOUR, HOUR, 0, 1), { numRuns: 60, seed: 8 });
  for (const [index, jump] of jumps.entries()) {
    now += jump;
    const [client, by] = index % 2 === 0 ? [patient, 'patient'] : [doctor, 'doctor'];
    const clientMessageId = newId();
    const content = { type: 'text' as const, text: `n${index}` };
    const { sequence } = await client.request('message.send', {
      consultationId: id,
      clientMessageId,
      content,
    });
    acked.push({ by, clientMessageId, sequence });
  }
  const entries = await threadOf(patient, id);
  const named = entries.map((entry) => ({ ...entry, by: entry.by?.split('-')[0] as never }));
  expect(transcriptViolations(named, acked)).toEqual([]);
  const moments = entries.map(({ at }) => at);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  const texts = entries.flatMap((entry) =>
    entry.kind === 'message.sent' && entry.content.type === 'text' ? [entry.content.text] : [],
  );
  expect(texts).toEqual(jumps.map((_, index) => `n${index}`));
  // Live, too: what the doctor saw came in this order.
  const live = doctor.of('entry.added').map(({ sequence }) => sequence);
  expect(live).toEqual(live.toSorted((a, b) => a - b));
});

test('[R8] marks and pages follow sequences, not moments', async () => {
  let now = 1_800_000_000_000;
  await using app = await startTestApp({ clock: () => now });
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const first = await say(patient, id, 'first');
  now -= HOUR;
  const second = await say(patient, id, 'second');
  expect(second.at).toBeGreaterThanOrEqual(first.at);
  await doctor.request('thread.mark', { consultationId: id, read: second.sequence });
  now -= HOUR;
  expect(await doctor.request('thread.mark', { consultationId: id, read: first.sequence })).toMatchObject({
    read: second.sequence,
    unread: 0,
  });
});

test('[R8 sabotage] an order by moments instead of sequences is noticed', () => {
  const entry = (sequence: number, at: number) =>
    ({ kind: 'message.sent', sequence, at, by: 'patient', clientMessageId: `message-${sequence}` }) as Entry;
  const jumped = [entry(1, HOUR), entry(2, 0), entry(3, 2 * HOUR)];
  const acked = jumped.map(({ sequence }) => ({
    by: 'patient',
    clientMessageId: `message-${sequence}`,
    sequence,
  }));
  expect(transcriptViolations(jumped, acked)).toEqual([]);
  const byMoment = jumped.toSorted((a, b) => a.at - b.at);
  expect(transcriptViolations(byMoment, acked)).not.toEqual([]);
});
