import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, ME, sdp } from './helpers/endpoints.ts';
import { lossyDatagrams } from './helpers/lossy-datagrams.ts';
import { seeded } from './helpers/random.ts';

/** Of a hundred calls one after the other, four at a time: how many are answered and ended by a BYE. */
async function wholeCalls(share: number): Promise<number> {
  const random = seeded(61);
  const openDatagrams = lossyDatagrams(share, random);
  await using a = await endpoint({ openDatagrams, t1: 20 });
  const byes: string[] = [];
  await using b = await endpoint({
    openDatagrams,
    t1: 20,
    answer: (call) => {
      call.ringing();
      const dialog = call.answer(sdp(5000));
      dialog.listen({ onBye: (end) => byes.push(end.by) });
    },
  });
  let left = 100;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const outcome = await a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() }).outcome;
      if (outcome.type !== 'answered') continue;
      await outcome.dialog.bye();
      answered += 1;
    }
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  await eventually('every call is over', () => a.sip.calls + b.sip.calls === 0, { withinMs: 30_000 });
  expect(a.errors.concat(b.errors)).toEqual([]);
  expect(a.sip.held.dialogs + b.sip.held.dialogs).toBe(0);
  return Math.min(answered, byes.filter((by) => by === 'them').length);
}

test('[SIP40] a hundred calls of a hundred survive the loss of 10 % each way', {
  timeout: 120_000,
}, async () => {
  expect(await wholeCalls(0.1)).toBe(100);
});

test('[SIP40] at least 97 calls of a hundred survive the loss of 25 % each way', {
  timeout: 180_000,
}, async () => {
  expect(await wholeCalls(0.25)).toBeGreaterThanOrEqual(97);
});
