import type { PhoneEffect } from '@teleconsult/server/consultation/phone-state';
import type { TelephonyWorld } from '@teleconsult/server/telephony/telephony';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { joinSeat, startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { type PhoneStage, startPhoneStage } from './desk-stage.ts';

interface Rung extends AsyncDisposable {
  readonly stage: PhoneStage;
  readonly visit: Visit;
  readonly effects: PhoneEffect[];
  readonly world: TelephonyWorld;
  of<T extends PhoneEffect['type']>(type: T): Promise<Extract<PhoneEffect, { type: T }>>;
}

/** A visit whose telephones a test answers. */
async function startRung(): Promise<Rung> {
  await using stack = new AsyncDisposableStack();
  const effects: PhoneEffect[] = [];
  const worlds: TelephonyWorld[] = [];
  const stage = stack.use(
    await startPhoneStage({
      legs: (world) => {
        worlds.push(world);
        return { carryOut: (_id, effect) => void effects.push(effect) };
      },
    }),
  );
  const visit = stack.use(await startVisit(stage.app));
  await stage.number(visit);
  const [world] = worlds;
  if (world === undefined) throw new Error('no telephony was opened');
  const owned = stack.move();
  return {
    stage,
    visit,
    effects,
    world,
    of: <T extends PhoneEffect['type']>(type: T) =>
      eventually(`an effect ${type}`, () =>
        effects.find((effect): effect is Extract<PhoneEffect, { type: T }> => effect.type === type),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const patientOf = ({ view }: Visit) => {
  const patient = view.participants.find(({ role }) => role === 'patient');
  if (patient === undefined) throw new Error('no patient');
  return patient.personId;
};

/** The doctor calls, and rings the patient’s telephone as well. */
async function ring({ visit }: Rung) {
  const { id: consultationId, doctor } = visit;
  const { call } = await doctor.request('call.start', { consultationId, media: 'video' });
  const { callId } = call;
  await joinSeat(doctor, { consultationId, callId });
  await doctor.request('phone.join', { consultationId, callId, personId: patientOf(visit) });
  return { consultationId, callId };
}

test('[PHN40] a patient whose telephone was rung is in the call by telephone, and everybody sees it', async () => {
  await using rung = await startRung();
  const { visit, world } = rung;
  const { consultationId } = await ring(rung);
  const asked = await rung.of('phone.ring');
  const { callId, personId, phoneCallId } = asked;
  expect(personId).toBe(patientOf(visit));
  await visit.patient.fact('call.changed', ({ seats }) => seats.some((seat) => seat.phone));
  await world.calls.tell(consultationId, { type: 'phone.seatAnswered', callId, personId, phoneCallId });
  const view = await visit.doctor.fact('call.changed', ({ state }) => state === 'live');
  expect(view.seats.find((seat) => seat.personId === personId)).toMatchObject({
    state: 'present',
    phone: true,
    deviceId: null,
    cameraOn: false,
  });
  await visit.doctor.request('seat.mute', { consultationId, callId, personId });
  expect(await rung.of('phone.setMuted')).toMatchObject({ phoneCallId, muted: true });
  await visit.doctor.request('call.hangUp', { consultationId, callId });
  expect(await rung.of('phone.hangUp')).toMatchObject({ phoneCallId, why: 'call_ended' });
  const late = { type: 'phone.seatAnswered', callId, personId, phoneCallId } as const;
  await expect(world.calls.tell(consultationId, late)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('[PHN41] a device that answers first wins, and only it has the seat', async () => {
  await using rung = await startRung();
  const { visit, world } = rung;
  const { consultationId, callId } = await ring(rung);
  const { personId, phoneCallId } = await rung.of('phone.ring');
  await visit.patient.request('call.accept', { consultationId, callId });
  expect(await rung.of('phone.hangUp')).toMatchObject({ why: 'answered_elsewhere' });
  const late = { type: 'phone.seatAnswered', callId, personId, phoneCallId } as const;
  await expect(world.calls.tell(consultationId, late)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('[PHN42] a device that goes and comes does not touch the seat of its person’s telephone', async () => {
  await using rung = await startRung();
  const { visit, world } = rung;
  const { consultationId, callId } = await ring(rung);
  const { personId, phoneCallId } = await rung.of('phone.ring');
  await world.calls.tell(consultationId, { type: 'phone.seatAnswered', callId, personId, phoneCallId });
  visit.patient.socket.disconnect();
  await visit.doctor.fact('presence.changed', ({ online }) => !online);
  const { call } = await visit.doctor.request('consultation.watch', { consultationId });
  expect(call?.seats.find((seat) => seat.personId === personId)).toMatchObject({
    state: 'present',
    phone: true,
  });
  expect(rung.effects.map(({ type }) => type)).not.toContain('phone.hangUp');
});

test('[PHN43] nobody is rung whose telephone is not known, or who is in the call already', async () => {
  await using rung = await startRung();
  const { visit, stage } = rung;
  const { id: consultationId, doctor } = visit;
  const personId = patientOf(visit);
  const callId = await startCall(visit);
  await expect(doctor.request('phone.join', { consultationId, callId, personId })).rejects.toThrow(
    'WRONG_STATE',
  );
  await using other = await startVisit(stage.app);
  const begun = await other.doctor.request('call.start', { consultationId: other.id, media: 'voice' });
  const unknown = { consultationId: other.id, callId: begun.call.callId, personId: patientOf(other) };
  await expect(other.doctor.request('phone.join', unknown)).rejects.toThrow('WRONG_STATE');
  expect(rung.effects).toEqual([]);
});

test('[PHN44] who is in a call by telephone is busy for others, and free again once it is hung up', async () => {
  await using rung = await startRung();
  const { consultationId, callId } = await ring(rung);
  const { personId, phoneCallId } = await rung.of('phone.ring');
  const { world, visit } = rung;
  await world.calls.tell(consultationId, { type: 'phone.seatAnswered', callId, personId, phoneCallId });
  expect(rung.stage.app.app.host.calls.isEngaged(personId)).toBe(true);
  await world.calls.tell(consultationId, {
    type: 'phone.seatLeft',
    callId,
    personId,
    phoneCallId,
    reason: 'hung_up',
  });
  await visit.doctor.fact('call.changed', ({ state }) => state === 'ended');
  expect(rung.stage.app.app.host.calls.isEngaged(personId)).toBe(false);
});
