import { readConfig } from '@teleconsult/server/config';
import type { RelaySettings } from '@teleconsult/server/telephony/embedded/settings';
import type { PhoneCallTape } from '@teleconsult/server/telephony/ports';
import { parseSdp } from '@teleconsult/server/telephony/sip/sdp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { ANN, BOB, endOf, hears, talkBothWays, tellsNoNumberOf, X } from '../embedded/people.ts';
import {
  offerOf,
  pickUp,
  placeIn,
  RELAY_HOST,
  type Stage,
  settingsFor,
  startStage,
} from '../embedded/stage.ts';
import { QUICK } from './anchored.ts';
import { type Daemon, rtpengineIsThere, SKIPPED, startDaemon } from './daemon.ts';

describe.skipIf(!rtpengineIsThere)(`calls through the relay and rtpengine${SKIPPED}`, () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon(RELAY_HOST);
  });
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
  });

  const rtp = (): RelaySettings['rtp'] => ({
    ...settingsFor(0).rtp,
    anchor: { ng: daemon.ng, digits: daemon.digits },
  });
  const stageWith = (options: Parameters<typeof startStage>[0] = {}): Promise<Stage> =>
    startStage({
      ...options,
      settings: { ...options.settings, rtp: rtp() },
      tuning: { anchor: QUICK },
    });
  const isOfDaemon = (port: number): boolean => {
    const { firstPort, lastPort } = settingsFor(0).rtp;
    return port < firstPort || port > lastPort;
  };

  test('[RTE18] two people talk through X, hold and come back, and when the visit ends both hear why', async () => {
    await using stage = await stageWith();
    const bound = await stage.bind();
    await using caller = await stage.dial(ANN, X);
    await using bob = await pickUp(await stage.rings());
    const ann = await caller.talk();
    expect(ann.to.host).toBe(RELAY_HOST);
    expect([ann.to, bob.to].map(({ port }) => isOfDaemon(port))).toEqual([true, true]);
    await talkBothWays(ann, bob);
    const held = await ann.dialog.reinvite(offerOf(ann.phone, 2).replace('a=sendrecv', 'a=sendonly'));
    if (!held.ok) throw new Error('the hold was refused');
    expect(parseSdp(held.sdp)?.direction).toBe('receive');
    const resumed = await ann.dialog.reinvite(offerOf(ann.phone, 3));
    if (!resumed.ok) throw new Error('it stayed on hold');
    expect(placeIn(resumed.sdp)).toEqual(ann.to);
    await talkBothWays(ann, bob);
    const unbound = stage.relay.unbind(bound, 'visit_ended');
    await Promise.all([hears(ann.phone, 'visit_ended'), hears(bob.phone, 'visit_ended')]);
    await unbound;
    await Promise.all([ann.ended, bob.ended]);
    expect(await endOf(stage, 'unbound')).toMatchObject({ callers: ['a'] });
    await eventually('nothing is held any more', () => stage.relay.figures().sessions === 0);
    tellsNoNumberOf(stage);
    expect(daemon.log()).not.toContain(ANN.slice(1));
    expect(daemon.log()).not.toContain(BOB.slice(1));
  });

  test('[RTE18] a call that is to be recorded is recorded: it does not go through the daemon', async () => {
    const taped: Uint8Array[] = [];
    const tape: PhoneCallTape = {
      append: (samples) => void taped.push(samples),
      close: async () => undefined,
    };
    await using stage = await stageWith({ openTape: async () => tape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    await using bob = await pickUp(await stage.rings());
    const ann = await caller.talk();
    expect(isOfDaemon(ann.to.port)).toBe(false);
    await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
    await eventually('sound is on the tape', async () => {
      await talkBothWays(ann, bob);
      return taped.length > 0;
    });
    await ann.dialog.bye();
    await endOf(stage, 'completed');
  });

  test('[RTE18] a daemon that dies in a call ends it as failed, and the next call is carried by our own thread', async () => {
    await using mortal = await startDaemon(RELAY_HOST);
    const settings = { rtp: { ...rtp(), anchor: { ng: mortal.ng, digits: mortal.digits } } };
    await using stage = await startStage({ settings, tuning: { anchor: QUICK } });
    await stage.bind();
    await using caller = await stage.dial(ANN, X);
    await using bob = await pickUp(await stage.rings());
    const ann = await caller.talk();
    await talkBothWays(ann, bob);
    await mortal.kill();
    await Promise.all([ann.ended, bob.ended]);
    await endOf(stage, 'failed');
    await eventually('it is told', () => stage.log.text.includes('phone.anchorDown'), { withinMs: 20_000 });
    await using again = await stage.dial(ANN, X);
    await using answered = await pickUp(await stage.rings(1));
    const talk = await again.talk();
    expect(isOfDaemon(talk.to.port)).toBe(false);
    await talkBothWays(talk, answered);
  });
});

const named = (settings: Readonly<Record<string, string>>) =>
  readConfig(
    Object.fromEntries(Object.entries(settings).map(([name, value]) => [`TELECONSULT_${name}`, value])),
  ).phone;
const EMBEDDED = {
  PHONE_PROVIDER: 'embedded',
  PHONE_NUMBERS: '+8617000003333',
  SIP_TRUNK_HOST: 'trunk.example.org',
  SIP_TRUNK_SOURCES: '203.0.113.0/24',
};
const ANCHORED = {
  ...EMBEDDED,
  PHONE_MEDIA: 'rtpengine',
  RTPENGINE_NG: '127.0.0.1:2223',
  RTPENGINE_DIGITS: '[::1]:2224',
};

test('[RTE17] rtpengine is used when it is set, with where it is asked and where it tells of keys', () => {
  expect(named(ANCHORED)?.provider).toMatchObject({
    trunk: {
      rtp: { anchor: { ng: { host: '127.0.0.1', port: 2_223 }, digits: { host: '::1', port: 2_224 } } },
    },
  });
  expect(JSON.stringify(named(EMBEDDED)?.provider)).not.toContain('anchor');
});

test.each([
  [{ RTPENGINE_NG: '' }, 'RTPENGINE_NG'],
  [{ RTPENGINE_NG: 'media.example.org:2223' }, 'RTPENGINE_NG'],
  [{ RTPENGINE_DIGITS: '127.0.0.1' }, 'RTPENGINE_DIGITS'],
  [{ RTPENGINE_DIGITS: '127.0.0.1:70000' }, 'RTPENGINE_DIGITS'],
  [{ RTP_SOURCE: 'first' }, 'RTP_SOURCE'],
  [{ PHONE_MEDIA: 'another' }, 'PHONE_MEDIA'],
] as const)('[RTE17] settings of rtpengine that cannot be are refused by name: %j', (change, name) => {
  expect(() => named({ ...ANCHORED, ...change })).toThrow(name);
});

test('[RTE17] without where it is asked, or where it tells of keys, rtpengine is not used silently without', () => {
  for (const missing of ['RTPENGINE_NG', 'RTPENGINE_DIGITS'] as const) {
    const { [missing]: _, ...rest } = ANCHORED;
    expect(() => named(rest)).toThrow(missing);
  }
});
