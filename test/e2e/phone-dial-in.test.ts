/** Who dials the number of the visit while its call runs: on the whole server, its own process, a carrier on the loopback. */
import { join } from 'node:path';
import type { CallId, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { hears, talkBothWays } from '../server/telephony/embedded/people.ts';
import { press, speak, startCarrier } from './carrier.ts';
import { bind, DOCTOR, follow, PATIENT, type PhoneVisit, startPhoneVisit, X } from './phone-people.ts';

const of = (personId: string) => personId as PersonId;

/** The doctor calls, and is there. */
async function callOf({ id: consultationId, doctor }: PhoneVisit) {
  const { call } = await doctor.request('call.start', { consultationId, media: 'voice' });
  await doctor.request('seat.join', { consultationId, callId: call.callId });
  return { consultationId, callId: call.callId };
}

const seatIn = ({ doctor }: PhoneVisit, callId: CallId, personId: string) =>
  doctor
    .of('call.changed')
    .filter((call) => call.callId === callId)
    .at(-1)
    ?.seats.find((seat) => seat.personId === personId);

test('[RLE26] a patient who dials X while the doctor calls is in that call, is muted and heard again, and hears the visit’s end', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: carrier.env,
  });
  await using visit = await startPhoneVisit(server.origin);
  expect(await bind(visit)).toBe(X);
  const { doctor, people } = visit;
  const at = await callOf(visit);
  await using dialled = await carrier.dial(PATIENT, X);
  const caller = await dialled.talk();
  const voice = speak(caller, 440);
  await using _voice = { [Symbol.asyncDispose]: async () => voice.stop() };
  await hears(caller.phone, 'connecting', { language: 'en' });
  await doctor.fact('call.changed', ({ state }) => state === 'live');
  const seat = () => seatIn(visit, at.callId, people.patient);
  expect(seat()).toMatchObject({ state: 'present', phone: true, deviceId: null, microphoneOn: true });
  await doctor.request('seat.mute', { ...at, personId: of(people.patient) });
  await doctor.fact('call.changed', ({ seats }) => seats.some(({ mutedBy }) => mutedBy !== null));
  press(caller, '*');
  // Keys that follow each other quicker than anybody presses them are one.
  const { timestamp } = caller.phone.numbers;
  await eventually('a moment', () => ((caller.phone.numbers.timestamp - timestamp) | 0) > 3_200);
  press(caller, '6');
  await eventually('they switched it on again', () => seat()?.microphoneOn === true);

  // The doctor’s own telephone was never rung, and no masked call began.
  expect(carrier.rung).toEqual([]);
  const { board } = await doctor.request('phone.get', { consultationId: visit.id });
  expect(board.bindings).toMatchObject([{ state: 'bound', call: null }]);
  const entries = async () =>
    (await doctor.request('thread.page', { consultationId: visit.id })).entries.map(({ kind }) => kind);
  expect(await entries()).toContain('call.answered');
  expect(await entries()).not.toContain('phone.callStarted');
  const sent = carrier.received.map(({ text }) => text).join('\n');
  expect(sent).toContain(PATIENT.slice(1));
  expect(sent).not.toContain(DOCTOR.slice(3));

  const from = caller.phone.arrived.length;
  await doctor.request('consultation.end', { consultationId: visit.id });
  await hears(caller.phone, 'visit_ended', { language: 'en', from });
  expect(await caller.ended).toMatchObject({ by: 'them' });
  await using again = await carrier.dial(PATIENT, X);
  await hears((await again.talk()).phone, 'expired', { language: 'en' });
  expect(carrier.rung).toEqual([]);
  expect(server.output()).not.toMatch(/1380000|1390000|17000005555/);
}, 90_000);

test('[RLE27] who dials X while the other is in no call, or after it, rings their telephone', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: carrier.env,
  });
  await using visit = await startPhoneVisit(server.origin);
  await bind(visit);
  const { doctor } = visit;
  const at = await callOf(visit);
  // The doctor is in the call alone: their own telephone does not join them there, it reaches the patient.
  {
    await using dialled = await carrier.dial(DOCTOR, X);
    expect((await carrier.rings(0)).requestUri.user).toBe(PATIENT);
    await using callee = await carrier.answers(0);
    await talkBothWays(await dialled.talk(), callee);
  }
  await doctor.request('call.hangUp', at);
  await eventually('the call is over', () =>
    doctor.of('call.changed').some(({ callId, state }) => callId === at.callId && state === 'ended'),
  );
  await using dialled = await carrier.dial(PATIENT, X);
  expect((await carrier.rings(1)).requestUri.user).toBe(DOCTOR);
  await using callee = await carrier.answers(1);
  await talkBothWays(await dialled.talk(), callee);
}, 90_000);

test('[RLE29] [P2] a server that is killed hangs up whoever had dialled in when it is back, and the thread says lost', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using stack = new AsyncDisposableStack();
  const options = { dataDir: join(dir.path, 'data'), port: await freePort(), env: carrier.env };
  const first = stack.use(await startServerProcess(options));
  await using visit = await startPhoneVisit(first.origin);
  await bind(visit);
  await callOf(visit);
  await using dialled = await carrier.dial(PATIENT, X);
  const caller = await dialled.talk();
  await visit.doctor.fact('call.changed', ({ state }) => state === 'live');
  await first.kill();
  const second = stack.use(await startServerProcess(options));
  expect(await caller.ended).toMatchObject({ by: 'them' });
  const { doctor } = await follow(stack, second.origin, visit);
  const lost = await eventually('the thread says so', async () => {
    const { entries } = await doctor.request('thread.page', { consultationId: visit.id });
    return entries.find((entry) => entry.kind === 'call.left' || entry.kind === 'call.ended');
  });
  expect(lost).toMatchObject({ reason: 'lost' });
}, 90_000);
