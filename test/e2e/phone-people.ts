/** A visit of two people whose telephones the clinic knows, on a server of its own process. */
import type { ConsultationView } from '@teleconsult/protocol';
import { RawClient } from '../helpers/raw-client.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';

export const DOCTOR = '+8613800001111';
export const PATIENT = '+8613900002222';
export const X = '+8617000005555';

export async function setNumber(origin: string, personId: string, number: string | null): Promise<number> {
  const { status } = await fetch(`${origin}/v1/people/${personId}/phone-number`, {
    method: number === null ? 'DELETE' : 'PUT',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    ...(number === null ? {} : { body: JSON.stringify({ number }) }),
  });
  return status;
}

export interface PhoneVisit extends AsyncDisposable {
  readonly id: ConsultationView['consultationId'];
  readonly people: ReturnType<typeof peopleOf>;
  readonly patient: RawClient;
  readonly doctor: RawClient;
}

/** An active visit, both followed by a device, and both numbers known. */
export async function startPhoneVisit(origin: string): Promise<PhoneVisit> {
  await using stack = new AsyncDisposableStack();
  const view = await createConsultation(origin, hostToken());
  const id = view.consultationId;
  const people = peopleOf(view);
  for (const [person, number] of [
    [people.doctor, DOCTOR],
    [people.patient, PATIENT],
  ] as const)
    if ((await setNumber(origin, person, number)) !== 204) throw new Error('a number was refused');
  const { patient, doctor } = await follow(stack, origin, { id, people });
  await patient.request('consultation.enter', { consultationId: id });
  await doctor.request('consultation.accept', { consultationId: id });
  const owned = stack.move();
  return { id, people, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Their devices, connected anew. */
export async function follow(
  stack: AsyncDisposableStack,
  origin: string,
  { id, people }: Pick<PhoneVisit, 'id' | 'people'>,
): Promise<{ patient: RawClient; doctor: RawClient }> {
  const patient = stack.use(await RawClient.connect(origin, personToken(people.patient)));
  const doctor = stack.use(await RawClient.connect(origin, personToken(people.doctor)));
  for (const client of [patient, doctor]) await client.request('consultation.watch', { consultationId: id });
  return { patient, doctor };
}

/** The visit’s relay number. */
export async function bind({ doctor, id }: Pick<PhoneVisit, 'doctor' | 'id'>): Promise<string> {
  const { board, bindingId } = await doctor.request('phone.bind', {
    consultationId: id,
    clientBindingId: 'client-0001',
  });
  const bound = board.bindings.find((binding) => binding.bindingId === bindingId);
  if (bound?.state !== 'bound' || bound.number === null) throw new Error(`not bound: ${bound?.state}`);
  return bound.number;
}
