import type { ConsultationId, GuestRole } from '@teleconsult/protocol';
import { RawClient } from '../../helpers/raw-client.ts';
import type { TestApp } from '../../helpers/test-app.ts';
import { namedToken } from '../../helpers/test-tokens.ts';

/** A device of somebody whose token vouches for their name, and for a doctor's profession. */
export const connect = (
  app: Pick<TestApp, 'origin'>,
  person: string,
  profession?: 'doctor',
): Promise<RawClient> => RawClient.connect(app.origin, namedToken(person, `Name of ${person}`, profession));

/** The people of a visit with names in their tokens, so that they may invite. */
export async function visitOf(app: TestApp, suffix: string) {
  await using stack = new AsyncDisposableStack();
  const { consultationId } = await app.createConsultation(suffix);
  const patient = stack.use(await connect(app, `patient-${suffix}`));
  const doctor = stack.use(await connect(app, `doctor-${suffix}`, 'doctor'));
  const owned = stack.move();
  return { consultationId, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A code for this role in the consultation. */
export async function codeFor(
  inviter: RawClient,
  consultationId: ConsultationId,
  role: GuestRole,
  validForMs = 3_600_000,
): Promise<string> {
  const wish = { purpose: 'participant' as const, consultationId, role, validForMs };
  return (await inviter.request('invitation.create', wish)).code;
}
