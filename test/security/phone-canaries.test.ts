/** P1 on the whole server: no number of anybody leaves it but to the carrier or provider that has to dial it. */
import type { WebhookAnswer, WebhookRequest } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { startCarrier } from '../e2e/carrier.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  AlibabaStandIn,
  KEY_ID,
  KEY_SECRET,
  POOL,
  REPORT_SECRET,
} from '../server/telephony/alibaba/alibaba-stand-in.ts';
import { ACCOUNT, PUBLIC, TOKEN, TwilioStandIn } from '../server/telephony/twilio/twilio-stand-in.ts';
import { boundNumber, restOfVisit, startTown, type Town } from './phone-canary-town.ts';
import { canaryNumbers, digitsOf, Evidence } from './phone-evidence.ts';

const RELAYS = ['+8617000005555', '+8617000006666'];
const VISITS = { embedded: 34, twilio: 33, alibaba: 33 };
const ABREAST = 6;

type Pair = readonly [string, string];

function pairsOf(visits: number): Pair[] {
  const numbers = canaryNumbers(2 * visits);
  return Array.from({ length: visits }, (_, index) => [
    numbers[2 * index] ?? '',
    numbers[2 * index + 1] ?? '',
  ]);
}

async function abreast(pairs: readonly Pair[], live: (pair: Pair, index: number) => Promise<void>) {
  const waiting = pairs.entries();
  await Promise.all(
    Array.from({ length: ABREAST }, async () => {
      for (const [index, pair] of waiting) await live(pair, index);
    }),
  );
}

/** 0 hits, and as much of everything as there has to be. */
async function expectNothing(town: Town, pairs: readonly Pair[], kinds: readonly string[]): Promise<void> {
  const numbers = pairs.flat();
  await town.look();
  const open = await town.scan(numbers);
  await town.app[Symbol.asyncDispose]();
  const stopped = await town.scan(numbers);
  for (const line of town.app.logs) town.evidence.add('logs', line);
  expect({ open: open.words, stopped: stopped.words }).toEqual({ open: [], stopped: [] });
  expect(open.filesRead).toBeGreaterThanOrEqual(3);
  expect(town.evidence.search(numbers)).toEqual([]);
  const { sizes } = town.evidence;
  for (const kind of kinds) expect(sizes[kind] ?? 0, kind).toBeGreaterThan(pairs.length);
}

const EVERYWHERE = [
  'answers to the host',
  'answers to devices',
  'facts to devices',
  'webhooks to the host',
  'logs',
];

test('[RLE10] [P1] none of 68 numbers leaves a server with its own relay, whatever is done and fails', async () => {
  await using carrier = await startCarrier(RELAYS);
  await using town = await startTown({ ...carrier.env, TELECONSULT_PHONE_SERVER_AT_ONCE: '100' });
  const pairs = pairsOf(VISITS.embedded);
  /** Whose call it was, and who is not to be found in it. */
  const legs = new Map<string, string>();
  await abreast(pairs, async ([doctorNumber, patientNumber], index) => {
    await using visit = await town.visit([doctorNumber, patientNumber]);
    const x = await boundNumber(visit);
    const [caller, callee] = index % 2 === 0 ? [doctorNumber, patientNumber] : [patientNumber, doctorNumber];
    await using dialled = await carrier.dial(caller, x);
    legs.set(dialled.call.callId, callee);
    const ringing = await eventually('it rings', () =>
      carrier.rung.find(({ requestUri }) => requestUri.user === callee),
    );
    legs.set(ringing.callId, caller);
    switch (index % 5) {
      case 0: {
        await using _talk = await carrier.answers(carrier.rung.indexOf(ringing));
        const talk = await dialled.talk();
        await eventually('sound', () => talk.phone.arrived.length > 5);
        await talk.dialog.bye();
        break;
      }
      case 1:
        ringing.refuse(486);
        break;
      case 2:
        ringing.refuse(404);
        break;
      case 3:
        ringing.refuse(500);
        break;
      default:
        dialled.call.cancel();
    }
    await dialled.outcome;
    if (index % 4 === 1) {
      // Somebody else calls, and the number is dialled that is nobody's.
      await using stranger = await carrier.dial(`+8613800${String(100_000 + index)}`, x);
      stranger.call.cancel();
      await using wrong = await carrier.dial(caller, '+8617000009999');
      await wrong.outcome;
    }
    if (index % 4 === 2) await joinByPhone(visit, carrier, patientNumber);
    await restOfVisit(town, visit, patientNumber);
  });
  for (const { callId, text } of carrier.received) {
    const other = legs.get(callId);
    if (other === undefined) continue;
    const side = new Evidence();
    side.add(`SIP to the other side of ${callId}`, text);
    expect(side.search([other])).toEqual([]);
  }
  expect(carrier.received.filter(({ callId }) => legs.has(callId)).length).toBeGreaterThan(2 * pairs.length);
  await expectNothing(town, pairs, EVERYWHERE);
}, 240_000);

/** The patient is rung for a call of the visit, and declines. */
async function joinByPhone(
  visit: Awaited<ReturnType<Town['visit']>>,
  carrier: Awaited<ReturnType<typeof startCarrier>>,
  number: string,
): Promise<void> {
  const { id: consultationId, doctor, people } = visit;
  const before = carrier.rung.length;
  const started = (await doctor.ask('call.start', { consultationId, media: 'voice' })) as {
    call: { callId: never };
  } | null;
  if (started === null) throw new Error('no call');
  const { callId } = started.call;
  await doctor.ask('seat.join', { consultationId, callId });
  await doctor.ask('phone.join', { consultationId, callId, personId: people.patient as never });
  const ringing = await eventually('it rings', () =>
    carrier.rung.slice(before).find(({ requestUri }) => requestUri.user === number),
  );
  ringing.refuse(603);
  await doctor.client.fact('call.changed', ({ state }) => state === 'ended');
}

/** Twilio whose webhooks come over HTTP, as they do. */
class TwilioOverHttp extends TwilioStandIn {
  origin = '';
  override deliver(request: WebhookRequest): Promise<WebhookAnswer> {
    return post(this.origin, request);
  }
}

class AlibabaOverHttp extends AlibabaStandIn {
  origin = '';
  override deliver(request: WebhookRequest): Promise<WebhookAnswer> {
    return post(this.origin, request);
  }
}

async function post(origin: string, { path, headers, body }: WebhookRequest): Promise<WebhookAnswer> {
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(origin + path, {
    method: 'POST',
    headers: Object.fromEntries(given),
    body: Uint8Array.from(body),
  });
  const contentType = response.headers.get('content-type') ?? '';
  return { status: response.status, contentType, body: await response.text() };
}

test('[RLE11] [P1] none of 66 numbers leaves a server with Twilio, whatever is reported and fails', async () => {
  await using standIn = new TwilioOverHttp(Date.now);
  await using town = await startTown({
    TELECONSULT_PHONE_PROVIDER: 'twilio',
    TELECONSULT_PHONE_NUMBERS: RELAYS.join(','),
    TELECONSULT_PHONE_PUBLIC_URL: PUBLIC,
    TELECONSULT_TWILIO_ACCOUNT_SID: ACCOUNT,
    TELECONSULT_TWILIO_AUTH_TOKEN: TOKEN,
    TELECONSULT_TWILIO_API: await standIn.listen(),
  });
  standIn.origin = town.app.origin;
  const pairs = pairsOf(VISITS.twilio);
  await abreast(pairs, async ([doctorNumber, patientNumber], index) => {
    await using visit = await town.visit([doctorNumber, patientNumber]);
    const x = await boundNumber(visit);
    if (index % 3 === 1) standIn.nextAnswer = 'busy';
    const call = await standIn.dial(patientNumber, x);
    await standIn.answer(call);
    if (index % 5 === 4) standIn.failures.push('down', 'throttled');
    if (index % 2 === 0) await standIn.hangUp(call, 'caller');
    await standIn.dial(doctorNumber, '+8617000009999');
    // Reports of nobody's, and of somebody who guesses.
    const form = { AccountSid: ACCOUNT, CallSid: standIn.sid('CA'), From: patientNumber, To: x };
    const report = standIn.request(`${PUBLIC}/v1/phone/twilio/status`, form);
    for (const changed of [
      { ...report, headers: { ...report.headers, 'x-twilio-signature': digitsOf(patientNumber) } },
      { ...report, path: `${report.path}?number=${digitsOf(patientNumber)}` },
      { ...report, path: `/v1/phone/${digitsOf(patientNumber)}` },
      { ...report, body: Buffer.from(`{"${patientNumber}":`) },
    ])
      town.evidence.add('answers to forgers', await standIn.deliver(changed));
    await restOfVisit(town, visit, patientNumber);
  });
  // What Twilio has recorded here is no sound, and that it could not be taken is written down, too.
  await eventually('recordings are fetched', () =>
    town.app.logs.some((line) => line.includes('recording.notFetched')),
  );
  await expectNothing(town, pairs, [...EVERYWHERE, 'answers to forgers']);
}, 180_000);

test('[RLE12] [P1] none of 66 numbers leaves a server with Alibaba, whatever is reported and fails', async () => {
  await using standIn = new AlibabaOverHttp(Date.now);
  standIn.pool = RELAYS.map(digitsOf);
  const endpoint = await standIn.listen();
  await using town = await startTown({
    TELECONSULT_PHONE_PROVIDER: 'alibaba',
    TELECONSULT_PHONE_NUMBERS: RELAYS.join(','),
    TELECONSULT_ALIBABA_KEY_ID: KEY_ID,
    TELECONSULT_ALIBABA_KEY_SECRET: KEY_SECRET,
    TELECONSULT_ALIBABA_POOL_KEY: POOL,
    TELECONSULT_ALIBABA_ENDPOINT: endpoint,
    TELECONSULT_ALIBABA_REPORT_SECRET: REPORT_SECRET,
    TELECONSULT_ALIBABA_REPORT_SOURCES: '127.0.0.1,::1,::ffff:127.0.0.1',
    TELECONSULT_ALIBABA_RING_CONFIG: '{"AXBRing_A":"100000001","AXBRing_B":"100000001"}',
    TELECONSULT_ALIBABA_RECORDING_HOSTS: new URL(endpoint).host,
  });
  standIn.origin = town.app.origin;
  const pairs = pairsOf(VISITS.alibaba);
  await abreast(pairs, async ([doctorNumber, patientNumber], index) => {
    await using visit = await town.visit([doctorNumber, patientNumber]);
    const x = digitsOf(await boundNumber(visit));
    const patient = digitsOf(patientNumber);
    if (index % 3 === 1) standIn.nextAnswer = 'busy';
    const call = await standIn.dial(patient, x);
    await standIn.answer(call);
    await standIn.hangUp(call, 'callee');
    await standIn.dial(patient, '17000009999');
    if (index % 5 === 4) standIn.failures.push('down', { code: 'isv.BUSINESS_LIMIT_CONTROL' });
    for (const report of [
      standIn.request('ring', [{ phone_no: patient, call_id: patient, sub_id: '#1' }]),
      standIn.request('end', { phone_no: patient }),
      standIn.request('end', [{ phone_no: patient }], undefined, `guessed-${patient}`),
      standIn.request(patient, []),
    ])
      town.evidence.add('answers to forgers', await standIn.deliver(report));
    await restOfVisit(town, visit, patientNumber);
  });
  await expectNothing(town, pairs, [...EVERYWHERE, 'answers to forgers']);
}, 180_000);

test('[RLE10 sabotage] [P1] a number is found wherever it is put, in whatever form', async () => {
  const [number = ''] = canaryNumbers(1);
  const digits = digitsOf(number);
  for (const written of [
    number,
    `tel:${digits}`,
    digits.replace(/(\d{3})(\d{4})(\d{4})/, '$1-$2-$3'),
    Buffer.from(digits).toString('hex'),
    Buffer.from(`call ${number} now`).toString('base64'),
  ]) {
    const evidence = new Evidence();
    evidence.add('somewhere', { deep: [written] });
    expect(evidence.search([number]), written).not.toEqual([]);
  }
  await using carrier = await startCarrier(RELAYS);
  await using town = await startTown(carrier.env);
  const { numbers } = town.app.store.phone;
  const sealed = new TextEncoder().encode(number);
  await numbers.setNumber({ personId: 'leaky' as never, numberHash: 'h', changedAt: 1, sealed });
  expect((await town.scan([number])).words).not.toEqual([]);
  town.app.logs.push(`phone.called ${number}`);
  await town.look();
  expect(town.evidence.search([number]).map((hit) => hit.split(':')[0])).toContain('logs');
}, 60_000);
