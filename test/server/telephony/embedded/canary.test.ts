/** P3: numbers go through every way to fail, and are found in no log, event, error or figure. */
import { createSocket } from 'node:dgram';
import { inspect } from 'node:util';
import { isPhoneNumber, type PhoneNumber } from '@teleconsult/server/telephony/numbers';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { ANN, BOB, STRANGER, X } from './people.ts';
import { RELAY_HOST, type Stage, startStage } from './stage.ts';

const CANARIES = 200;

function canary(index: number): PhoneNumber {
  const text = `+861${['36', '37', '38', '39', '50'][index % 5]}${String(48_000_017 + 7_919 * index).slice(-8)}`;
  if (!isPhoneNumber(text)) throw new Error('no number');
  return text;
}

/** A relay number with the same last digits, which are what is searched for. */
function relayBeside(number: PhoneNumber): PhoneNumber {
  const text = `+86170${number.slice(-8)}`;
  if (!isPhoneNumber(text)) throw new Error('no number');
  return text;
}

/** One that dials, and does not talk. */
async function tries(stage: Stage, from: PhoneNumber, x: PhoneNumber): Promise<void> {
  await using caller = await stage.dial(from, x);
  await caller.call.outcome;
}

const PATHS: readonly ((stage: Stage, number: PhoneNumber, errors: unknown[]) => Promise<void>)[] = [
  // A stranger; a number of nobody; both at once.
  (stage, number) => tries(stage, number, X),
  (stage, number) => tries(stage, ANN, number),
  (stage, number) => tries(stage, number, number),
  async (stage, number) => {
    stage.core.mood = 'throws';
    await tries(stage, number, X).finally(() => {
      stage.core.mood = 'up';
    });
  },
  // A destination outside the list, decided by the store all the same.
  async (stage, number) => {
    const bound = await stage.bind({ a: ANN, b: abroad(number), x: number });
    await tries(stage, ANN, number);
    stage.core.unbound(bound.bindingId);
  },
  // Rung, refused with the number in the reason.
  async (stage, number) => {
    const x = relayBeside(number);
    const bound = await stage.bind({ a: STRANGER, b: number, x });
    const before = stage.rung.length;
    await using caller = await stage.dial(STRANGER, x);
    const ringing = await stage.rings(before);
    ringing.refuse(404);
    await caller.call.outcome;
    stage.core.unbound(bound.bindingId);
  },
  async (stage, number, errors) => {
    errors.push(
      await stage.relay.legs
        .dialOut({ to: abroad(number), showAs: number, language: 'zh', ringMs: 100, maxTalkMs: 100 })
        .catch((error: unknown) => error),
    );
  },
  async (stage, number, errors) => {
    const leg = await stage.relay.legs.dialOut({
      to: number,
      showAs: number,
      language: 'zh',
      ringMs: 30,
      maxTalkMs: 100,
    });
    errors.push(await leg.ended);
  },
  // Sound that is none, answered by the callee.
  async (stage, number) => {
    const x = relayBeside(number);
    const bound = await stage.bind({ a: STRANGER, b: number, x });
    const before = stage.rung.length;
    await using caller = await stage.dial(STRANGER, x);
    const ringing = await stage.rings(before);
    ringing.answer(`v=0\r\no=${number} 1 1 IN IP4 127.0.0.1\r\ns=${number}\r\nt=0 0\r\n`);
    await caller.call.outcome;
    stage.core.unbound(bound.bindingId);
  },
  // Wreckage with a number in it.
  async (stage, number) => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.71.77', resolve));
    const before = stage.relay.figures().sip?.received ?? 0;
    for (const text of [
      `INVITE sip:${number} SIP/2.0\r\nFrom: ${number}\r\n\r\n`,
      `INVITE sip:${number}@${RELAY_HOST} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.71.77;branch=z9hG4bK${number.slice(1)};rport\r\nFrom: <sip:${number}@h>;tag=${number.slice(1)}\r\nTo: <sip:${number}@h>\r\nCall-ID: ${number}\r\nCSeq: 1 INVITE\r\nContact: <sip:${number}@h>\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n${number}`,
      `BYE sip:${number}@${RELAY_HOST} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.71.77;branch=z9hG4bKb${number.slice(1)};rport\r\nFrom: <sip:${number}@h>;tag=1\r\nTo: <sip:${number}@h>;tag=2\r\nCall-ID: ${number}\r\nCSeq: 1 BYE\r\n\r\n`,
    ])
      socket.send(Buffer.from(text), stage.relay.port, RELAY_HOST);
    await eventually('it was read', () => (stage.relay.figures().sip?.received ?? 0) >= before + 3);
    await new Promise<void>((resolve) => socket.close(resolve));
  },
];

/** The same last digits, in a country that is not on the list. */
function abroad(number: PhoneNumber): PhoneNumber {
  const text = `+4479${number.slice(-8)}`;
  if (!isPhoneNumber(text)) throw new Error('no number');
  return text;
}

test('[RLY71] [P1] two hundred numbers go through every way to fail, and none is in a log, an event, an error or a figure', async () => {
  await using stage = await startStage({
    settings: { maxAnnouncements: 1, timings: { leadMs: 1, lastWordsMs: 50 } },
  });
  await stage.bind({ a: ANN, b: BOB });
  const errors: unknown[] = [];
  const numbers = Array.from({ length: CANARIES }, (_, index) => canary(index));
  for (const [index, number] of numbers.entries()) await PATHS[index % PATHS.length]?.(stage, number, errors);
  expect(stage.core.asked.length).toBeGreaterThan(CANARIES / 3);
  await stage.relay.close();
  const everything = [
    stage.log.text,
    JSON.stringify([...stage.core.events.values()]),
    inspect(errors, { depth: 10 }),
    inspect(stage.relay.figures(), { depth: 10 }),
    ...stage.core.asked.map(({ callRef }) => callRef),
  ].join('\n');
  expect(everything).toContain('phone.notConnected');
  expect(numbers.filter((number) => everything.includes(number.slice(-8)))).toEqual([]);
  // The search is one that finds.
  expect(`${everything} ${numbers[7]}`.includes(numbers[7]?.slice(-8) ?? 'none')).toBe(true);
}, 90_000);
