/** Calls that are not what they say: forged callers, decisions and ways back to ourselves. */
import { identify } from '@teleconsult/server/telephony/embedded/identify';
import type { CallDecision, RelayCore } from '@teleconsult/server/telephony/ports';
import { parseNameAddress, parseUri } from '@teleconsult/server/telephony/sip/uri';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf, Telephone } from '../rtp/telephone.ts';
import { ANN, BOB, CARA, endOf, STRANGER, talkBothWays, tellsNoNumberOf, X } from './people.ts';
import { headerOf, message, RawPhone } from './raw-phone.ts';
import { CALLER_HOST, offerOf, pickUp, placeIn, RELAY_HOST, type Stage, startStage } from './stage.ts';

const HOST = '127.0.71.31';

/** An INVITE with somebody’s number, whose sender may not be there at all. */
function inviteOf(
  stage: Stage,
  from: string,
  phone: RawPhone,
  sound: Telephone,
  method = 'INVITE',
  to = '',
): string {
  const body = method === 'INVITE' ? offerOf(sound) : '';
  return message(
    [
      `${method} sip:${X}@${RELAY_HOST}:${stage.relay.port} SIP/2.0`,
      `Via: SIP/2.0/UDP ${HOST}:${phone.port};branch=z9hG4bKforged${method};rport`,
      'Max-Forwards: 70',
      `From: <sip:${from}@${HOST}>;tag=forged`,
      `To: ${to === '' ? `<sip:${X}@${RELAY_HOST}>` : to}`,
      'Call-ID: forged',
      `CSeq: 1 ${method}`,
      `Contact: <sip:${HOST}:${phone.port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    body,
  );
}

describe('an INVITE whose sender’s address is forged', () => {
  test('[RLY81] nobody is heard where it wants the sound to go before its answer was acknowledged', async () => {
    await using stage = await startStage({ tuning: { sip: { t1: 300 } } });
    await stage.bind();
    await using phone = await RawPhone.at(HOST);
    await using sound = await Telephone.at(HOST);
    const relay = { host: RELAY_HOST, port: stage.relay.port };
    phone.send(inviteOf(stage, ANN, phone, sound), relay);
    await using bob = await pickUp(await stage.rings());
    const answered = await phone.next(/^SIP\/2\.0 200/);
    await bob.phone.tone(bob.to, { frequency: 1_000, frames: 30, everyMs: 20 });
    expect(sound.datagrams).toEqual([]);
    phone.send(inviteOf(stage, ANN, phone, sound, 'ACK', headerOf(answered, 'To')), relay);
    await eventually('it is heard', async () => {
      await bob.phone.tone(bob.to, { frequency: 1_000, frames: 30, everyMs: 20 });
      return levelOf(1_000, soundOf(sound.arrived).subarray(-3_200)) > 0.6;
    });
    await bob.dialog.bye();
    await endOf(stage, 'completed');
  });

  test('[RLY81] a stranger who never acknowledges is sent no sound, and a call ends as failed', async () => {
    await using stage = await startStage();
    await stage.bind();
    await using phone = await RawPhone.at(HOST);
    await using sound = await Telephone.at(HOST);
    const relay = { host: RELAY_HOST, port: stage.relay.port };
    phone.send(inviteOf(stage, STRANGER, phone, sound), relay);
    await phone.next(/^SIP\/2\.0 200/);
    await phone.next(/^BYE/);
    await eventually('it is over', () => stage.relay.figures().calls === 0, { withinMs: 15_000 });
    phone.send(inviteOf(stage, ANN, phone, sound).replace(/forged/g, 'again'), relay);
    await using bob = await pickUp(await stage.rings());
    await bob.phone.tone(bob.to, { frequency: 1_000, frames: 20, everyMs: 20 });
    await bob.ended;
    await endOf(stage, 'failed', 1);
    expect(sound.datagrams).toEqual([]);
  });
});

describe('a decision that would call ourselves or show somebody', () => {
  const changes = {
    'rings X': { to: X },
    'rings the caller': { to: ANN },
    'shows the caller': { showAs: ANN },
    'shows somebody': { showAs: CARA },
  } satisfies Record<string, Partial<Extract<CallDecision, { do: 'bridge' }>>>;

  test.each(Object.entries(changes))(
    '[RLY82] one that %s is not carried out: the caller hears to try later, and it is told as failed',
    async (_, change) => {
      const asSeen = (core: RelayCore): RelayCore => ({
        decide: async (call) => ({ ...(await core.decide(call)), ...change }),
        event: (event) => core.event(event),
      });
      await using stage = await startStage({ asSeen, settings: { timings: { lastWordsMs: 50 } } });
      await stage.bind();
      await using caller = await stage.dial(ANN, X);
      await (await caller.talk()).ended;
      await endOf(stage, 'failed');
      expect(stage.rung).toEqual([]);
      tellsNoNumberOf(stage);
    },
  );

  test('[RLY82] a call of X to itself is not answered, and nobody is asked about it', async () => {
    await using stage = await startStage();
    await stage.bind();
    await using caller = await stage.dial(X, X);
    expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 482 });
    expect(stage.core.asked).toEqual([]);
    expect(stage.relay.figures().counts.turnedAway.stranger).toBe(1);
  });
});

test.each([
  ['two are asserted', [`<sip:${ANN}@c>`, `<tel:${BOB}>`], null],
  ['the same is asserted twice', [`<sip:${ANN}@c>`, `<tel:${ANN}>`], ANN],
  ['an assertion cannot be read', [`"open <sip:${BOB}@c>`], null],
  ['more are asserted than there can be', Array.from({ length: 5 }, () => `<tel:${ANN}>`), null],
  ['the number was found to be false', [`<sip:${ANN};verstat=TN-Validation-Failed@c>`], null],
  [
    'the number was found to be false, said of the URI',
    [`<tel:${ANN};verstat=TN-Validation-Failed-A>`],
    null,
  ],
  ['the number was found to be false, said beside it', [`<sip:${ANN}@c>;verstat=TN-Validation-Failed`], null],
  ['the number was found to be true', [`<sip:${ANN};verstat=TN-Validation-Passed@c>`], ANN],
  ['nobody has checked the number', [`<tel:${ANN};verstat=No-TN-Validation>`], ANN],
] as const)('[RLY83] where %s the caller is who that leaves', (_, asserted, number) => {
  const requestUri = parseUri(`sip:${X}@relay`);
  const to = parseNameAddress(`<sip:${X}@relay>`);
  const from = parseNameAddress(`<sip:${BOB}@carrier>`);
  if (requestUri === null || to === null || from === null) throw new Error('not written well');
  const header = (name: string) => (name === 'p-asserted-identity' ? asserted : []);
  expect(identify({ requestUri, to, from, header }, 'CN').from).toBe(number);
});

test('[RLY83] a number that From was found to lie about is nobody’s, whatever is asserted', () => {
  const requestUri = parseUri(`sip:${X}@relay`);
  const to = parseNameAddress(`<sip:${X}@relay>`);
  const from = parseNameAddress(`<sip:${ANN};verstat=TN-Validation-Failed@carrier>`);
  if (requestUri === null || to === null || from === null) throw new Error('not written well');
  for (const asserted of [[], [`<sip:${ANN}@c>`]])
    expect(identify({ requestUri, to, from, header: () => asserted }, 'CN').from).toBeNull();
});

test('[RLY87] keys by signalling pass while sound does, and no quicker than anybody presses them', async () => {
  const infos: string[] = [];
  await using stage = await startStage({
    tuning: { sip: { sources: { requestsPerSecond: 1_000, requestBurst: 1_000 } } },
  });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  bob.dialog.listen({ onInfo: ({ digit }) => void infos.push(digit ?? 'none') });
  const ann = await caller.talk();
  const press = (digit: string) =>
    ann.dialog.info('application/dtmf-relay', Buffer.from(`Signal=${digit}\r\nDuration=160\r\n`));
  await Promise.all(Array.from({ length: 100 }, () => press('5')));
  await talkBothWays(ann, bob);
  await eventually('one more passes after a while', async () => {
    await press('9');
    return infos.includes('9');
  });
  const fives = infos.filter((digit) => digit === '5').length;
  expect(fives).toBeGreaterThan(5);
  expect(fives).toBeLessThanOrEqual(40);
});

test('[RLY88] a phone that says it listens at a port of ours is not connected', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using first = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  const ours = placeIn(ringing.offer ?? '');
  await using sound = await Telephone.at(CALLER_HOST);
  const sdp = offerOf(sound).replaceAll(sound.host, ours.host).replace(` ${sound.port} `, ` ${ours.port} `);
  expect(placeIn(sdp)).toEqual(ours);
  ringing.answer(sdp);
  await endOf(stage, 'failed');
  expect((await first.call.outcome).type).toBe('refused');
});
