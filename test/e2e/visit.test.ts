import { AxeBuilder } from '@axe-core/playwright';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { DESK, launchBrowser, Person, PHONE } from './browser.ts';
import { WEB_DIR } from './pages.ts';

const picture = async () => ({
  name: 'tongue.png',
  mimeType: 'image/png',
  buffer: await sharp({ create: { width: 800, height: 600, channels: 3, background: '#b04050' } })
    .png()
    .toBuffer(),
});

/** Findings a person with a disability would trip over. */
async function seriousFindings({ page }: Person): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

test('[WEB1] a patient and a doctor hold a whole consultation in two browsers, and it is there after a restart', async () => {
  await using dir = await tempDir();
  const port = await freePort();
  const env = { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_WEB_DIR: WEB_DIR };
  let server = await startServerProcess({ dataDir: dir.path, port, env });
  const view = await createConsultation(server.origin, hostToken(), 'e2e');
  const people = peopleOf(view);
  const link = (page: string, person: string) =>
    `${server.origin}/${page}#token=${personToken(person)}&consultation=${view.consultationId}`;
  await using browser = await launchBrowser();
  await using patient = await Person.open(browser, link('patient', people.patient), PHONE);
  await using doctor = await Person.open(browser, link('doctor', people.doctor), DESK);
  try {
    // The doctor takes the consultation up.
    await doctor.byId('accept').click();
    await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
    expect(await patient.page.evaluate(() => location.hash)).toBe('');

    // Text both ways.
    for (const [from, to, text] of [
      [patient, doctor, 'I have had a cough for three days.'],
      [doctor, patient, '请把舌头的照片发给我。'],
    ] as const) {
      await from.byId('text-input').fill(text);
      await from.byId('send').click();
      await to.page.getByText(text).first().waitFor();
    }

    // A picture and a voice message.
    await patient.byId('picture-input').setInputFiles(await picture());
    await patient.byId('send').click();
    await doctor.byId('picture-thumb').waitFor({ timeout: 20_000 });
    await patient.byId('voice-record').click();
    await patient.byId('voice-send').waitFor();
    await patient.byId('voice-time').getByText('0:01').waitFor();
    await patient.byId('voice-send').click();
    await doctor.byId('voice-play').first().waitFor({ timeout: 20_000 });

    // A video call, seen and heard on both sides.
    await doctor.byId('call-video').click();
    await patient.byId('call-accept').click();
    const [seenByPatient, seenByDoctor] = await Promise.all([patient.seesAndHears(), doctor.seesAndHears()]);
    expect(seenByPatient.framesDecoded).toBeGreaterThan(0);
    expect(seenByPatient.audioEnergy).toBeGreaterThan(0);
    expect(seenByDoctor.framesDecoded).toBeGreaterThan(0);
    expect(seenByDoctor.audioEnergy).toBeGreaterThan(0);
    await patient.screenshot('call-patient');
    await doctor.screenshot('call-doctor');
    expect(await seriousFindings(patient)).toEqual([]);
    expect(await seriousFindings(doctor)).toEqual([]);

    // Mute is seen on the other side; the call ends for both.
    await patient.byId('call-mute').click();
    await doctor.byId('call-hangup').click();
    await patient.page.locator('[data-testid="entry"][data-kind="call.ended"]').waitFor();
    await patient.screenshot('thread-patient');
    await doctor.screenshot('thread-doctor');
    expect(await seriousFindings(patient)).toEqual([]);
    expect(await seriousFindings(doctor)).toEqual([]);

    // The end, and what is left of it after the server was killed.
    await doctor.byId('end').click();
    await doctor.byId('end-confirm').click();
    await patient.page.locator('[data-testid="entry"][data-kind="consultation.ended"]').waitFor();
    const kinds = () =>
      patient.byId('entry').evaluateAll((entries) => entries.map((entry) => entry.getAttribute('data-kind')));
    const before = await kinds();
    await server.kill();
    server = await startServerProcess({ dataDir: dir.path, port, env });
    await patient.page.reload();
    await eventually('the same thread', async () => JSON.stringify(await kinds()) === JSON.stringify(before));
    expect(patient.errors.filter((error) => !/ERR_CONNECTION|WebSocket|net::/.test(error))).toEqual([]);
    expect(doctor.errors.filter((error) => !/ERR_CONNECTION|WebSocket|net::/.test(error))).toEqual([]);
  } catch (error) {
    await patient.screenshot('failed-patient');
    await doctor.screenshot('failed-doctor');
    throw Object.assign(error as Error, {
      server: server.output().slice(-2_000),
      errors: [...patient.errors, ...doctor.errors],
    });
  } finally {
    await server.kill();
  }
}, 120_000);
