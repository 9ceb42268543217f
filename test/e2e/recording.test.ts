import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallRecording, FileId, RecordingView } from '@teleconsult/protocol';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { pageScript } from '../helpers/page-script.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { BEEP_INTERVAL_MS, ffmpegPath, heard, loudnessAt, seen } from '../helpers/tones.ts';
import { FLAGS } from './browser.ts';
import type * as sdk from './recorded-page.ts';

/** How long the two talk once everybody has agreed. */
const TALK_MS = 20_000;
const DOCTOR_HZ = 1_000;
const PATIENT_HZ = 400;
/** How much sound a browser puts in a packet. */
const OPUS_PACKET_MS = 20;

interface RecordedPage {
  readonly client: sdk.TeleconsultClient;
  readonly consultation: sdk.Consultation;
  readonly records: ReturnType<typeof sdk.openRecords>;
}
declare global {
  var recordedSdk: typeof sdk;
  var recorded: RecordedPage;
}

/** A browser whose microphone beeps at this pitch, twice a second, for longer than the test: where the file begins anew is a break. */
async function launch(folder: string, hertz: number): Promise<Browser & AsyncDisposable> {
  const path = join(folder, `${hertz}.wav`);
  const { status, stderr } = spawnSync(ffmpegPath(), [
    ...['-v', 'error', '-f', 'lavfi', '-i'],
    `aevalsrc='if(lt(mod(t,${BEEP_INTERVAL_MS / 1_000}),0.1),0.5*sin(2*PI*${hertz}*t),0)':s=48000:d=150`,
    ...['-ac', '1', '-c:a', 'pcm_s16le', path],
  ]);
  if (status !== 0) throw new Error(`no beeps were made: ${stderr.toString()}`);
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: true,
    args: [...FLAGS, `--use-file-for-fake-audio-capture=${path}`],
  });
}

async function open(
  browser: Browser,
  script: string,
  at: { origin: string; id: string; token: string },
): Promise<Page> {
  const page = await browser.newPage();
  const url = `${at.origin}/page-of-the-test`;
  await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(url);
  await page.addScriptTag({ content: script });
  await page.evaluate(async ({ origin, token, id }) => {
    const client = recordedSdk.createTeleconsultClient({ url: origin, token });
    await client.connect();
    const consultation = await client.open(id);
    const records = recordedSdk.openRecords(client, id);
    globalThis.recorded = { client, consultation, records };
  }, at);
  return page;
}

const recordingOf = (page: Page): Promise<CallRecording | null> =>
  page.evaluate(() => recorded.consultation.call?.view.recording ?? null);

const recordings = (page: Page): Promise<readonly RecordingView[]> =>
  page.evaluate(async () => {
    await recorded.records.load();
    return recorded.records.recordings;
  });

async function bytesOf(
  page: Page,
  recording: RecordingView,
  fileId: string,
  origin: string,
): Promise<Buffer> {
  const { url } = await page.evaluate(({ file, of }) => recorded.records.link(file, of, 'download'), {
    file: { fileId: fileId as FileId },
    of: recording,
  });
  const response = await fetch(new URL(url, origin));
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

test('[RECE1] [M4] [M9] two people who agreed are recorded in their browsers, each on a track of their own with every beep', async () => {
  await using dir = await tempDir();
  const env = { TELECONSULT_MEDIA: 'mediasoup' };
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env,
  });
  const { origin } = server;
  const view = await createConsultation(origin, hostToken(), 'recorded');
  const id = view.consultationId;
  const people = peopleOf(view);
  const script = await pageScript(fileURLToPath(new URL('recorded-page.ts', import.meta.url)), 'recordedSdk');
  await using high = await launch(dir.path, DOCTOR_HZ);
  await using low = await launch(dir.path, PATIENT_HZ);
  const patient = await open(low, script, { origin, id, token: personToken(people.patient) });
  const doctor = await open(high, script, { origin, id, token: personToken(people.doctor) });
  await patient.evaluate(() => recorded.consultation.enter().then(() => undefined));
  await doctor.evaluate(async () => {
    await recorded.consultation.accept();
    await recorded.consultation.startCall('video');
  });
  await patient.waitForFunction(() => recorded.consultation.call?.role === 'incoming');
  await patient.evaluate(() => recorded.consultation.call?.accept());
  await doctor.waitForFunction(() => recorded.consultation.call?.view.state === 'live');

  await doctor.evaluate(async () => {
    const { call } = recorded.consultation;
    if (call !== null) await recorded.records.callRecording.start(call);
  });
  await eventually('the patient to be asked', async () => (await recordingOf(patient))?.phase === 'asking');
  // Nothing is recorded before everybody has agreed.
  expect((await recordings(doctor)).flatMap(({ files }) => files)).toEqual([]);
  await patient.evaluate(async () => {
    const { call } = recorded.consultation;
    if (call !== null) await recorded.records.callRecording.answer(call, true);
  });
  for (const page of [doctor, patient])
    await eventually('the recording to run', async () => {
      const recording = await recordingOf(page);
      return recording?.phase === 'running' && recording.recorded.length === 2;
    });
  await doctor.waitForTimeout(TALK_MS);
  await doctor.evaluate(async () => {
    const { call } = recorded.consultation;
    if (call !== null) await recorded.records.callRecording.stop(call);
  });
  const [recording] = await eventually(
    'the files to be sealed and measured',
    async () => {
      const all = await recordings(doctor);
      const isDone = all[0]?.state === 'ready' && all[0].files.every(({ durationMs }) => durationMs !== null);
      return isDone ? all : undefined;
    },
    { withinMs: 30_000 },
  );
  if (recording === undefined) throw new Error('no recording');
  const of = (personId: string, source: string) =>
    recording.files.filter((file) => file.personId === personId && file.source === source);
  const starts: number[] = [];
  for (const [personId, own, other] of [
    [people.doctor, DOCTOR_HZ, PATIENT_HZ],
    [people.patient, PATIENT_HZ, DOCTOR_HZ],
  ] as const) {
    const [sound, ...more] = of(personId, 'microphone');
    if (sound === undefined) throw new Error(`no sound of ${personId}`);
    expect(more).toEqual([]);
    expect(sound).toMatchObject({ state: 'whole', contentType: 'audio/webm;codecs=opus' });
    const bytes = await bytesOf(doctor, recording, sound.fileId, origin);
    const { beeps, durationMs } = await heard(bytes);
    expect(Math.abs(durationMs - (sound.durationMs ?? 0))).toBeLessThan(1_000);
    expect(durationMs).toBeGreaterThan(TALK_MS - 3_000);
    expect(beeps.length).toBeGreaterThanOrEqual(Math.floor((durationMs / BEEP_INTERVAL_MS) * 0.99) - 1);
    // A beep in whose middle the recording began sounds as if it had begun with the file: in its first packet, in which the decoder is still warming up.
    const whole = (beeps[0] ?? 0) <= OPUS_PACKET_MS ? beeps.slice(1) : beeps;
    const offs = whole.slice(1).map((at, index) => Math.abs(at - (whole[index] ?? 0) - BEEP_INTERVAL_MS));
    expect(Math.max(...offs)).toBeLessThanOrEqual(60);
    expect(loudnessAt(bytes, own) - loudnessAt(bytes, other)).toBeGreaterThan(12);
    const [picture] = of(personId, 'camera');
    if (picture === undefined) throw new Error(`no picture of ${personId}`);
    const { pictures } = await seen(await bytesOf(doctor, recording, picture.fileId, origin));
    expect(pictures.length).toBeGreaterThan(TALK_MS / 1_000);
    starts.push(sound.startedAt, picture.startedAt);
  }
  // Sound and pictures of all begin when the last had agreed; pictures wait for a key frame.
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(3_000);
  const entries = await doctor.evaluate(() => recorded.consultation.entries.map(({ kind }) => kind));
  expect(entries.filter((kind) => kind.startsWith('recording.'))).toEqual([
    'recording.asked',
    'recording.agreed',
    'recording.started',
    'recording.stopped',
  ]);
}, 150_000);
