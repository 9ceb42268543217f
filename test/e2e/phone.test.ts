/** Masked calls on the whole server: its own process, a carrier on the loopback, telephones with real sound. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileId, RecordingView } from '@teleconsult/protocol';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { pageScript } from '../helpers/page-script.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { BEEP_INTERVAL_MS, ffmpegPath, loudnessAt } from '../helpers/tones.ts';
import {
  AlibabaStandIn,
  KEY_ID,
  KEY_SECRET,
  POOL,
  REPORT_SECRET,
} from '../server/telephony/alibaba/alibaba-stand-in.ts';
import { hears, talkBothWays } from '../server/telephony/embedded/people.ts';
import { levelOf, soundOf, type Telephone } from '../server/telephony/rtp/telephone.ts';
import { FLAGS } from './browser.ts';
import { press, speak, startCarrier } from './carrier.ts';
import type * as sdk from './phone-page.ts';
import { bind, DOCTOR, follow, PATIENT, setNumber, startPhoneVisit, X } from './phone-people.ts';

const DOCTOR_HZ = 1_000;
const PHONE_HZ = 440;
const TALK_MS = 6_000;

interface RelayPage {
  readonly client: sdk.TeleconsultClient;
  readonly consultation: sdk.Consultation;
  readonly records: ReturnType<typeof sdk.openRecords>;
  readonly phone: ReturnType<typeof sdk.openPhone>;
  ear: AnalyserNode | null;
}
declare global {
  var relaySdk: typeof sdk;
  var relayed: RelayPage;
}

/** A browser whose microphone beeps twice a second. */
async function launch(folder: string): Promise<Browser & AsyncDisposable> {
  const path = join(folder, 'beeps.wav');
  const tone = `if(lt(mod(t,${BEEP_INTERVAL_MS / 1_000}),0.1),0.5*sin(2*PI*${DOCTOR_HZ}*t),0)`;
  const { status } = spawnSync(ffmpegPath(), [
    ...['-v', 'error', '-f', 'lavfi', '-i', `aevalsrc='${tone}':s=48000:d=180`],
    ...['-ac', '1', '-c:a', 'pcm_s16le', path],
  ]);
  if (status !== 0) throw new Error('no beeps were made');
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: true,
    args: [...FLAGS, `--use-file-for-fake-audio-capture=${path}`],
  });
}

async function open(browser: Browser, at: { origin: string; id: string; token: string }): Promise<Page> {
  const page = await browser.newPage();
  const url = `${at.origin}/page-of-the-test`;
  await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(url);
  const entry = fileURLToPath(new URL('phone-page.ts', import.meta.url));
  await page.addScriptTag({ content: await pageScript(entry, 'relaySdk') });
  await page.evaluate(async ({ origin, token, id }) => {
    const client = relaySdk.createTeleconsultClient({ url: origin, token });
    await client.connect();
    globalThis.relayed = {
      client,
      consultation: await client.open(id),
      records: relaySdk.openRecords(client, id),
      phone: relaySdk.openPhone(client, id),
      ear: null,
    };
  }, at);
  return page;
}

/** How loud a pitch of somebody is in the page now, in decibels of full scale. */
const loudnessInPage = (page: Page, from: string, hertz: number): Promise<number> =>
  page.evaluate(
    async ({ from: personId, hertz: pitch }) => {
      const remote = relayed.consultation.call?.remoteTracks.find((one) => one.personId === personId);
      if (remote === undefined) return -200;
      if (relayed.ear === null) {
        const context = new AudioContext();
        await context.resume();
        const stream = new MediaStream([remote.track]);
        // A remote track flows into a graph only while an element plays it.
        const player = new Audio();
        player.srcObject = stream;
        player.muted = true;
        await player.play();
        relayed.ear = new AnalyserNode(context, { fftSize: 2_048 });
        context.createMediaStreamSource(stream).connect(relayed.ear);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      const { ear } = relayed;
      const bins = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(bins);
      return bins[Math.round((pitch * ear.fftSize) / ear.context.sampleRate)] ?? -200;
    },
    { from, hertz },
  );

/** The loudest tenth of the last two seconds: a browser’s tones are beeps. */
function beepLevel({ arrived }: Telephone, hertz: number): number {
  const sound = soundOf(arrived.slice(-100));
  let loudest = 0;
  for (let start = 0; start + 400 <= sound.length; start += 200)
    loudest = Math.max(loudest, levelOf(hertz, sound.subarray(start, start + 400)));
  return loudest;
}

const recordings = (page: Page): Promise<readonly RecordingView[]> =>
  page.evaluate(async () => {
    await relayed.records.load();
    return relayed.records.recordings;
  });

async function bytesOf(
  page: Page,
  recording: RecordingView,
  fileId: string,
  origin: string,
): Promise<Buffer> {
  const { url } = await page.evaluate(({ file, of }) => relayed.records.link(file, of, 'download'), {
    file: { fileId: fileId as FileId },
    of: recording,
  });
  const response = await fetch(new URL(url, origin));
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** The doctor’s page and the patient’s telephone hear the other’s tone. */
async function hearEachOther(doctor: Page, patientId: string, phone: Telephone): Promise<void> {
  let last: unknown;
  await eventually(
    'the doctor hears the phone',
    async () => {
      last = await loudnessInPage(doctor, patientId, PHONE_HZ);
      return Number(last) > -60;
    },
    { withinMs: 20_000, lastSeen: () => last },
  );
  await eventually('the phone hears the doctor', () => beepLevel(phone, DOCTOR_HZ) > 0.1, {
    withinMs: 20_000,
    lastSeen: () => beepLevel(phone, DOCTOR_HZ),
  });
}

test('[RLE1] a doctor in a browser and a patient on a telephone hear each other, and both are recorded after the notice', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: { TELECONSULT_MEDIA: 'mediasoup', ...carrier.env },
  });
  const { origin } = server;
  const view = await createConsultation(origin, hostToken(), 'phoned');
  const id = view.consultationId;
  const people = peopleOf(view);
  expect(await setNumber(origin, people.patient, '139 0000 2222')).toBe(204);
  await using patient = await RawClient.connect(origin, personToken(people.patient));
  await patient.request('consultation.enter', { consultationId: id });
  await using browser = await launch(dir.path);
  const doctor = await open(browser, { origin, id, token: personToken(people.doctor) });
  await doctor.evaluate(async (personId) => {
    await relayed.consultation.accept();
    const call = await relayed.consultation.startCall('voice');
    await relayed.phone.join(call.view.callId, personId);
  }, people.patient);

  const ringing = await carrier.rings();
  expect([ringing.requestUri.user, ringing.from.uri.user]).toEqual([PATIENT, X]);
  await using talk = await carrier.answers();
  const voice = speak(talk, PHONE_HZ);
  await using _voice = { [Symbol.asyncDispose]: async () => voice.stop() };
  await hears(talk.phone, 'connecting', { language: 'en' });
  await doctor.waitForFunction(() => relayed.consultation.call?.view.state === 'live');
  const seat = await doctor.evaluate(
    (personId) => relayed.consultation.call?.view.seats.find((one) => one.personId === personId),
    people.patient,
  );
  expect(seat).toMatchObject({ phone: true, state: 'present', microphoneOn: true, cameraOn: false });
  await hearEachOther(doctor, people.patient, talk.phone);

  const from = talk.phone.arrived.length;
  await doctor.evaluate(async () => {
    const { call } = relayed.consultation;
    if (call !== null) await relayed.records.callRecording.start(call);
  });
  await hears(talk.phone, 'consent', { language: 'en', from });
  expect((await recordings(doctor)).flatMap(({ files }) => files)).toEqual([]);
  press(talk, '1');
  await hears(talk.phone, 'consent_given', { language: 'en', from });
  const toldAt = Date.now();
  await eventually('the recording runs', () =>
    doctor.evaluate(() => {
      const recording = relayed.consultation.call?.view.recording ?? null;
      return recording?.phase === 'running' && recording.recorded.length === 2;
    }),
  );
  await doctor.waitForTimeout(TALK_MS);
  await doctor.evaluate(async () => {
    const { call } = relayed.consultation;
    if (call !== null) await relayed.records.callRecording.stop(call);
  });
  const [recording] = await eventually(
    'the files are sealed',
    async () => {
      const all = await recordings(doctor);
      const isDone = all[0]?.state === 'ready' && all[0].files.every(({ durationMs }) => durationMs !== null);
      return isDone ? all : undefined;
    },
    { withinMs: 30_000 },
  );
  if (recording === undefined) throw new Error('no recording');
  for (const [personId, own, other] of [
    [people.doctor, DOCTOR_HZ, PHONE_HZ],
    [people.patient, PHONE_HZ, DOCTOR_HZ],
  ] as const) {
    const [file, ...more] = recording.files.filter((one) => one.personId === personId);
    if (file === undefined) throw new Error('no sound of one of them');
    expect(more).toEqual([]);
    // Nothing of anybody before the person on the phone had heard that it begins.
    expect(file.startedAt).toBeGreaterThan(toldAt - 100);
    expect(file.durationMs ?? 0).toBeGreaterThan(TALK_MS - 2_000);
    const bytes = await bytesOf(doctor, recording, file.fileId, origin);
    expect(loudnessAt(bytes, own) - loudnessAt(bytes, other)).toBeGreaterThan(12);
  }

  await talk.dialog.bye();
  await eventually('the call has ended', () => doctor.evaluate(() => relayed.consultation.call === null));
  const entries = await doctor.evaluate(() => relayed.consultation.entries.map(({ kind }) => kind));
  expect(entries).toEqual(expect.arrayContaining(['call.answered', 'recording.agreed', 'call.ended']));
  expect(server.output()).not.toMatch(/13900002222|17000005555/);
}, 150_000);

test('[RLE2] a masked call ends with its visit: both hear why and are hung up, and the number is nobody’s', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: carrier.env,
  });
  await using visit = await startPhoneVisit(server.origin);
  expect(await bind(visit)).toBe(X);
  await using dialled = await carrier.dial(DOCTOR, X);
  const ringing = await carrier.rings();
  expect([ringing.requestUri.user, ringing.from.uri.user]).toEqual([PATIENT, X]);
  await using callee = await carrier.answers();
  const caller = await dialled.talk();
  await talkBothWays(caller, callee);
  const from = [caller.phone.arrived.length, callee.phone.arrived.length] as const;
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await Promise.all([
    hears(caller.phone, 'visit_ended', { language: 'en', from: from[0] }),
    hears(callee.phone, 'visit_ended', { language: 'en', from: from[1] }),
  ]);
  expect(await caller.ended).toMatchObject({ by: 'them' });
  expect(await callee.ended).toMatchObject({ by: 'them' });
  await visit.patient.fact('entry.added', (entry) => entry.kind === 'phone.unbound');
  const ended = await visit.patient.fact('entry.added', (entry) => entry.kind === 'phone.callEnded');
  expect(ended).toMatchObject({ reason: 'unbound' });
  const { board } = await visit.doctor.request('phone.get', { consultationId: visit.id });
  expect(board.bindings).toMatchObject([
    { state: 'unbound', unboundReason: 'consultation_ended', call: null },
  ]);

  await using again = await carrier.dial(DOCTOR, X);
  const told = await again.talk();
  await hears(told.phone, 'expired', { language: 'en' });
  expect(await told.ended).toMatchObject({ by: 'them' });
  expect(carrier.rung).toHaveLength(1);
  expect(server.output()).not.toMatch(/1380000|1390000|17000005555/);
}, 90_000);

test('[RLE3] [P2] a server that is killed while two talk hangs both up when it is back, and connects them anew', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using stack = new AsyncDisposableStack();
  const options = { dataDir: join(dir.path, 'data'), port: await freePort(), env: carrier.env };
  const first = stack.use(await startServerProcess(options));
  await using visit = await startPhoneVisit(first.origin);
  await bind(visit);
  await using dialled = await carrier.dial(PATIENT, X);
  await using callee = await carrier.answers();
  const caller = await dialled.talk();
  await talkBothWays(caller, callee);
  await first.kill();
  const second = stack.use(await startServerProcess(options));
  expect(await caller.ended).toMatchObject({ by: 'them' });
  expect(await callee.ended).toMatchObject({ by: 'them' });
  const { doctor } = await follow(stack, second.origin, visit);
  const page = () => doctor.request('thread.page', { consultationId: visit.id });
  const lost = await eventually('the thread says so', async () =>
    (await page()).entries.find(({ kind }) => kind === 'phone.callEnded'),
  );
  expect(lost).toMatchObject({ reason: 'lost' });
  await using again = await carrier.dial(PATIENT, X);
  const ringing = await carrier.rings(1);
  expect([ringing.requestUri.user, ringing.from.uri.user]).toEqual([DOCTOR, X]);
  await using _callee = await carrier.answers(1);
  await again.talk();
}, 90_000);

test('[RLE4] a server that is stopped tells whoever is in a call by telephone, and hangs up', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: carrier.env,
  });
  await using visit = await startPhoneVisit(server.origin);
  const { id: consultationId, doctor, people } = visit;
  const { call } = await doctor.request('call.start', { consultationId, media: 'voice' });
  await doctor.request('seat.join', { consultationId, callId: call.callId });
  const personId = people.patient as typeof call.startedBy;
  await doctor.request('phone.join', { consultationId, callId: call.callId, personId });
  await using talk = await carrier.answers();
  await doctor.fact('call.changed', ({ state }) => state === 'live');
  const from = talk.phone.arrived.length;
  const stopped = new Promise((resolve) => server.child.once('exit', resolve));
  server.child.kill('SIGTERM');
  await hears(talk.phone, 'unavailable', { language: 'en', from });
  expect(await talk.ended).toMatchObject({ by: 'them' });
  expect(await stopped).toBe(0);
}, 90_000);

test('[RLE5] [P4] a number that could not be given back is given back by the server that comes after a kill', async () => {
  await using dir = await tempDir();
  await using standIn = new AlibabaStandIn(Date.now);
  await using stack = new AsyncDisposableStack();
  const endpoint = await standIn.listen();
  const options = {
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: {
      TELECONSULT_PHONE_PROVIDER: 'alibaba',
      TELECONSULT_PHONE_NUMBERS: X,
      TELECONSULT_ALIBABA_KEY_ID: KEY_ID,
      TELECONSULT_ALIBABA_KEY_SECRET: KEY_SECRET,
      TELECONSULT_ALIBABA_POOL_KEY: POOL,
      TELECONSULT_ALIBABA_ENDPOINT: endpoint,
      TELECONSULT_ALIBABA_REPORT_SECRET: REPORT_SECRET,
      TELECONSULT_ALIBABA_REPORT_SOURCES: '127.0.0.1',
    },
  };
  const first = stack.use(await startServerProcess(options));
  await using visit = await startPhoneVisit(first.origin);
  expect(await bind(visit)).toBe(X);
  const statuses = () => [...standIn.subscriptions.values()].map(({ status }) => status);
  expect(statuses()).toEqual([1]);
  standIn.isDown = true;
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  const board = async (doctor: typeof visit.doctor) =>
    (await doctor.request('phone.get', { consultationId: visit.id })).board.bindings.map(
      ({ state }) => state,
    );
  await eventually('it is asked for', async () => (await board(visit.doctor))[0] === 'unbinding');
  await first.kill();
  const second = stack.use(await startServerProcess(options));
  expect(statuses()).toEqual([1]);
  standIn.isDown = false;
  await eventually('it is given back', () => statuses()[0] === 0, { withinMs: 40_000, lastSeen: statuses });
  const { doctor } = await follow(stack, second.origin, visit);
  await eventually('and known to be', async () => (await board(doctor))[0] === 'unbound');
}, 120_000);

test('[RLE13] a recorded masked call is in the vault of its visit, after the notice to both, and neither number is', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: { ...carrier.env, TELECONSULT_PHONE_RECORD: 'ask' },
  });
  await using visit = await startPhoneVisit(server.origin);
  const { id: consultationId, doctor } = visit;
  await doctor.request('phone.bind', { consultationId, clientBindingId: 'client-0001', recorded: true });
  await using dialled = await carrier.dial(DOCTOR, X);
  await using callee = await carrier.answers();
  const caller = await dialled.talk();
  await Promise.all([
    hears(caller.phone, 'recorded', { language: 'en' }),
    hears(callee.phone, 'recorded', { language: 'en' }),
  ]);
  const [a, b] = [speak(caller, PHONE_HZ), speak(callee, DOCTOR_HZ)];
  await using _voices = {
    [Symbol.asyncDispose]: async () => {
      a.stop();
      b.stop();
    },
  };
  await eventually('they have talked for two seconds', () => callee.phone.arrived.length > 400, {
    withinMs: 20_000,
    lastSeen: () => callee.phone.arrived.length,
  });
  await caller.dialog.bye();
  const recording = await eventually(
    'the recording is ready',
    async () => {
      const { recordings: all } = await doctor.request('recording.list', { consultationId });
      return all.find(({ purpose, state }) => purpose === 'phone_call' && state === 'ready');
    },
    { withinMs: 20_000 },
  );
  const [file, ...more] = recording.files;
  expect(more).toEqual([]);
  if (file === undefined) throw new Error('no sound');
  const { recordingId } = recording;
  const wish = { consultationId, recordingId, fileId: file.fileId, right: 'download' } as const;
  const { url } = await doctor.request('recording.link', wish);
  const sound = Buffer.from(await (await fetch(new URL(url, server.origin))).arrayBuffer());
  for (const hertz of [PHONE_HZ, DOCTOR_HZ])
    expect(loudnessAt(sound, hertz) - loudnessAt(sound, 2_000)).toBeGreaterThan(12);
  expect(server.output()).not.toMatch(/1380000|1390000|17000005555/);
}, 90_000);

test('[RLE28] a patient who dials X into the doctor’s call hears the browser and is heard in it', async () => {
  await using dir = await tempDir();
  await using carrier = await startCarrier([X]);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: { TELECONSULT_MEDIA: 'mediasoup', ...carrier.env },
  });
  const { origin } = server;
  await using visit = await startPhoneVisit(origin);
  await bind(visit);
  const { id, people } = visit;
  await using browser = await launch(dir.path);
  const doctor = await open(browser, { origin, id, token: personToken(people.doctor) });
  await doctor.evaluate(async () => void (await relayed.consultation.startCall('voice')));
  await using dialled = await carrier.dial(PATIENT, X);
  const talk = await dialled.talk();
  const voice = speak(talk, PHONE_HZ);
  await using _voice = { [Symbol.asyncDispose]: async () => voice.stop() };
  await doctor.waitForFunction(() => relayed.consultation.call?.view.state === 'live');
  await hearEachOther(doctor, people.patient, talk.phone);
  expect(carrier.rung).toEqual([]);
}, 90_000);
