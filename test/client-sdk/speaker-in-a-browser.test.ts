import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { buildSdk } from './helpers/sdk-bundle.ts';
import { speechFile } from './helpers/speech-sample.ts';

/** The machine may be busy with other things. */
const SLOW = { timeout: 25_000, interval: 50 };

/** A browser whose microphone says what the file says, over and over. */
async function launch(microphone: string | null): Promise<Browser & AsyncDisposable> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      ...(microphone === null ? [] : [`--use-file-for-fake-audio-capture=${microphone}`]),
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

interface Opening {
  readonly origin: string;
  readonly token: string;
  readonly id: string;
}

/** The page of one person, who has the consultation open and remembers who spoke. */
async function open(browser: Browser, script: string, opening: Opening): Promise<Page> {
  const page = await browser.newPage();
  const url = `${opening.origin}/page-of-the-test`;
  await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(url);
  await page.addScriptTag({ content: script });
  await page.evaluate(async ({ origin, token, id }) => {
    const client = globalThis.teleconsult.createTeleconsultClient({ url: origin, token });
    globalThis.client = client;
    await client.connect();
    const consultation = await client.open(id);
    const spoken: (string | null)[] = [];
    Object.assign(globalThis, { consultation, spoken });
    const seen = new Set<string>();
    consultation.on('call', (call) => {
      if (call === null || seen.has(call.id)) return;
      seen.add(call.id);
      call.on('activeSpeaker', (personId) => spoken.push(personId));
    });
  }, opening);
  return page;
}

const spokenOf = (page: Page): Promise<(string | null)[]> =>
  page.evaluate(() => (globalThis as unknown as { spoken: (string | null)[] }).spoken);

it('[SDK165] who speaks, and that nobody does, is told to both browsers', { timeout: 90_000 }, async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'speech.wav');
  await writeFile(file, speechFile(5, 5));
  const env = { TELECONSULT_MEDIA: 'mediasoup' };
  await using server = await startServerProcess({ dataDir: dir.path, port: await freePort(), env });
  const view = await createConsultation(server.origin, hostToken());
  const people = peopleOf(view);
  const script = await buildSdk();
  await using speaking = await launch(file);
  await using beeping = await launch(null);
  const opening = { origin: server.origin, id: view.consultationId };
  const patient = await open(speaking, script, { ...opening, token: personToken(people.patient) });
  const doctor = await open(beeping, script, { ...opening, token: personToken(people.doctor) });
  await doctor.evaluate(async (id) => {
    const consultation = await globalThis.client.open(id);
    await consultation.accept();
    await consultation.startCall('voice');
  }, view.consultationId);
  await patient.waitForFunction(
    async (id) => (await globalThis.client.open(id)).call !== null,
    view.consultationId,
  );
  await patient.evaluate(async (id) => {
    await (await globalThis.client.open(id)).call?.accept();
  }, view.consultationId);
  // The browser's own microphone beeps for twenty milliseconds twice a second, which is not speech.
  for (const page of [doctor, patient])
    await expect.poll(async () => [...new Set(await spokenOf(page))], SLOW).toEqual([people.patient, null]);
});
