import type { DialOut } from '@teleconsult/server/telephony/embedded/phone-leg-call';
import { expect, test } from 'vitest';
import { number } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf, Telephone } from '../rtp/telephone.ts';
import { ANN, hears, tellsNoNumberOf, X } from './people.ts';
import { offerOf, pickUp, type Stage, startStage } from './stage.ts';

const ROOM = '127.0.71.80';

const dialOut = (stage: Stage, change: Partial<DialOut> = {}) =>
  stage.relay.legs.dialOut({
    to: ANN,
    showAs: X,
    language: 'zh',
    ringMs: 20_000,
    maxTalkMs: 600_000,
    ...change,
  });

/** A phone that talks to a room, which is two sockets here. */
async function talking(stage: Stage, change: Partial<DialOut> = {}) {
  const room = await Telephone.at(ROOM);
  const digits: string[] = [];
  const leg = await dialOut(stage, { onDigit: (digit) => void digits.push(digit), ...change });
  leg.connect({ host: room.host, port: room.port, codec: 8 });
  const ringing = await stage.rings();
  expect(ringing.requestUri.user).toBe(ANN);
  expect(ringing.from.uri.user).toBe(X);
  const phone = await pickUp(ringing);
  expect(await leg.answered).toBe('answered');
  return {
    leg,
    room,
    phone,
    digits,
    async [Symbol.asyncDispose]() {
      await leg.hangUp(null);
      await phone[Symbol.asyncDispose]();
      await room[Symbol.asyncDispose]();
    },
  };
}

const key = (code: number, repeat: number) => ({
  payloadType: 101,
  marker: repeat === 0,
  payload: Uint8Array.from([code, repeat === 3 ? 0x8a : 0x0a, 0, 160]),
});

test('[RLY60] a phone that was rung talks to a room once it is let through, and hears it', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const { leg, room, phone } = call;
  await phone.phone.tone(phone.to, { frequency: 440, frames: 10, everyMs: 20 });
  expect(room.arrived).toEqual([]);
  leg.bridge(true);
  const { host, port, ssrc } = leg.sound;
  await Promise.all([
    phone.phone.tone(phone.to, { frequency: 440, frames: 30, everyMs: 20 }),
    room.tone({ host, port }, { frequency: 1_000, frames: 30, everyMs: 20 }),
  ]);
  await eventually(
    'each hears the other',
    () =>
      levelOf(440, soundOf(room.arrived)) > 0.6 &&
      levelOf(1_000, soundOf(phone.phone.arrived).subarray(-3_200)) > 0.6,
  );
  expect(new Set(room.arrived.map(({ packet }) => packet.ssrc))).toEqual(new Set([ssrc]));
  tellsNoNumberOf(stage);
});

test('[RLY61] a muted phone is not heard, and hears all the same', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const { leg, room, phone } = call;
  leg.bridge(true);
  leg.setMuted(true);
  await phone.phone.tone(phone.to, { frequency: 440, frames: 20, everyMs: 20 });
  expect(room.arrived).toEqual([]);
  const { host, port } = leg.sound;
  await room.tone({ host, port }, { frequency: 1_000, frames: 20, everyMs: 20 });
  await eventually('it hears', () => phone.phone.arrived.length > 10);
  leg.setMuted(false);
  await phone.phone.tone(phone.to, { frequency: 440, frames: 20, everyMs: 20 });
  await eventually('it is heard again', () => room.arrived.length > 10);
});

test('[RLY62] a question is answered by a key, which may be pressed before it was said to its end', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const { leg, phone, digits } = call;
  const asked = leg.ask({ prompt: 'consent', digits: '12', withinMs: 5_000 });
  await eventually('the question is heard', () => phone.phone.arrived.length > 20);
  for (let repeat = 0; repeat < 4; repeat += 1)
    phone.phone.frame(phone.to, { ...key(9, repeat), timestamp: 1_000 });
  for (let repeat = 0; repeat < 4; repeat += 1)
    phone.phone.frame(phone.to, { ...key(1, repeat), timestamp: 9_000 });
  await eventually('the wrong key is heard, too', () => digits.includes('9'));
  // Faster than keys can be pressed they count as one.
  await phone.phone.tone(phone.to, { frequency: 440, frames: 5, everyMs: 20 });
  for (let repeat = 0; repeat < 4; repeat += 1)
    phone.phone.frame(phone.to, { ...key(2, repeat), timestamp: 20_000 });
  expect(await asked).toMatch(/^[12]$/);
  const heard = phone.phone.arrived.length;
  await leg.say('consent_given');
  await hears(phone.phone, 'consent_given', { from: heard - 1 });
});

test('[RLY62] a question without an answer in time, or withdrawn, is answered by nothing', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  expect(await call.leg.ask({ prompt: 'recorded', digits: '12', withinMs: 50 })).toBeNull();
  const withdrawn = new AbortController();
  const asked = call.leg.ask({ prompt: 'consent', digits: '12', withinMs: 60_000, signal: withdrawn.signal });
  withdrawn.abort();
  expect(await asked).toBeNull();
});

test('[RLY63] a phone that hangs up, or is hung up on, has ended, with how long it talked', async () => {
  let now = 1_000;
  await using stage = await startStage({ clock: () => now });
  await using call = await talking(stage);
  now += 7_000;
  await call.phone.dialog.bye();
  expect(await call.leg.ended).toEqual({ end: 'completed', talkMs: 7_000 });
  expect(stage.relay.legs.size).toBe(0);
});

test('[RLY63] last words are said before a phone is hung up', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const ending = call.leg.hangUp('visit_ended');
  await hears(call.phone.phone, 'visit_ended');
  await ending;
  expect(await call.phone.ended).toMatchObject({ by: 'them' });
  expect(await call.leg.ended).toMatchObject({ end: 'completed' });
});

test.each([
  [486, 'busy'],
  [603, 'declined'],
  [404, 'failed'],
] as const)('[RLY64] a phone that answers %i was not reached: %s', async (status, end) => {
  await using stage = await startStage();
  const leg = await dialOut(stage);
  (await stage.rings()).refuse(status);
  expect(await leg.answered).toBe(end);
  expect(await leg.ended).toEqual({ end, talkMs: 0 });
});

test('[RLY64] a phone nobody answers stops ringing; one that is given up, too', async () => {
  await using stage = await startStage();
  const leg = await dialOut(stage, { ringMs: 150 });
  const ringing = await stage.rings();
  ringing.ringing();
  expect(await leg.answered).toBe('no_answer');
  await eventually('it is quiet', () => ringing.state === 'cancelled');
  const other = await dialOut(stage);
  const second = await stage.rings(1);
  second.ringing();
  await other.hangUp(null);
  expect(await other.answered).toBe('cancelled');
  await eventually('it is quiet', () => second.state === 'cancelled');
});

test('[RLY65] a destination that may not be dialled is refused before anything is sent, without its number', async () => {
  await using stage = await startStage();
  const abroad = number('+442071838750');
  const error: unknown = await dialOut(stage, { to: abroad }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'refused' });
  expect(String(error)).not.toContain('2071838750');
  expect(stage.rung).toEqual([]);
  expect(stage.relay.legs.size).toBe(0);
  await stage.relay.close();
  await expect(dialOut(stage)).rejects.toMatchObject({ reason: 'unavailable' });
});

test('[RLE20] a phone that is heard no more, and does not hold, is hung up and lost, whatever the room says', async () => {
  await using stage = await startStage({ settings: { timings: { silentMs: 500, watchEveryMs: 50 } } });
  await using call = await talking(stage);
  const { leg, room, phone } = call;
  leg.bridge(true);
  const { host, port } = leg.sound;
  const over = new AbortController();
  const says = (async () => {
    while (!over.signal.aborted)
      await room.tone({ host, port }, { frequency: 1_000, frames: 5, everyMs: 20 });
  })();
  let end: string | null = null;
  void leg.ended.then((ended) => {
    end = ended.end;
  });
  // Who speaks stays, and so does who holds.
  await phone.phone.tone(phone.to, { frequency: 440, frames: 50, everyMs: 20 });
  const hold = offerOf(phone.phone, 2).replace('a=sendrecv', 'a=sendonly');
  // Nobody may ask for anything before their answer was acknowledged.
  await phone.dialog.reached;
  expect(await phone.dialog.reinvite(hold)).toMatchObject({ ok: true });
  const heldAt = performance.now();
  await eventually('more time than silence may last', () => performance.now() - heldAt > 1_200);
  expect(end).toBeNull();
  expect(await phone.dialog.reinvite(offerOf(phone.phone, 3))).toMatchObject({ ok: true });
  await eventually('it is lost', () => end === 'lost', { lastSeen: () => end });
  expect(await phone.ended).toMatchObject({ by: 'them' });
  over.abort();
  await says;
  tellsNoNumberOf(stage);
});

const presses = (
  phone: { phone: Telephone; to: { host: string; port: number } },
  code: number,
  timestamp: number,
) => {
  for (let repeat = 0; repeat < 4; repeat += 1)
    phone.phone.frame(phone.to, { ...key(code, repeat), timestamp });
};

test('[RLE21] a key that is pressed before the question has begun is no answer to it', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const { leg, phone, digits } = call;
  const said = leg.say('recorded');
  await eventually('something else is said', () => phone.phone.arrived.length > 10);
  const asked = leg.ask({ prompt: 'consent', digits: '12', withinMs: 10_000 });
  presses(phone, 1, 1_000);
  await eventually('a key', () => digits.includes('1'));
  const from = phone.phone.arrived.length;
  expect(await said).toBe(true);
  await hears(phone.phone, 'consent', { from, frames: 10 });
  presses(phone, 2, 90_000);
  expect(await asked).toBe('2');
});

test('[RLE21] who holds has not heard what was said', async () => {
  await using stage = await startStage();
  await using call = await talking(stage);
  const { leg, phone } = call;
  const hold = offerOf(phone.phone, 2).replace('a=sendrecv', 'a=sendonly');
  // Nobody may ask for anything before their answer was acknowledged.
  await phone.dialog.reached;
  expect(await phone.dialog.reinvite(hold)).toMatchObject({ ok: true });
  expect(await leg.say('busy')).toBe(false);
});
