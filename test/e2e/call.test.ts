import type { Browser } from 'playwright-core';
import { expect, test } from 'vitest';
import { childrenOf } from '../helpers/child-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { DESK, launchBrowser, Person, PHONE } from './browser.ts';
import { WEB_DIR } from './pages.ts';

interface Opened extends AsyncDisposable {
  readonly server: ServerProcess;
  /** Kills the server and starts it again where it was. */
  restart(): Promise<void>;
  readonly patient: Person;
  readonly doctor: Person;
}

/** Two browsers in a begun consultation on a server with real media workers. */
async function openVisit(browser: Browser): Promise<Opened> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const env = { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_WEB_DIR: WEB_DIR };
  const port = await freePort();
  let server = await startServerProcess({ dataDir: dir.path, port, env });
  stack.defer(() => server.kill());
  const restart = async (): Promise<void> => {
    await server.kill();
    server = await startServerProcess({ dataDir: dir.path, port, env });
  };
  const view = await createConsultation(server.origin, hostToken(), 'call');
  const people = peopleOf(view);
  const link = (page: string, person: string) =>
    `${server.origin}/${page}#token=${personToken(person)}&consultation=${view.consultationId}`;
  const patient = stack.use(await Person.open(browser, link('patient', people.patient), PHONE));
  const doctor = stack.use(await Person.open(browser, link('doctor', people.doctor), DESK));
  await doctor.byId('accept').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
  const owned = stack.move();
  return { server, restart, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const entry = (person: Person, kind: string) =>
  person.page.locator(`[data-testid="entry"][data-kind="${kind}"]`);

/** Only sound: frames must not be waited for. */
const hears = (person: Person) =>
  eventually('sound to be received', async () => (await person.media()).audioEnergy > 0, {
    withinMs: 20_000,
  });

test('[WEB2] a call is declined, cancelled, answered by voice, muted, and becomes video without a new call', async () => {
  await using browser = await launchBrowser();
  await using visit = await openVisit(browser);
  const { patient, doctor } = visit;

  await doctor.byId('call-voice').click();
  await patient.byId('call-decline').click();
  await entry(doctor, 'call.ended').first().waitFor();

  await doctor.byId('call-voice').click();
  await patient.byId('call-accept').waitFor();
  await doctor.byId('call-hangup').click();
  await patient.byId('call-accept').waitFor({ state: 'detached' });
  await eventually('two endings', async () => (await entry(patient, 'call.ended').count()) === 2);

  await patient.byId('call-voice').click();
  await doctor.byId('call-accept').click();
  await Promise.all([hears(patient), hears(doctor)]);
  expect((await doctor.media()).framesDecoded).toBe(0);

  await patient.byId('call-mute').click();
  await doctor.page.getByText('Patient is muted').first().waitFor();

  await doctor.byId('call-switch-media').click();
  await patient.page.locator('[data-testid="call-state"][data-media="video"]').waitFor();
  expect((await patient.media()).framesDecoded).toBe(0);
  await patient.byId('camera-offer-yes').click();
  await eventually('the patient’s picture', async () => (await doctor.media()).framesDecoded > 0, {
    withinMs: 20_000,
  });
  await doctor.page.getByText('Patient is muted').first().waitFor();
  await patient.byId('call-hangup').click();
  await eventually('the third ending', async () => (await entry(doctor, 'call.ended').count()) === 3);
  expect(await entry(doctor, 'call.started').count()).toBe(3);
}, 120_000);

test('[CALL8] [M8] a media worker that is killed takes neither the server nor the call with it, and mute stays', async () => {
  await using browser = await launchBrowser();
  await using visit = await openVisit(browser);
  const { server, patient, doctor } = visit;
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([patient.seesAndHears(), doctor.seesAndHears()]);
  await patient.byId('call-mute').click();
  await doctor.page.getByText('Patient is muted').first().waitFor();

  const workers = childrenOf(server.pid, 'mediasoup');
  expect(workers.length).toBeGreaterThan(0);
  for (const pid of workers) process.kill(pid, 'SIGKILL');

  await patient.seesAndHears();
  await eventually(
    'frames after the kill',
    async () => {
      const before = await doctor.media();
      return eventually('more', async () => (await doctor.media()).framesDecoded > before.framesDecoded, {
        withinMs: 2_000,
      });
    },
    { withinMs: 20_000 },
  );
  await doctor.page.getByText('Patient is muted').first().waitFor();
  expect(await entry(doctor, 'call.started').count()).toBe(1);
  expect(await entry(doctor, 'call.ended').count()).toBe(0);

  await doctor.byId('text-input').fill('still here');
  await doctor.byId('send').click();
  await doctor.page.getByText('still here').first().waitFor();
  expect(server.child.exitCode).toBeNull();
}, 120_000);

test('[SEAT6] a call goes on in the same seats after the server was killed and started again', async () => {
  await using browser = await launchBrowser();
  await using visit = await openVisit(browser);
  const { patient, doctor } = visit;
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([patient.seesAndHears(), doctor.seesAndHears()]);
  await patient.byId('call-mute').click();
  await doctor.page.getByText('Patient is muted').first().waitFor();
  await visit.restart();
  await patient.seesAndHears();
  await doctor.page.getByText('Patient is muted').first().waitFor();
  expect(await entry(patient, 'call.started').count()).toBe(1);
  expect(await entry(patient, 'call.ended').count()).toBe(0);
}, 120_000);
