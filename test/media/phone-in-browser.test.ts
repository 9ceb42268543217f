/** A telephone and two browsers in one call, with the real server, SDK and worker. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { createMediasoupSfu, type Sfu, type SfuRoom } from '../../media/index.ts';
import { workerBin } from '../contract/sfu.worker-bin.ts';
import { FLAGS } from '../e2e/browser.ts';
import type * as sdk from '../e2e/recorded-page.ts';
import { eventually } from '../helpers/eventually.ts';
import { pageScript } from '../helpers/page-script.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { BEEP_INTERVAL_MS, ffmpegPath } from '../helpers/tones.ts';
import { g711Tone, levelAt } from './phone-tones.ts';
import { silent } from './recording-stage.ts';
import { openRtpPhone, type RtpPhone } from './rtp-phone.ts';

const DOCTOR_HZ = 1_000;
const RELATIVE_HZ = 400;
const PHONE_HZ = 700;
/** Of a tone as loud as can be; the browsers' own processing leaves some of theirs. */
const HEARD = 0.08;
const NOTHING = 0.015;

interface PhonePage {
  readonly client: sdk.TeleconsultClient;
  readonly consultation: sdk.Consultation;
  /** The loudness of a pitch in decibels of full scale, over all tracks that are received. */
  ear: {
    readonly context: AudioContext;
    readonly analyser: AnalyserNode;
    readonly joined: Set<string>;
  } | null;
}
declare global {
  var phoneSdk: typeof sdk;
  var phoned: PhonePage;
}

async function launch(folder: string, hertz: number): Promise<Browser & AsyncDisposable> {
  const path = join(folder, `${hertz}.wav`);
  const tone = `if(lt(mod(t,${BEEP_INTERVAL_MS / 1_000}),0.1),0.5*sin(2*PI*${hertz}*t),0)`;
  const { status } = spawnSync(ffmpegPath(), [
    ...['-v', 'error', '-f', 'lavfi', '-i', `aevalsrc='${tone}':s=48000:d=120`],
    ...['-ac', '1', '-c:a', 'pcm_s16le', path],
  ]);
  if (status !== 0) throw new Error('no beeps were made');
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: true,
    args: [
      ...FLAGS,
      '--autoplay-policy=no-user-gesture-required',
      `--use-file-for-fake-audio-capture=${path}`,
    ],
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
    const client = phoneSdk.createTeleconsultClient({ url: origin, token });
    await client.connect();
    globalThis.phoned = { client, consultation: await client.open(id), ear: null };
  }, at);
  return page;
}

/** How loud the phone's pitch is in a page now, in decibels of full scale, from the one who sits there. */
const loudness = (page: Page, from: string, hertz: number): Promise<number> =>
  page.evaluate(
    async ({ from: personId, hertz: pitch }) => {
      const call = phoned.consultation.call;
      const remote = call?.remoteTracks.find(
        (one) => one.personId === personId && one.source === 'microphone',
      );
      if (remote === undefined) return -200;
      if (phoned.ear === null) {
        const context = new AudioContext();
        phoned.ear = { context, analyser: new AnalyserNode(context, { fftSize: 2_048 }), joined: new Set() };
      }
      const { context, analyser, joined } = phoned.ear;
      await context.resume();
      if (!joined.has(remote.track.id)) {
        joined.add(remote.track.id);
        const stream = new MediaStream([remote.track]);
        // A remote track flows into a graph only while an element plays it.
        const player = new Audio();
        player.srcObject = stream;
        player.muted = true;
        await player.play();
        context.createMediaStreamSource(stream).connect(analyser);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      return bins[Math.round((pitch * analyser.fftSize) / context.sampleRate)] ?? -200;
    },
    { from, hertz },
  );

/** The loudest tenth of the last second: the browsers' tones are beeps. */
function beepLevel(phone: RtpPhone, hertz: number): number {
  const sound = phone.heard(1_000);
  let loudest = 0;
  for (let start = 0; start + 400 <= sound.length; start += 200)
    loudest = Math.max(loudest, levelAt(sound.subarray(start, start + 400), hertz));
  return loudest;
}

/** A real SFU whose rooms the test can reach. */
function watched(real: Sfu, rooms: SfuRoom[]): Sfu {
  return {
    capabilities: real.capabilities,
    async openRoom(listeners) {
      const room = await real.openRoom(listeners);
      rooms.push(room);
      return room;
    },
    health: () => real.health(),
    close: () => real.close(),
  };
}

test('[PHS30] a telephone and two browsers hear each other; who is muted is silent, and the second track goes with the phone', async () => {
  await using dir = await tempDir();
  await using real = {
    sfu: await createMediasoupSfu({
      workerBin: workerBin(),
      workers: 1,
      listenIp: '127.0.0.1',
      firstPort: 0,
      maxIncomingBitrate: 6_000_000,
      initialOutgoingBitrate: 1_000_000,
      logger: silent,
    }),
    async [Symbol.asyncDispose]() {
      await this.sfu.close();
    },
  };
  const rooms: SfuRoom[] = [];
  await using server = await startTestApp({ sfu: watched(real.sfu, rooms) });
  const view = await server.createConsultation('phone');
  const people = peopleOf(view);
  const at = { origin: server.origin, id: view.consultationId };
  const script = await pageScript(
    fileURLToPath(new URL('../e2e/recorded-page.ts', import.meta.url)),
    'phoneSdk',
  );
  await using high = await launch(dir.path, DOCTOR_HZ);
  await using low = await launch(dir.path, RELATIVE_HZ);
  const patient = await open(low, script, { ...at, token: personToken(people.patient) });
  const doctor = await open(high, script, { ...at, token: personToken(people.doctor) });
  await patient.evaluate(() => phoned.consultation.enter().then(() => undefined));
  await doctor.evaluate(async () => {
    await phoned.consultation.accept();
    await phoned.consultation.startCall('voice');
  });
  await patient.waitForFunction(() => phoned.consultation.call?.role === 'incoming');
  await patient.evaluate(() => phoned.consultation.call?.accept());
  await doctor.waitForFunction(() => phoned.consultation.call?.view.state === 'live');
  const [room] = rooms;
  if (room === undefined) throw new Error('no room');
  await eventually('both send', () => room.tracks().length === 2);

  await using phone = await openRtpPhone(room, 'on-the-phone');
  const joinedAt = performance.now();
  phone.play(g711Tone(PHONE_HZ, { seconds: 60, level: 0.3 }));
  const both = () => [DOCTOR_HZ, RELATIVE_HZ].map((hertz) => beepLevel(phone, hertz));
  await eventually('the phone hears both', () => both().every((level) => level > HEARD), {
    withinMs: 15_000,
    lastSeen: both,
  });
  console.log(
    `heard on the phone ${Math.round(performance.now() - joinedAt)} ms after it joined, at ${both()
      .map((level) => level.toFixed(2))
      .join(' and ')}`,
  );
  for (const page of [doctor, patient])
    await eventually(
      'the browser hears the phone',
      async () => (await loudness(page, 'on-the-phone', PHONE_HZ)) > -40,
      {
        withinMs: 15_000,
      },
    );
  expect(await loudness(doctor, 'on-the-phone', 1_900)).toBeLessThan(-60);
  // Both devices send G.711, and none is missed.
  expect(await phone.seat.statistics()).toMatchObject({ voices: 2 });
  expect(phone.events.filter(({ type }) => type === 'unheard')).toEqual([]);
  expect(room.tracks().map(({ source }) => source)).toEqual(['microphone', 'microphone', 'microphone']);

  await doctor.evaluate(() => phoned.consultation.call?.setMicrophone(false));
  await eventually('the doctor is silent on the phone', () => beepLevel(phone, DOCTOR_HZ) < NOTHING, {
    lastSeen: both,
  });
  expect(beepLevel(phone, RELATIVE_HZ)).toBeGreaterThan(HEARD);
  await doctor.evaluate(() => phoned.consultation.call?.setMicrophone(true));
  await eventually('the doctor is heard again', () => beepLevel(phone, DOCTOR_HZ) > HEARD, {
    lastSeen: both,
  });

  await phone.seat.setSourcePaused('microphone', true);
  await eventually(
    'the phone is silent',
    async () => (await loudness(doctor, 'on-the-phone', PHONE_HZ)) < -70,
  );
  await phone.seat.setSourcePaused('microphone', false);
  await eventually(
    'the phone is heard again',
    async () => (await loudness(doctor, 'on-the-phone', PHONE_HZ)) > -40,
  );

  // A worker that dies takes the call's media with it: devices join again, and so does the telephone.
  const [pid = 0] = real.sfu.workerPids;
  process.kill(pid, 'SIGKILL');
  await eventually('the phone is told', () =>
    phone.events.some((event) => event.type === 'ended' && event.reason === 'failed'),
  );
  const next = await eventually('a new room', () => rooms[1]);
  await using again = await openRtpPhone(next, 'on-the-phone');
  again.play(g711Tone(PHONE_HZ, { seconds: 60, level: 0.3 }));
  const bothAgain = () => [DOCTOR_HZ, RELATIVE_HZ].map((hertz) => beepLevel(again, hertz));
  await eventually('the phone hears both again', () => bothAgain().every((level) => level > HEARD), {
    withinMs: 20_000,
    lastSeen: bothAgain,
  });

  const sent = () =>
    doctor.evaluate(async () => {
      const { send } = (await phoned.consultation.call?.stats()) ?? {};
      return [...(send?.values() ?? [])].filter(
        ({ type, kind, active }) => type === 'outbound-rtp' && kind === 'audio' && active !== false,
      ).length;
    });
  expect(await sent()).toBe(2);
  again.seat.close();
  await eventually('the second track is gone', async () => (await sent()) === 1);
  expect(room.closed).toBe(true);
}, 120_000);
