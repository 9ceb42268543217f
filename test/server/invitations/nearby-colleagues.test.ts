import { PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { namedToken, personToken } from '../../helpers/test-tokens.ts';
import { connect } from './invited.ts';

const CLINIC = { latitude: 31.2304, longitude: 121.4737 };
/** About this many kilometres to the north. */
const north = (km: number) => ({ ...CLINIC, latitude: CLINIC.latitude + km / 111.2 });
const refused = (code: string) => ({ ok: false, error: { code } });

const show = (doctor: RawClient, place = CLINIC) =>
  doctor.request('nearby.show', { ...place, consent: true });
const listed = async (doctor: RawClient) => (await doctor.request('nearby.list', {})).colleagues;

/** Doctors who let themselves be seen, by how many kilometres north of the clinic they are. */
async function doctorsAt(app: TestApp, distances: Readonly<Record<string, number>>) {
  await using stack = new AsyncDisposableStack();
  const doctors: Record<string, RawClient> = {};
  for (const [name, km] of Object.entries(distances)) {
    const doctor = stack.use(await connect(app, name, 'doctor'));
    await show(doctor, north(km));
    doctors[name] = doctor;
  }
  const owned = stack.move();
  return {
    of: (name: string): RawClient => {
      const doctor = doctors[name];
      if (doctor === undefined) throw new Error(`there is no ${name}`);
      return doctor;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('[NEAR3] a doctor sees colleagues within ten kilometres, nearest first, and how near they are at most', async () => {
  await using app = await startTestApp();
  await using doctors = await doctorsAt(app, { far: 40, seven: 7, three: 3, here: 0, me: 0 });
  expect(await listed(doctors.of('me'))).toEqual([
    { personId: 'here', displayName: 'Name of here', withinKm: 2 },
    { personId: 'three', displayName: 'Name of three', withinKm: 5 },
    { personId: 'seven', displayName: 'Name of seven', withinKm: 10 },
  ]);
  expect(await listed(doctors.of('far'))).toEqual([]);
});

test('[NEAR3] only a doctor who lets themself be seen sees others', async () => {
  await using app = await startTestApp();
  await using doctors = await doctorsAt(app, { me: 0, other: 0 });
  await doctors.of('me').request('nearby.hide', {});
  expect(await doctors.of('me').emit('nearby.list', {})).toMatchObject(refused('WRONG_STATE'));
  expect(await listed(doctors.of('other'))).toEqual([]);
  await using layman = await connect(app, 'layman');
  expect(await layman.emit('nearby.show', { ...CLINIC, consent: true })).toMatchObject(refused('FORBIDDEN'));
  expect(await layman.emit('nearby.list', {})).toMatchObject(refused('FORBIDDEN'));
  expect(await doctors.of('me').emit('nearby.show', { ...CLINIC, consent: false })).toMatchObject(
    refused('INVALID'),
  );
});

test('[NEAR4] a doctor is seen for ten minutes and no longer; each time needs consent', async () => {
  await using app = await startTestApp();
  await using doctors = await doctorsAt(app, { me: 0, other: 0 });
  const until = (await show(doctors.of('me'))).until;
  expect(until - Date.now()).toBeGreaterThan(595_000);
  expect(await listed(doctors.of('me'))).toHaveLength(1);
  app.advance(300_000);
  await show(doctors.of('me'));
  app.advance(301_000);
  expect(await listed(doctors.of('me'))).toEqual([]);
  expect(await doctors.of('other').emit('nearby.list', {})).toMatchObject(refused('WRONG_STATE'));
  expect(await doctors.of('me').emit('colleague.request', { personId: 'other' })).toMatchObject(
    refused('NOT_FOUND'),
  );
});

test('[NEAR5] a doctor asks a colleague near by for a thread, and again gets the same one while it is open', async () => {
  await using app = await startTestApp();
  await using doctors = await doctorsAt(app, { me: 0, other: 1 });
  const [me, other] = [doctors.of('me'), doctors.of('other')];
  const ask = (by: RawClient, personId: string) =>
    by.request('colleague.request', { personId: PersonId.parse(personId) });
  const answers = await Promise.all([ask(me, 'other'), ask(me, 'other'), ask(me, 'other')]);
  const [{ consultation }] = answers;
  expect(consultation).toMatchObject({ kind: 'colleagues', phase: 'requested', requestedBy: 'me' });
  const { consultationId } = consultation;
  expect(new Set(answers.map((answer) => answer.consultation.consultationId)).size).toBe(1);
  expect((await ask(other, 'me')).consultation.consultationId).toBe(consultationId);
  expect(await me.emit('consultation.accept', { consultationId })).toMatchObject(refused('FORBIDDEN'));
  await other.request('consultation.accept', { consultationId });
  expect((await ask(me, 'other')).consultation).toMatchObject({ consultationId, phase: 'active' });
  await other.request('consultation.end', { consultationId });
  expect((await ask(me, 'other')).consultation.consultationId).not.toBe(consultationId);
});

test('[NEAR5] the open thread is found after a restart of the server', async () => {
  await using dir = await tempDir();
  const ask = async (): Promise<string> => {
    await using app = await startTestApp({ dataDir: dir.path });
    await using doctors = await doctorsAt(app, { me: 0, other: 1 });
    const { consultation } = await doctors.of('me').request('colleague.request', {
      personId: PersonId.parse('other'),
    });
    return consultation.consultationId;
  };
  expect(await ask()).toBe(await ask());
});

test('[NEAR6] nobody is asked who is far, hidden, unknown or oneself', async () => {
  await using app = await startTestApp();
  await using doctors = await doctorsAt(app, { me: 0, far: 30, hidden: 0 });
  await doctors.of('hidden').request('nearby.hide', {});
  for (const personId of ['far', 'hidden', 'unknown', 'me'])
    expect(await doctors.of('me').emit('colleague.request', { personId }), personId).toMatchObject(
      refused('NOT_FOUND'),
    );
});

test('[NEAR6] at most ten threads are asked for in an hour', async () => {
  await using app = await startTestApp();
  const names = Array.from({ length: 11 }, (_, index) => `colleague-${index}`);
  await using doctors = await doctorsAt(app, {
    me: 0,
    ...Object.fromEntries(names.map((name) => [name, 0])),
  });
  const codes: string[] = [];
  for (const personId of [...names.slice(0, 10), 'colleague-0', 'colleague-10']) {
    const reply = await doctors.of('me').emit('colleague.request', { personId });
    codes.push(reply.ok ? 'OK' : reply.error.code);
  }
  expect(codes).toEqual([...Array<string>(11).fill('OK'), 'RATE_LIMITED']);
});

test('[NEAR7] a place is in no log, no database and no answer', async () => {
  await using app = await startTestApp();
  await using me = await connect(app, 'me', 'doctor');
  const shown = await show(me, { latitude: 12.345678, longitude: 98.765432 });
  expect(JSON.stringify([shown, await listed(me), app.logs])).not.toMatch(/12\.3|98\.7/);
});

test('[NEAR8] a token for one consultation neither shows its person nor asks for anybody', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation('one');
  const token = namedToken('doctor-one', 'Doctor', 'doctor', consultationId);
  await using scoped = await RawClient.connect(app.origin, token);
  for (const [name, payload] of [
    ['nearby.show', { ...CLINIC, consent: true }],
    ['nearby.hide', {}],
    ['nearby.list', {}],
    ['colleague.request', { personId: 'other' }],
  ] as const)
    expect(await scoped.emit(name, payload), name).toMatchObject(refused('FORBIDDEN'));
  await using plain = await RawClient.connect(app.origin, personToken('doctor-one'));
  expect(await plain.emit('nearby.show', { ...CLINIC, consent: true })).toMatchObject(refused('FORBIDDEN'));
});
