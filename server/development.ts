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
/** Not in the consultation: they try out invitations. */
const colleague = { personId: PersonId.parse('demo-colleague'), displayName: '陈医生 Dr Chen' };
const relative = { personId: PersonId.parse('demo-relative'), displayName: '王丽 Wang Li' };

/** The secret that signs development tokens. Kept, so that links go on working after a restart. */
export function developmentSecret(dataDir: string): string {
  const path = join(dataDir, 'development-token-secret');
  if (!existsSync(path))
    writeFileSync(path, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8').trim();
}

/** The newest open visit of the demonstration, or a new one. */
export async function demonstration(host: ConsultationHost): Promise<ConsultationView> {
  const { consultations } = await host.list(patient.personId, { limit: 1 }, null);
  const [newest] = consultations;
  if (newest !== undefined && newest.phase !== 'ended') return newest;
  return (await host.create({ participants: [patient, doctor] }, null)).view;
}

export interface DemonstrationLinks {
  readonly patient: string;
  readonly doctor: string;
  /** Another doctor, and a relative of the patient: they open their lists, from which invitations are accepted. */
  readonly colleague: string;
  readonly relative: string;
  readonly hostToken: string;
}

/** Links with tokens in the fragment, which browsers never send to a server. The tokens vouch for the names. */
export function links(
  origin: string,
  issuer: DevelopmentIssuer,
  { consultationId }: ConsultationView,
): DemonstrationLinks {
  const link = (page: string, { personId, displayName: name }: Omit<Participant, 'role'>): string => {
    const token = issuer.forPerson(personId, page === 'doctor' ? { name, profession: 'doctor' } : { name });
    return `${origin}/${page}#token=${token}`;
  };
  return {
    patient: `${link('patient', patient)}&consultation=${consultationId}`,
    doctor: `${link('doctor', doctor)}&consultation=${consultationId}`,
    colleague: link('doctor', colleague),
    relative: link('patient', relative),
    hostToken: issuer.forHost(),
  };
}
