import type { ConsultationId, ConsultationView, GuestRole } from '@teleconsult/protocol';
import type { Browser } from 'playwright-core';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { DESK, launchBrowser, Person, PHONE } from './browser.ts';
import { WEB_DIR } from './pages.ts';

export interface CallPages extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly browser: Browser;
  /** A consultation of these two, still to be taken up. */
  create(patient: string, doctor: string): Promise<ConsultationView>;
  /** Draws somebody in, as the host application does. */
  addGuest(consultationId: ConsultationId, personId: string, role: GuestRole): Promise<void>;
  /** A device of its own: each is a browser profile with its own device id. */
  patientPage(personId: string, consultationId: ConsultationId): Promise<Person>;
  doctorPage(personId: string, consultationId: ConsultationId): Promise<Person>;
}

/** The real server with real media workers, the built pages, and a browser. */
export async function startCallPages(settings: Record<string, string> = {}): Promise<CallPages> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const server = stack.use(
    await startServerProcess({
      dataDir: dir.path,
      port: await freePort(),
      env: { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_WEB_DIR: WEB_DIR, ...settings },
    }),
  );
  const browser = stack.use(await launchBrowser());
  const host = async (path: string, body: object): Promise<ConsultationView> => {
    const response = await fetch(`${server.origin}/v1/consultations${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the host was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as ConsultationView;
  };
  const link = (page: 'patient' | 'doctor', personId: string, consultationId: ConsultationId): string =>
    `${server.origin}/${page}#token=${personToken(personId)}&consultation=${consultationId}`;
  const owned = stack.move();
  return {
    server,
    browser,
    create: (patient, doctor) =>
      host('', {
        patient: { personId: patient, displayName: nameOf(patient) },
        doctor: { personId: doctor, displayName: nameOf(doctor) },
      }),
    addGuest: async (consultationId, personId, role) => {
      await host(`/${consultationId}/participants`, { personId, displayName: nameOf(personId), role });
    },
    patientPage: async (personId, consultationId) =>
      owned.use(await Person.open(browser, link('patient', personId, consultationId), PHONE)),
    doctorPage: async (personId, consultationId) =>
      owned.use(await Person.open(browser, link('doctor', personId, consultationId), DESK)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const nameOf = (personId: string): string => personId.charAt(0).toUpperCase() + personId.slice(1);

export interface CallVisit {
  readonly id: ConsultationId;
  readonly patient: Person;
  readonly doctor: Person;
}

/** Patient and doctor on a page each, in a consultation that the doctor has taken up. */
export async function openVisit(
  pages: CallPages,
  { patient = 'patient', doctor = 'doctor' }: { patient?: string; doctor?: string } = {},
): Promise<CallVisit> {
  const { consultationId: id } = await pages.create(patient, doctor);
  const [patientPage, doctorPage] = await Promise.all([
    pages.patientPage(patient, id),
    pages.doctorPage(doctor, id),
  ]);
  await takeUp(doctorPage);
  await entries(patientPage, 'consultation.accepted').waitFor();
  return { id, patient: patientPage, doctor: doctorPage };
}

export async function takeUp(doctor: Person): Promise<void> {
  await doctor.byId('accept').click();
  await entries(doctor, 'consultation.accepted').waitFor();
}

export const entries = (person: Person, kind: string) =>
  person.page.locator(`[data-testid="entry"][data-kind="${kind}"]`);

/** Calls in somebody of the consultation who is not in the call. */
export async function invite(person: Person, other: string): Promise<void> {
  await person.byId('call-more').click();
  await person.byId('call-open-people').click();
  await person.page
    .locator(`[data-testid="call-outside"][data-person="${other}"] [data-testid="call-invite"]`)
    .click();
  await person.page.locator(`[data-testid="call-person"][data-person="${other}"]`).waitFor();
  await person.byId('dialog-close').click();
}
