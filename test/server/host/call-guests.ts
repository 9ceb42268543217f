import { type ConsultationId, type ParticipantRole, PersonId } from '@teleconsult/protocol';
import { RawClient } from '../../helpers/raw-client.ts';
import type { TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import type { Visit } from '../../helpers/visit.ts';

/** Draws a person into a visit, connects and follows. */
export async function drawIn(
  app: TestApp,
  { id }: Visit,
  { personId, role = 'relative' }: { personId: string; role?: ParticipantRole },
): Promise<RawClient> {
  const participant = { personId: PersonId.parse(personId), role, displayName: 'Guest' };
  await app.app.host.submit(id, { type: 'participant.add', participant });
  const client = await RawClient.connect(app.origin, personToken(personId));
  await client.request('consultation.watch', { consultationId: id });
  return client;
}

/** One more begun visit, of these two people; answers its id. */
export async function beginVisit(
  app: TestApp,
  people: { patient: string; doctor: string },
  doctor: RawClient,
): Promise<ConsultationId> {
  const response = await fetch(`${app.origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: people.patient, displayName: 'Patient' },
      doctor: { personId: people.doctor, displayName: 'Doctor' },
    }),
  });
  const { consultationId } = (await response.json()) as { consultationId: ConsultationId };
  await doctor.request('consultation.accept', { consultationId });
  return consultationId;
}

/** A begun visit of another patient, who is connected, with the same doctor. */
export async function secondVisit(
  app: TestApp,
  doctor: RawClient,
  doctorId: string,
  patientId = 'second-patient',
): Promise<{ consultationId: ConsultationId; patient: RawClient }> {
  const consultationId = await beginVisit(app, { patient: patientId, doctor: doctorId }, doctor);
  const patient = await RawClient.connect(app.origin, personToken(patientId));
  await patient.request('consultation.watch', { consultationId });
  return { consultationId, patient };
}
