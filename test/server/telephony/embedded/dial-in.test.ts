import { CallId, ConsultationId, PersonId } from '@teleconsult/protocol';
import type { DialIns } from '@teleconsult/server/telephony/embedded/dial-ins';
import type { PhoneLegCall } from '@teleconsult/server/telephony/embedded/phone-leg-call';
import type { BoundRelay, PromptId } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf, Telephone } from '../rtp/telephone.ts';
import { ANN, BOB, hears, STRANGER, tellsNoNumberOf, X } from './people.ts';
import { headerOf, message, RawPhone } from './raw-phone.ts';
import { CARRIER_HOST, offerOf, pickUp, RELAY_HOST, type Stage, startStage } from './stage.ts';

const ROOM = '127.0.71.81';

interface Joined {
  readonly telephones: PhoneLegCall[];
  /** What whoever dials in is told; null: there is a place for them. */
  refusal: PromptId | null;
  /** Whether it is known which call they belong into. */
  mood: 'up' | 'throws' | 'silent' | 'breaks';
}

/** A call of the visit runs, and the other is in it: only Ann’s calls belong into it. */
function joinable(stage: Stage, bound: BoundRelay): Joined {
  const joined: Joined = { telephones: [], refusal: null, mood: 'up' };
  const dialIns: DialIns = {
    find: async ({ from }) => {
      if (joined.mood === 'throws') throw new Error('the store is not there');
      if (joined.mood === 'silent') await new Promise(() => undefined);
      if (from !== ANN) return null;
      return {
        bindingId: bound.bindingId,
        consultationId: ConsultationId.parse(`cns_${'V'.repeat(22)}`),
        callId: CallId.parse(`cal_${'C'.repeat(22)}`),
        personId: PersonId.parse('ann'),
        wish: { language: 'zh', maxTalkMs: 600_000 },
      };
    },
    join: async (_dialIn, telephone) => {
      joined.telephones.push(telephone);
      if (joined.mood === 'breaks') throw new Error('a bug of ours');
      return joined.refusal;
    },
  };
  stage.relay.joinBy(dialIns);
  return joined;
}

test('[RLE22] who dials in while the other is in the call talks with its room, and no telephone rings', async () => {
  await using stage = await startStage();
  const joined = joinable(stage, await stage.bind());
  await using room = await Telephone.at(ROOM);
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  const leg = await eventually('a telephone', () => joined.telephones[0]);
  const keys: string[] = [];
  leg.listen((digit) => void keys.push(digit));
  expect(await leg.answered).toBe('answered');
  leg.connect({ host: room.host, port: room.port, codec: 8 });
  await leg.say('connecting');
  await hears(ann.phone, 'connecting');
  leg.bridge(true);
  const { host, port, ssrc } = leg.sound;
  await Promise.all([
    ann.phone.tone(ann.to, { frequency: 440, frames: 30, everyMs: 20 }),
    room.tone({ host, port }, { frequency: 1_000, frames: 30, everyMs: 20 }),
  ]);
  await eventually(
    'each hears the other',
    () =>
      levelOf(440, soundOf(room.arrived)) > 0.6 &&
      levelOf(1_000, soundOf(ann.phone.arrived).subarray(-3_200)) > 0.6,
  );
  expect(new Set(room.arrived.map(({ packet }) => packet.ssrc))).toEqual(new Set([ssrc]));
  await ann.dialog.info('application/dtmf-relay', Buffer.from('Signal=*\r\nDuration=160\r\n'));
  await eventually('a key', () => keys.includes('*'));
  expect([stage.rung, stage.core.asked, stage.core.events.size]).toEqual([[], [], 0]);
  await ann.dialog.bye();
  expect(await leg.ended).toMatchObject({ end: 'completed' });
  await eventually('nothing is left', () => stage.relay.figures().calls === 0 && stage.relay.legs.size === 0);
  await eventually('no sound either', () => stage.relay.figures().sessions === 0);
  tellsNoNumberOf(stage);
});

test('[RLE22] everybody else is decided about as ever', async () => {
  await using stage = await startStage();
  const joined = joinable(stage, await stage.bind());
  await using caller = await stage.dial(BOB, X);
  await using ann = await pickUp(await stage.rings());
  await caller.talk();
  expect([joined.telephones, stage.core.asked.length, ann.dialog.state]).toEqual([[], 1, 'confirmed']);
  await using stranger = await stage.dial(STRANGER, X);
  await hears((await stranger.talk()).phone, 'stranger', { frames: 30 });
});

test('[RLE23] who has no place in the call hears so, and nobody is rung instead', async () => {
  await using stage = await startStage();
  const joined = joinable(stage, await stage.bind());
  joined.refusal = 'busy';
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  await hears(ann.phone, 'busy');
  expect(await ann.ended).toMatchObject({ by: 'them' });
  expect([stage.rung, stage.core.asked]).toEqual([[], []]);
  await eventually('nothing is left', () => stage.relay.figures().calls === 0);
});

test('[RLE23] who cannot be taken in for a fault of ours hears so, and is hung up', async () => {
  await using stage = await startStage();
  const joined = joinable(stage, await stage.bind());
  joined.mood = 'breaks';
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  expect(await ann.ended).toMatchObject({ by: 'them' });
  await eventually('nothing is left', () => stage.relay.figures().calls === 0 && stage.relay.legs.size === 0);
});

test.each(['throws', 'silent'] as const)(
  '[RLE23] when the store %s while the call is looked for nobody is rung, and they hear to try later',
  async (mood) => {
    await using stage = await startStage({ settings: { timings: { decideMs: 200 } } });
    const joined = joinable(stage, await stage.bind());
    joined.mood = mood;
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await hears(ann.phone, 'unavailable', { frames: 30 });
    expect([stage.rung, stage.core.asked, joined.telephones]).toEqual([[], [], []]);
  },
);

test('[RLE24] who dialled in is hung up with their number, and hears why', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  const joined = joinable(stage, bound);
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  const leg = await eventually('a telephone', () => joined.telephones[0]);
  const unbound = stage.relay.unbind(bound, 'visit_ended');
  await hears(ann.phone, 'visit_ended');
  await unbound;
  expect(await ann.ended).toMatchObject({ by: 'them' });
  expect(await leg.ended).toMatchObject({ end: 'unbound' });
  // What is on its way still is not let in.
  await using late = await stage.dial(ANN, X);
  expect(await late.call.outcome).toMatchObject({ type: 'refused', status: 480 });
  expect(joined.telephones).toHaveLength(1);
});

test('[RLE25] who does not acknowledge our answer is let into no call', async () => {
  await using stage = await startStage();
  const joined = joinable(stage, await stage.bind());
  await using forger = await RawPhone.at(CARRIER_HOST);
  await using victim = await Telephone.at(ROOM);
  const invite = message(
    [
      `INVITE sip:${X}@${RELAY_HOST} SIP/2.0`,
      `Via: SIP/2.0/UDP ${forger.host}:${forger.port};branch=z9hG4bKforged`,
      'Max-Forwards: 70',
      `From: <sip:${ANN}@${CARRIER_HOST}>;tag=forged`,
      `To: <sip:${X}@${RELAY_HOST}>`,
      'Call-ID: forged',
      'CSeq: 1 INVITE',
      `Contact: <sip:a@${forger.host}:${forger.port}>`,
      'Content-Type: application/sdp',
    ],
    offerOf(victim),
  );
  forger.send(invite, { host: RELAY_HOST, port: stage.relay.port });
  expect(headerOf(await forger.next(/^SIP\/2\.0 200/), 'CSeq')).toBe('1 INVITE');
  await eventually('it is given up', () => stage.relay.figures().calls === 0, { withinMs: 20_000 });
  expect([joined.telephones, victim.arrived]).toEqual([[], []]);
});
