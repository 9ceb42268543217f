import type { CallMedia, ConsultationId, ConsultationView } from '@teleconsult/protocol';
import { RawClient } from './raw-client.ts';
import { peopleOf, type TestApp } from './test-app.ts';
import { personToken } from './test-tokens.ts';

export interface Visit extends AsyncDisposable {
  readonly view: ConsultationView;
  readonly id: ConsultationId;
  readonly patient: RawClient;
  readonly doctor: RawClient;
}

/** A new consultation with both people connected and following; begun unless told otherwise. */
export async function startVisit(app: TestApp, options: { active?: boolean } = {}): Promise<Visit> {
  await using stack = new AsyncDisposableStack();
  const view = await app.createConsultation();
  const people = peopleOf(view);
  const id = view.consultationId;
  const patient = stack.use(await RawClient.connect(app.origin, personToken(people.patient)));
  const doctor = stack.use(await RawClient.connect(app.origin, personToken(people.doctor)));
  for (const client of [patient, doctor]) await client.request('consultation.watch', { consultationId: id });
  if (options.active !== false) {
    await patient.request('consultation.enter', { consultationId: id });
    await doctor.request('consultation.accept', { consultationId: id });
  }
  const owned = stack.move();
  return { view, id, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Both in a running call, seats joined. */
export async function startCall({ id, patient, doctor }: Visit, media: CallMedia = 'video') {
  const { call } = await doctor.request('call.start', { consultationId: id, media });
  await patient.fact('call.changed', ({ state }) => state === 'ringing');
  await patient.request('call.accept', { consultationId: id, callId: call.callId });
  for (const client of [doctor, patient])
    await client.request('seat.join', { consultationId: id, callId: call.callId });
  return call.callId;
}

export const textDraft = (text: string) => ({ type: 'text' as const, text });
