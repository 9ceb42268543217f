/** What a newcomer gets without a host application: a secret, a first consultation, and links to open it. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConsultationView, type Participant, PersonId } from '@teleconsult/protocol';
import type { ConsultationHost } from './host/host.ts';
import type { DevelopmentIssuer } from './identity/development-issuer.ts';

export const DEVELOPMENT_KID = 'development';

const patient: Participant = {
  personId: PersonId.parse('demo-patient'),
  role: 'patient',
  displayName: '王小明 Wang Xiaoming',
};
const doctor: Participant = {
  personId: PersonId.parse('demo-doctor'),
  role: 'doctor',
  displayName: '李医生 Dr Li',
};

/** The secret that signs development tokens. Kept, so that links go on working after a restart. */
export function developmentSecret(dataDir: string): string {
  const path = join(dataDir, 'development-token-secret');
  if (!existsSync(path))
    writeFileSync(path, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8').trim();
}

/** The newest open consultation of the demonstration, or a new one. */
export async function demonstration(host: ConsultationHost): Promise<ConsultationView> {
  const { consultations } = await host.list(patient.personId, { limit: 1 });
  const [newest] = consultations;
  if (newest !== undefined && newest.phase !== 'ended') return newest;
  return (await host.create([patient, doctor], null)).view;
}

/** Links with tokens in the fragment, which browsers never send to a server. */
export function links(
  origin: string,
  issuer: DevelopmentIssuer,
  consultation: ConsultationView,
): { patient: string; doctor: string; hostToken: string } {
  const { consultationId } = consultation;
  const link = (page: string, token: string): string =>
    `${origin}/${page}#token=${token}&consultation=${consultationId}`;
  return {
    patient: link('patient', issuer.forPerson(patient.personId)),
    doctor: link('doctor', issuer.forPerson(doctor.personId)),
    hostToken: issuer.forHost(),
  };
}
