import type { DeviceId } from '@teleconsult/protocol';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { TicketHash } from '@teleconsult/server/consultation/tickets';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  after,
  answer,
  at,
  callId,
  connecting,
  desk,
  doctor,
  join,
  live,
  must,
  patient,
  phone,
  ringing,
  start,
  tablet,
  takeOver,
  ticketOf,
  timings,
} from './domain-fixtures.ts';

const ticket = (n: number) => `ticket-${n}` as TicketHash;
const mine = (brings: TicketHash | null, given: TicketHash, deviceId: DeviceId = phone) =>
  join(patient, deviceId, { brings, given });
const seat = (state: ConsultationState) => state.call?.seats.find(({ personId }) => personId === patient);
const refused = { kind: 'refused', code: 'RESUME_REFUSED' };
const lost = { type: 'device.lost', personId: patient, deviceId: phone } as const;
/** The patient's phone joined and was given the first ticket. */
const joined = () => after(connecting(), join(doctor, desk), mine(null, ticket(1)));

test('[SEAT20] the first join of an answered seat needs no ticket, also when the device was lost before it', () => {
  expect(seat(after(connecting(), mine(null, ticket(1))))).toMatchObject({ state: 'present' });
  expect(seat(after(connecting(), lost, mine(null, ticket(1))))).toMatchObject({ state: 'present' });
});

test('[SEAT20] a device that has joined needs its ticket in every state of the seat, and a refusal changes nothing', () => {
  const waiting = must(joined(), lost, 2_000).state;
  const left = must(waiting, { type: 'tick' }, 2_000 + timings.seatGraceMs).state;
  for (const [now, state] of [
    [1_000, joined()],
    [3_000, waiting],
    [70_000, left],
  ] as const) {
    const before = structuredClone(state);
    for (const brings of [null, ticket(9), ticketOf(desk)])
      expect(at(state, mine(brings, ticket(2)), now)).toEqual(refused);
    expect(state).toEqual(before);
    expect(seat(must(state, mine(ticket(1), ticket(2)), now).state)).toMatchObject({ state: 'present' });
  }
});

test('[SEAT21] each join replaces the ticket, and one that was replaced by a used one is worth nothing', () => {
  const second = after(joined(), mine(ticket(1), ticket(2)));
  const third = after(second, mine(ticket(2), ticket(3)));
  expect(at(third, mine(ticket(1), ticket(4)))).toEqual(refused);
  expect(at(third, mine(ticket(3), ticket(4))).kind).toBe('next');
});

test('[SEAT22] the former ticket is good as long as none given for it was used: the answer may be lost on the way', () => {
  // The answer with the second ticket never arrived, nor did the next one.
  const twice = after(joined(), mine(ticket(1), ticket(2)), mine(ticket(1), ticket(3)));
  expect(at(twice, mine(ticket(1), ticket(4))).kind).toBe('next');
  // One of them arrived after all, and is used: from then on the first is worth nothing.
  const used = after(twice, mine(ticket(2), ticket(4)));
  for (const brings of [ticket(1), ticket(3)]) expect(at(used, mine(brings, ticket(5)))).toEqual(refused);
});

test('[SEAT22] of requests at the same moment with one ticket each gets one that is good, whichever the device keeps', () => {
  const state = after(joined(), ...[2, 3, 4, 5].map((n) => mine(ticket(1), ticket(n))));
  for (const n of [2, 3, 4, 5]) expect(at(state, mine(ticket(n), ticket(9))).kind).toBe('next');
  // What is kept of them is bounded.
  const many = after(joined(), ...Array.from({ length: 50 }, (_, n) => mine(ticket(1), ticket(n + 2))));
  expect(JSON.stringify(seat(many))).toHaveLength(JSON.stringify(seat(state)).length + 4);
  expect(at(many, mine(ticket(2), ticket(99)))).toEqual(refused);
  expect(at(many, mine(ticket(51), ticket(99))).kind).toBe('next');
});

test('[SEAT23] another device takes the seat over when it says so; no ticket of the former one helps either of them', () => {
  for (const brings of [null, ticket(1)])
    expect(at(joined(), mine(brings, ticket(2), tablet))).toEqual(refused);
  const moved = after(joined(), join(patient, tablet, { given: ticket(2), takeOver: true }));
  for (const brings of [ticket(1), ticket(2), null])
    expect(at(moved, mine(brings, ticket(3)))).toEqual(refused);
  expect(at(moved, mine(ticket(1), ticket(3), tablet))).toEqual(refused);
  expect(seat(must(moved, mine(ticket(2), ticket(3), tablet)).state)).toMatchObject({ deviceId: tablet });
  // And back: what the phone was given before its seat was taken stays worth nothing.
  const back = after(moved, join(patient, phone, { given: ticket(4), takeOver: true }));
  expect(at(back, mine(ticket(1), ticket(5)))).toEqual(refused);
});

test('[SEAT23] a device that lost its ticket takes its own seat over, and the tickets it had are worth nothing', () => {
  const again = must(joined(), join(patient, phone, { given: ticket(2), takeOver: true }));
  expect(again.effects).toEqual([]);
  expect(seat(again.state)).toMatchObject({ state: 'present', deviceId: phone });
  expect(at(again.state, mine(ticket(1), ticket(3)))).toEqual(refused);
});

test('[SEAT23] a seat that another device answered and has not joined yet is taken over by saying so alone', () => {
  const state = after(ringing(), answer(phone));
  expect(at(state, join(patient, tablet))).toEqual(refused);
  expect(must(state, takeOver(patient, tablet)).effects).toEqual([
    expect.objectContaining({ type: 'seatReleased', deviceId: phone, why: 'moved' }),
  ]);
});

test('[SEAT24] tickets are of one person and one call: another’s, and one of an earlier call, are worth nothing', () => {
  expect(at(live(), join(doctor, desk, { brings: ticketOf(phone) }))).toEqual(refused);
  const again = after(
    joined(),
    { type: 'call.hangUp', by: patient, deviceId: phone, callId },
    start(),
    answer(),
    join(doctor, desk),
    mine(null, ticket(8)),
  );
  expect(seat(again)).toMatchObject({ state: 'present' });
  expect(at(again, mine(ticket(1), ticket(9)))).toEqual(refused);
});

test('[SEAT25] a seat that was joined before there were tickets is taken again by its own device without one, once', () => {
  const state = joined();
  const { call } = state;
  const old: ConsultationState = {
    ...state,
    call: call && {
      ...call,
      seats: call.seats.map((one) => (one.state === 'present' ? { ...one, tickets: null } : one)),
    },
  };
  expect(at(old, join(patient, tablet))).toEqual(refused);
  const back = must(old, mine(null, ticket(2))).state;
  expect(at(back, mine(null, ticket(3)))).toEqual(refused);
  expect(at(back, mine(ticket(2), ticket(3))).kind).toBe('next');
});

test('[SEAT26] tickets are in no view and no fact, in whichever state a seat is', () => {
  const waiting = must(joined(), lost, 2_000);
  const left = must(waiting.state, { type: 'tick' }, 2_000 + timings.seatGraceMs);
  const back = must(left.state, mine(ticket(1), ticket(2)), 70_000);
  for (const { state, facts } of [waiting, left, back]) {
    expect(JSON.stringify(state)).toContain(ticket(1));
    expect(JSON.stringify([facts, state.call && viewCall(state, state.call)])).not.toContain('ticket');
  }
});
