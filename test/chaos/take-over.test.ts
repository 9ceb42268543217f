import type { ClientMessageId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startCall, startVisit, takeOverSeat, textDraft } from '../helpers/visit.ts';
import { type SentMessage, transcriptViolations } from '../server/host/transcript.ts';

const TAKE_OVERS = Number(process.env['TELECONSULT_TEST_TAKE_OVERS'] ?? 500);

test(`[R11] [SEAT4] ${TAKE_OVERS} take-overs between two devices while both send lose no message, and each time the old device is told`, async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, view, patient, doctor: desk } = visit;
  const { doctor: by } = peopleOf(view);
  await using phone = await RawClient.connect(app.origin, personToken(by));
  const callId = await startCall(visit);
  /** By device: what two devices send at once has no order between them. */
  const acked = { desk: [] as SentMessage[], phone: [] as SentMessage[] };
  const send = async (client: RawClient, device: 'desk' | 'phone', index: number): Promise<void> => {
    const clientMessageId = `${device}-${String(index).padStart(6, '0')}` as ClientMessageId;
    const { sequence } = await client.request('message.send', {
      consultationId: id,
      clientMessageId,
      content: textDraft(`${device} ${index}`),
    });
    acked[device].push({ by, clientMessageId, sequence });
  };
  for (let turn = 0; turn < TAKE_OVERS; turn++) {
    const taker = turn % 2 === 0 ? phone : desk;
    await Promise.all([
      takeOverSeat(taker, { consultationId: id, callId }),
      send(desk, 'desk', turn),
      send(phone, 'phone', turn),
    ]);
  }
  for (const [device, count] of [
    [desk, Math.ceil(TAKE_OVERS / 2)],
    [phone, Math.floor(TAKE_OVERS / 2)],
  ] as const)
    await eventually('the old device to be told', () => device.of('seat.moved').length === count, {
      lastSeen: () => device.of('seat.moved').length,
    });
  const last = await patient.request('consultation.watch', { consultationId: id });
  expect(last.call?.seats.filter(({ personId }) => personId === by)).toHaveLength(1);
  expect(last.call?.state).toBe('live');
  expect(app.sfu.health().seats).toBe(2);
  const entries: Entry[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await app.app.host.thread(id, null, {
      afterSequence: entries.at(-1)?.sequence ?? 0,
      limit: 200,
    });
    entries.push(...page.entries);
    hasMore = page.hasMore;
  }
  for (const each of Object.values(acked)) {
    expect(each).toHaveLength(TAKE_OVERS);
    expect(transcriptViolations(entries, each)).toEqual([]);
  }
}, 60_000);

test('[R11 sabotage] a message that was lost in a take-over is noticed', () => {
  const entry = (sequence: number) =>
    ({ kind: 'message.sent', sequence, by: 'doctor', clientMessageId: `desk-${sequence}` }) as Entry;
  const thread = [entry(1), entry(2), entry(3)];
  const acked = thread.map(({ sequence }) => ({
    by: 'doctor',
    clientMessageId: `desk-${sequence}`,
    sequence,
  }));
  expect(transcriptViolations(thread, acked)).toEqual([]);
  const without = thread.filter(({ sequence }) => sequence !== 2);
  expect(transcriptViolations(without, acked)).not.toEqual([]);
});
