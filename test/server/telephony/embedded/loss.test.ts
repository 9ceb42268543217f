import { parseSdp, writeAnswer, writeOffer } from '@teleconsult/server/telephony/sip/sdp';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { lossyDatagrams } from '../sip/helpers/lossy-datagrams.ts';
import { seeded } from '../sip/helpers/random.ts';
import { ANN, X } from './people.ts';
import { RELAY_HOST, startStage } from './stage.ts';

const CALLS = 100;
const sound = (port: number) => ({
  host: '127.0.71.13',
  port,
  codecs: [8] as const,
  telephoneEvent: null,
  direction: 'both' as const,
  session: { id: port, version: 1 },
});

test('[RLY70] where every tenth SIP message is lost, a hundred calls of a hundred are connected and ended', async () => {
  await using stage = await startStage({
    tuning: { sip: { t1: 50, openDatagrams: lossyDatagrams(0.1, seeded(7)) } },
    carrier: { t1: 50 },
    settings: { timings: { decideMs: 10_000, silentMs: 120_000 } },
    onRung: (call) => {
      const offer = parseSdp(call.offer ?? '');
      if (offer === null) return;
      call.ringing();
      setTimeout(() => {
        if (call.state === 'open') call.answer(writeAnswer(offer, sound(9_000)));
      }, 100);
    },
  });
  await stage.bind();
  const outcomes: string[] = [];
  const calls = Array.from({ length: CALLS }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 30));
    const outcome = await stage.carrier.invite({
      uri: `sip:${X}@${RELAY_HOST}:${stage.relay.port}`,
      via: { protocol: 'udp', address: RELAY_HOST, port: stage.relay.port },
      from: { uri: `sip:${ANN}@127.0.71.1` },
      sdp: writeOffer(sound(9_100 + index)),
    }).outcome;
    outcomes.push(outcome.type);
    if (outcome.type === 'answered') await outcome.dialog.bye();
  });
  await Promise.all(calls);
  expect(outcomes.filter((type) => type === 'answered')).toHaveLength(CALLS);
  await eventually(
    'every call is told as completed',
    () => stage.relay.figures().counts.ended.completed === CALLS,
    {
      withinMs: 20_000,
      lastSeen: () => stage.relay.figures().counts.ended,
    },
  );
  await eventually('nothing is held', () => stage.relay.figures().calls === 0);
}, 60_000);
