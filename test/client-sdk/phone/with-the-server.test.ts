import { randomBytes } from 'node:crypto';
import { type Consultation, createTeleconsultClient } from '@teleconsult/client-sdk';
import { openPhone, type Phone } from '@teleconsult/client-sdk/phone';
import { describe, expect, it } from 'vitest';
import { peopleOf } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import {
  DOCTOR,
  numberOf,
  PATIENT,
  type PhoneStage,
  RELAYS,
  startPhoneStage,
} from '../../server/telephony/desk-stage.ts';
import { recorded } from '../helpers/clients.ts';
import { codeOf, eventually } from '../helpers/eventually.ts';

interface Side extends AsyncDisposable {
  readonly visit: Consultation;
  readonly phone: Phone;
}

/** Somebody's device that follows the visit and its masked calls. */
async function side({ app }: PhoneStage, person: string, consultationId: string): Promise<Side> {
  const client = createTeleconsultClient({
    url: app.origin,
    token: personToken(person),
    deviceId: `device-${randomBytes(6).toString('hex')}`,
    reconnect: () => 5,
  });
  await client.connect();
  const visit = await client.open(consultationId);
  const phone = openPhone(client, consultationId);
  await phone.load();
  return { visit, phone, [Symbol.asyncDispose]: () => client.close() };
}

describe('masked calls, the SDK and the server', () => {
  it('[PSD30] both see the number, a call through it and its end, and neither sees the other’s number', async () => {
    await using stage = await startPhoneStage();
    await using visit = await startVisit(stage.app);
    await stage.number(visit);
    const people = peopleOf(visit.view);
    await using patient = await side(stage, people.patient, visit.id);
    await using doctor = await side(stage, people.doctor, visit.id);
    const news = recorded(doctor.phone.on, 'news');
    const told = async (kind: string): Promise<void> => {
      await eventually(
        () => news.map((one) => one.kind),
        (kinds) => kinds.includes(kind as (typeof kinds)[number]),
      );
    };
    const bound = await patient.phone.bind();
    expect((await patient.phone.bind()).bindingId).toBe(bound.bindingId);
    const number = await eventually(
      () => patient.phone.board.bindings[0]?.number ?? '',
      (seen) => seen !== '',
    );
    expect(RELAYS).toContain(number);
    await told('bound');
    const running = await stage.relay.call({ from: PATIENT, x: numberOf(number) });
    await told('callStarted');
    await running.answer();
    await told('callAnswered');
    const [shown] = doctor.phone.board.bindings;
    expect(shown?.call).toMatchObject({ caller: people.patient, state: 'talking' });
    await running.hangUp();
    await told('callEnded');
    expect(JSON.stringify([patient.phone.board, doctor.phone.board])).not.toMatch(
      new RegExp(`${DOCTOR.slice(1)}|${PATIENT.slice(1)}`),
    );
    await doctor.phone.unbind(bound.bindingId);
    await told('unbound');
    expect((await patient.phone.bind()).bindingId).not.toBe(bound.bindingId);
  });

  it('[PSD31] a refusal ends the number for both and makes none, until it is taken back', async () => {
    await using stage = await startPhoneStage();
    await using visit = await startVisit(stage.app);
    await stage.number(visit);
    const people = peopleOf(visit.view);
    await using patient = await side(stage, people.patient, visit.id);
    await using doctor = await side(stage, people.doctor, visit.id);
    await doctor.phone.bind();
    await patient.phone.setRefused(true);
    await eventually(
      () => doctor.phone.board,
      ({ refused, bindings }) =>
        refused.some(({ personId }) => personId === people.patient) &&
        bindings.every(({ number }) => number === null),
    );
    expect(await codeOf(doctor.phone.bind())).toBe('FORBIDDEN');
    expect((await patient.phone.setRefused(false)).refused).toEqual([]);
    // The thread has heard of it a moment later.
    await eventually(
      () => doctor.visit.entries.filter(({ kind }) => kind === 'phone.refused').length,
      (count) => count === 2,
    );
    expect(['binding', 'bound']).toContain((await doctor.phone.bind()).state);
  });

  it('[PSD32] a card of a number of the server is written', async () => {
    await using stage = await startPhoneStage();
    await using visit = await startVisit(stage.app);
    await stage.number(visit);
    await using patient = await side(stage, peopleOf(visit.view).patient, visit.id);
    await patient.phone.bind();
    const bound = await eventually(
      () => patient.phone.board.bindings[0],
      (seen) => seen?.number != null,
    );
    if (bound === undefined) throw new Error('nothing is bound');
    const { text, fileName } = patient.phone.contactCard(bound, { language: 'zh' });
    expect(text).toContain(`tel:${bound.number ?? ''}`);
    expect(fileName).toBe('Clinic.vcf');
  });
});
