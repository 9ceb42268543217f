/** A whole consultation on real parts, step by step, for people to read: see scripts/demo.mjs. */
import { createTeleconsultClient } from '@teleconsult/client-sdk';
import sharp from 'sharp';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { DESK, launchBrowser, Person, PHONE } from './browser.ts';

const WEB_DIR = new URL('../../web/dist/', import.meta.url).pathname;
const ROUND_TRIPS = 50;

const startedAt = performance.now();

/** Runs a step and prints how long it took. */
async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  const at = ((from - startedAt) / 1000).toFixed(1).padStart(5);
  console.log(`${at} s  ${what.padEnd(62)} ${(performance.now() - from).toFixed(0).padStart(6)} ms`);
  return result;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

await using dir = await tempDir();
const env = { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_WEB_DIR: WEB_DIR };
await using server = await step('the server starts (SQLite, sealed storage, media workers)', async () =>
  startServerProcess({ dataDir: dir.path, port: await freePort(), env }),
);
const view = await step('the host application creates a consultation over REST', () =>
  createConsultation(server.origin, hostToken(), 'demo'),
);
const people = peopleOf(view);
const link = (page: string, person: string): string =>
  `${server.origin}/${page}#token=${personToken(person)}&consultation=${view.consultationId}`;
await using browser = await step('Chromium starts', () => launchBrowser());
await using patient = await step(
  'the patient opens the page on a phone and enters the waiting room',
  async () => {
    const person = await Person.open(browser, link('patient', people.patient), PHONE);
    await person.page.locator('[data-testid="entry"][data-kind="consultation.waiting"]').waitFor();
    return person;
  },
);
await using doctor = await step('the doctor opens the page on a desktop', async () => {
  const person = await Person.open(browser, link('doctor', people.doctor), DESK);
  await person.byId('accept').waitFor();
  return person;
});
await step('the doctor begins the consultation; the patient sees it', async () => {
  await doctor.byId('accept').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
});

const say = (from: Person, to: Person, text: string) => async (): Promise<void> => {
  await from.byId('text-input').fill(text);
  await from.byId('send').click();
  await to.page.getByText(text).first().waitFor();
};
await step(
  'the patient writes; the doctor reads it',
  say(patient, doctor, 'I have had a cough for three days.'),
);
await step('the doctor answers; the patient reads it', say(doctor, patient, '请把舌头的照片发给我。'));
await step('the patient sends a picture; the doctor sees its thumbnail', async () => {
  const buffer = await sharp({ create: { width: 1600, height: 1200, channels: 3, background: '#b04050' } })
    .jpeg()
    .toBuffer();
  await patient.byId('picture-input').setInputFiles({ name: 'tongue.jpg', mimeType: 'image/jpeg', buffer });
  await patient.byId('send').click();
  await doctor.byId('picture-thumb').waitFor();
});
await step('the patient records and sends a voice message (1 s of it is speech)', async () => {
  await patient.byId('voice-record').click();
  await patient.byId('voice-send').waitFor();
  await patient.byId('voice-time').getByText('0:01').waitFor();
  await patient.byId('voice-send').click();
  await doctor.byId('voice-play').first().waitFor();
});

await step('the doctor calls; the patient’s phone rings', async () => {
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').waitFor();
});
const answeredAt = performance.now();
await patient.byId('call-accept').click();
const firstFrame = async (person: Person): Promise<number> => {
  await eventually('a decoded frame', async () => (await person.media()).framesDecoded > 0);
  return performance.now() - answeredAt;
};
const [atPatient, atDoctor] = await step('the patient answers; both see the first frame', () =>
  Promise.all([firstFrame(patient), firstFrame(doctor)]),
);
const [patientMedia, doctorMedia] = await step('both see and hear each other', () =>
  Promise.all([patient.seesAndHears(), doctor.seesAndHears()]),
);
await patient.screenshot('demo-patient');
await doctor.screenshot('demo-doctor');
await step('the doctor hangs up; the patient is told', async () => {
  await doctor.byId('call-hangup').click();
  await patient.page.locator('[data-testid="entry"][data-kind="call.ended"]').waitFor();
});

const sdk = (person: string) =>
  createTeleconsultClient({ url: server.origin, token: personToken(person), deviceId: `demo-sdk-${person}` });
const acks: number[] = [];
const deliveries: number[] = [];
await step(`${ROUND_TRIPS} messages between two SDK clients in Node`, async () => {
  const [from, to] = [sdk(people.patient), sdk(people.doctor)];
  await Promise.all([from.connect(), to.connect()]);
  const [sender, reader] = await Promise.all([from.open(view.consultationId), to.open(view.consultationId)]);
  for (let index = 0; index < ROUND_TRIPS; index++) {
    const text = `round trip ${index}`;
    const sentAt = performance.now();
    const delivered = new Promise<void>((resolve) => {
      const off = reader.on('entries', (entries) => {
        const arrived = entries.some(
          (entry) =>
            entry.kind === 'message.sent' && entry.content.type === 'text' && entry.content.text === text,
        );
        if (!arrived) return;
        deliveries.push(performance.now() - sentAt);
        off();
        resolve();
      });
    });
    await sender.send({ type: 'text', text });
    acks.push(performance.now() - sentAt);
    await delivered;
  }
  await Promise.all([from.close(), to.close()]);
});
await step('the doctor ends the consultation; the patient is told', async () => {
  await doctor.byId('end').click();
  await doctor.byId('end-confirm').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.ended"]').waitFor();
});

const ms = (value: number): string => `${value.toFixed(1)} ms`;
console.log(`
answer → first decoded frame   patient ${ms(atPatient)}, doctor ${ms(atDoctor)}
decoded frames so far          patient ${patientMedia.framesDecoded}, doctor ${doctorMedia.framesDecoded}
sound energy received          patient ${patientMedia.audioEnergy.toPrecision(2)}, doctor ${doctorMedia.audioEnergy.toPrecision(2)}
message, send → durable ack    median ${ms(median(acks))} (each waits for one sync of the disk)
message, send → other client   median ${ms(median(deliveries))}
whole demonstration            ${((performance.now() - startedAt) / 1000).toFixed(1)} s
screenshots                    test-artifacts/demo-patient.png, test-artifacts/demo-doctor.png`);
