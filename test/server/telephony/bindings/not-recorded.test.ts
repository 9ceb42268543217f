import type { RelayEvent } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { bridged, NOW, openBindings } from './opened.ts';

/** What the relay tells of a call. */
const report = (
  call: Pick<RelayEvent, 'bindingId' | 'phoneCallId'>,
  what: RelayEvent['what'],
  callRef = 'call-1',
): RelayEvent => ({
  eventId: `${callRef}-${what.type}`,
  provider: 'sip',
  callRef,
  bindingId: call.bindingId,
  phoneCallId: call.phoneCallId,
  at: NOW,
  what,
});

const ended = (talkMs: number, end: 'completed' | 'no_answer' = 'completed') =>
  ({ type: 'ended', caller: 'a', end, talkMs }) as const;

test('[PHB100] a call that was to be recorded and is not says so while it runs and in the thread, with the reason', async () => {
  await using opened = await openBindings();
  const { bindings, visits } = opened;
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  const { x } = await opened.bind('dora', 1, { recorded: true });
  const call = bridged(await opened.dial('dora', x));
  const notRecorded = { type: 'not_recorded', why: 'no_tape' } as const;
  const elsewhere = (await opened.bind('dan', 2)).bindingId;
  await bindings.event(report({ ...call, bindingId: elsewhere }, notRecorded));
  expect((await opened.board()).bindings[0]?.call).toMatchObject({ recorded: true });
  await bindings.event(report(call, { type: 'answered', caller: 'a' }));
  await bindings.tick();
  const { changes } = visits;
  await bindings.event(report(call, notRecorded));
  await bindings.event(report(call, { type: 'not_recorded', why: 'tape_failed' }));
  expect((await opened.board()).bindings[0]).toMatchObject({
    recorded: true,
    call: { recorded: false, notRecorded: 'no_tape' },
  });
  expect(visits.changes).toBe(changes + 1);
  await bindings.event(report(call, ended(3_000)));
  await bindings.event(report(call, notRecorded));
  const next = bridged(await opened.dial('dora', x));
  await bindings.event(report(next, notRecorded, 'call-2'));
  await bindings.event(report(next, ended(0, 'no_answer'), 'call-2'));
  await eventually('the thread to be told', () => visits.facts(1).filter((one) => one === 'callEnded')[1]);
  const ends = visits.told.map(({ fact }) => fact).filter(({ type }) => type === 'phone.callEnded');
  expect(ends).toMatchObject([{ reason: 'completed', notRecorded: 'no_tape' }, { reason: 'no_answer' }]);
  // Nobody talked, so nothing is missing.
  expect(ends[1]).not.toHaveProperty('notRecorded');
});
