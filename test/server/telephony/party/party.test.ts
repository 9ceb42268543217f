import { AppError, PersonId } from '@teleconsult/protocol';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { call, openPartyStage, PATIENT, TELEPHONE, visit } from './party-stage.ts';

const types = (told: readonly { readonly type: string }[]): string[] => told.map(({ type }) => type);

test('[PTY1] who answers hears that they are connected, has the seat, and talks with the room', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.ring();
  expect(telephone.wish).toMatchObject({ ...TELEPHONE, language: 'zh', soundHost: '127.0.0.1' });
  expect(telephone.wish.ringMs).toBeGreaterThan(20_000);
  expect(telephone.wish.ringMs).toBeLessThanOrEqual(30_000);
  expect(stage.told).toEqual([]);
  expect(stage.seat()).toBeNull();
  telephone.isSlow = true;
  telephone.answer();
  await eventually('a word', () => telephone.said.includes('connecting'));
  // Nobody is shown as present while they are being spoken to.
  expect([stage.told, stage.seat()]).toEqual([[], null]);
  telephone.isSlow = false;
  await eventually('sound', () => telephone.isBridged);
  expect(stage.told).toEqual([{ type: 'phone.seatAnswered', ...stage.place }]);
  const local = stage.sfu.rooms[0]?.phones.get(PATIENT);
  expect(telephone.peers).toEqual([{ host: local?.local.host, port: local?.local.port, codec: 8 }]);
  const { host, port, ssrc } = telephone.sound;
  expect(local?.options).toMatchObject({ codec: 8, remote: { host, port }, ssrc, paused: false });
  expect(stage.parties.size).toBe(1);
});

test.each([
  ['busy', 'busy'],
  ['no_answer', 'no_answer'],
  ['declined', 'declined'],
  ['failed', 'lost'],
  ['lost', 'lost'],
] as const)(
  '[PTY2] a telephone that ends with %s while it rings leaves the seat as %s',
  async (end, reason) => {
    await using stage = await openPartyStage();
    const telephone = await stage.ring();
    telephone.end(end);
    await eventually('an end', () => stage.parties.size === 0);
    expect(stage.told).toEqual([{ type: 'phone.seatLeft', reason, ...stage.place }]);
    expect(stage.sfu.rooms).toEqual([]);
  },
);

test('[PTY3] what cannot be rung is answered all the same, and nobody is dialled whose telephone is not known', async () => {
  await using stage = await openPartyStage();
  const ring = () => stage.carryOut({ type: 'phone.ring', ...stage.place, until: Date.now() + 10_000 });
  stage.state.reachable = null;
  ring();
  await eventually('an answer', () => stage.told.length === 1 && stage.parties.size === 0);
  stage.state.reachable = TELEPHONE;
  stage.telephones.refuseNext('unavailable');
  ring();
  await eventually('an answer', () => stage.told.length === 2 && stage.parties.size === 0);
  stage.carryOut({ type: 'phone.ring', ...stage.place, until: Date.now() - 1 });
  await eventually('an answer', () => stage.told.length === 3 && stage.parties.size === 0);
  expect(stage.told.map((event) => ('reason' in event ? event.reason : null))).toEqual([
    'lost',
    'lost',
    'no_answer',
  ]);
  expect(stage.telephones.rung).toEqual([]);
  expect(JSON.stringify(stage.logged)).not.toMatch(/13900002222|17000003333/);
});

test('[PTY3] a store that fails while a number is looked up is answered, too', async () => {
  await using stage = await openPartyStage({
    book: {
      telephoneOf: async () => {
        throw new AppError('NOT_FOUND');
      },
    },
  });
  stage.carryOut({ type: 'phone.ring', ...stage.place, until: Date.now() + 10_000 });
  await eventually('an answer', () => stage.told.length === 1 && stage.parties.size === 0);
  expect(stage.told).toMatchObject([{ type: 'phone.seatLeft', reason: 'lost' }]);
});

test('[PTY4] a telephone that the call does not want any more is hung up, and the call is told nothing', async () => {
  await using stage = await openPartyStage();
  const ringing = await stage.ring();
  stage.carryOut({ type: 'phone.hangUp', ...stage.place, why: 'answered_elsewhere' });
  await eventually('an end', () => stage.parties.size === 0);
  expect(ringing.hungUp).toEqual({ prompt: null, end: 'cancelled' });
  const talking = await stage.talking();
  stage.carryOut({ type: 'phone.hangUp', ...stage.place, why: 'call_ended' });
  // Before it is asked why: nobody hears the other any more.
  expect(talking.isBridged).toBe(false);
  await eventually('an end', () => stage.parties.size === 0);
  expect(talking.hungUp).toEqual({ prompt: null, end: 'completed' });
  const visited = await stage.talking();
  stage.state.phase = 'ended';
  stage.carryOut({ type: 'phone.hangUp', ...stage.place, why: 'call_ended' });
  await eventually('an end', () => stage.parties.size === 0);
  expect(visited.hungUp).toEqual({ prompt: 'visit_ended', end: 'completed' });
  expect(types(stage.told)).toEqual(['phone.seatAnswered', 'phone.seatAnswered']);
  expect(stage.seat()).toBeNull();
  // One it does not know: after a restart.
  stage.carryOut({ type: 'phone.hangUp', ...stage.place, why: 'left' });
  expect(stage.parties.size).toBe(0);
});

test('[PTY5] who hangs up is out of the room at once, and out of the call as soon as that can be kept', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  stage.state.refusals.push(new AppError('STORAGE_UNAVAILABLE'), new AppError('STORAGE_FULL'));
  telephone.end('completed');
  await eventually('an empty room', () => stage.seat() === null);
  await eventually('the end', () => stage.parties.size === 0);
  expect(stage.told.at(-1)).toEqual({ type: 'phone.seatLeft', reason: 'hung_up', ...stage.place });
  expect(stage.state.refusals).toEqual([]);
});

test('[PTY6] a telephone whose call is gone when it is answered is hung up without entering a room', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.ring();
  stage.state.refusals.push(new AppError('NOT_FOUND'));
  telephone.answer();
  await eventually('an end', () => stage.parties.size === 0);
  expect(telephone.hungUp).toEqual({ prompt: null, end: 'cancelled' });
  expect(telephone.said).toEqual(['connecting']);
  expect([stage.told, stage.sfu.rooms]).toEqual([[], []]);
});

test('[PTY7] a room whose worker died is opened again for the same telephone, muted as it was', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  stage.carryOut({ type: 'phone.setMuted', ...stage.place, muted: true });
  await eventually('silence', () => stage.seat()?.paused === true);
  stage.sfu.failNext('openPhoneSeat', 'no_worker');
  stage.sfu.killWorker();
  await eventually('sound again', () => telephone.peers.length === 2 && telephone.isBridged);
  expect(stage.seat()?.paused).toBe(true);
  expect(telephone.hungUp).toBeNull();
  expect(types(stage.told)).toEqual(['phone.seatAnswered']);
  stage.seat()?.fail();
  await eventually('sound once more', () => telephone.peers.length === 3 && telephone.isBridged);
});

test('[PTY7] a telephone for which no room comes back in time hears so, and has left', async () => {
  let mayJoin = true;
  const isThere = (): boolean => mayJoin;
  const base = await openPartyStage();
  await using _base = base;
  await using stage = await openPartyStage({
    rooms: {
      joinPhone: async ({ personId }, options) => {
        if (!isThere()) throw new AppError('MEDIA_UNAVAILABLE');
        const room = await base.sfu.openRoom({ onClosed: () => undefined });
        return room.openPhoneSeat({ ...options, seatId: personId });
      },
    },
  });
  const telephone = await stage.talking();
  mayJoin = false;
  base.sfu.killWorker();
  await eventually('an end', () => stage.parties.size === 0);
  expect(telephone.hungUp?.prompt).toBe('unavailable');
  expect(stage.told.at(-1)).toMatchObject({ type: 'phone.seatLeft', reason: 'lost' });
});

test('[PTY8] the keys * and 6 switch one’s own microphone, which only the call decides', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  telephone.press('6');
  telephone.press('*6');
  await eventually('a wish', () => stage.told.length === 2);
  expect(stage.told.at(-1)).toEqual({ type: 'phone.microphone', on: false, ...stage.place });
  expect(stage.seat()?.paused).toBe(false);
  stage.carryOut({ type: 'phone.setMuted', ...stage.place, muted: true });
  await eventually('silence', () => stage.seat()?.paused === true);
  telephone.press('*');
  telephone.press('6');
  await eventually('another wish', () => stage.told.length === 3);
  expect(stage.told.at(-1)).toMatchObject({ type: 'phone.microphone', on: true });
});

test('[PTY9] nobody is rung beyond the limits of a person, of a visit and of the server', async () => {
  const limits = {
    ...DEFAULT_PHONE_SETTINGS.limits,
    person: { calls: 2, talkMs: 3_600_000 },
    consultation: { calls: 3, talkMs: 3_600_000 },
    atOnce: 2,
  };
  await using stage = await openPartyStage({ settings: { ...DEFAULT_PHONE_SETTINGS, limits } });
  await stage.ring();
  await stage.ring(PersonId.parse('relative'));
  const third = {
    ...stage.place,
    phoneCallId: `${stage.place.phoneCallId.slice(0, -1)}9`,
  } as typeof stage.place;
  const ring = () => stage.carryOut({ type: 'phone.ring', ...third, until: Date.now() + 10_000 });
  // Two ring at once already.
  ring();
  await eventually('a refusal', () => stage.told.length === 1);
  for (const telephone of stage.telephones.rung) telephone.end('no_answer');
  await eventually('room', () => stage.parties.size === 0);
  const again = await stage.ring();
  again.end('no_answer');
  await eventually('room', () => stage.parties.size === 0);
  const told = stage.told.length;
  // The person was rung twice.
  stage.carryOut({ type: 'phone.ring', ...third, personId: PATIENT, until: Date.now() + 10_000 });
  await eventually('a refusal', () => stage.told.length === told + 1);
  // The visit three times.
  stage.carryOut({
    type: 'phone.ring',
    ...third,
    personId: PersonId.parse('other'),
    until: Date.now() + 10_000,
  });
  await eventually('a refusal', () => stage.told.length === told + 2);
  expect(stage.told.slice(-2).every((event) => 'reason' in event && event.reason === 'lost')).toBe(true);
  expect(stage.telephones.rung).toHaveLength(3);
});

test('[PTY10] a server that stops tells whoever is on the phone, hangs up, and rings nobody any more', async () => {
  await using stage = await openPartyStage({ lastWordsMs: 200 });
  const talking = await stage.talking();
  const ringing = await stage.ring(PersonId.parse('relative'));
  talking.isSlow = true;
  const before = performance.now();
  await Promise.all([stage.parties.close(), stage.parties.close()]);
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(talking.hungUp).toEqual({ prompt: 'unavailable', end: 'lost' });
  expect(ringing.hungUp).toEqual({ prompt: null, end: 'lost' });
  expect(stage.seat()).toBeNull();
  // What becomes of the seat is the next start’s.
  expect(types(stage.told)).toEqual(['phone.seatAnswered']);
  stage.carryOut({ type: 'phone.ring', ...stage.place, callId: call, until: Date.now() + 1_000 }, visit);
  await eventually('a refusal', () => types(stage.told).includes('phone.seatLeft'));
  expect(stage.telephones.rung).toHaveLength(2);
});

test('[PTY11] the same telephone asked for twice is rung once', async () => {
  await using stage = await openPartyStage();
  await stage.ring();
  stage.carryOut({ type: 'phone.ring', ...stage.place, until: Date.now() + 10_000 });
  // Rung after it, so that a second ringing would have begun before.
  await stage.ring(PersonId.parse('relative'));
  await eventually('nobody else', () => stage.parties.size === 2);
  expect(stage.telephones.rung).toHaveLength(2);
  expect(stage.told).toEqual([]);
});

test('[PTY12] a seat that somebody took who was not let in goes back to the telephone', async () => {
  await using stage = await openPartyStage({ goneWithinMs: 50 });
  const telephone = await stage.talking();
  const room = stage.sfu.rooms[0];
  const device = await room?.openSeat({ seatId: PATIENT, onEvent: () => undefined });
  expect(telephone.isBridged).toBe(false);
  device?.close();
  await eventually('it is in the room again', () => telephone.isBridged && stage.seat() !== null);
  expect(types(stage.told)).toEqual(['phone.seatAnswered']);
  const other = await room?.openSeat({ seatId: PATIENT, onEvent: () => undefined });
  stage.carryOut({ type: 'phone.hangUp', ...stage.place, why: 'answered_elsewhere' });
  await eventually('an end', () => stage.parties.size === 0);
  // Whoever was let in keeps it.
  expect(other?.closed).toBe(false);
});
