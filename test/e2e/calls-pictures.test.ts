import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { openVisit, startCallPages } from './call-pages.ts';
import { countNegotiations, negotiations } from './negotiations.ts';
import { act, arrives, callBecomes, followCalls, isLive, received } from './page-calls.ts';

async function inAVideoCall() {
  await using stack = new AsyncDisposableStack();
  const pages = stack.use(await startCallPages());
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await Promise.all([patient, doctor].map((person) => callBecomes(person, 'live', isLive)));
  const owned = stack.move();
  return { patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Two seconds of sound are heard, in which the other beeps at least once, without one frame of a picture. */
async function hearsWithoutSeeing(person: Person, from: string): Promise<void> {
  const now = async () => {
    const [sound, picture] = await Promise.all([
      received(person, from, 'microphone'),
      received(person, from, 'camera'),
    ]);
    return {
      soundMs: sound?.soundMs ?? 0,
      energy: sound?.audioEnergy ?? 0,
      frames: picture?.framesDecoded ?? 0,
    };
  };
  let since = await now();
  await eventually(
    `sound and no picture of ${from}`,
    async () => {
      const seen = await now();
      if (seen.frames !== since.frames) since = seen;
      return seen.soundMs - since.soundMs > 2_000 && seen.energy > since.energy;
    },
    { withinMs: 20_000, lastSeen: () => since },
  );
}

async function switchAudioOnly(person: Person): Promise<void> {
  await person.byId('call-more').click();
  await person.byId('call-audio-only-switch').click();
  await person.byId('dialog-close').click();
}

test('[SDK153] [SFU34] sound alone is chosen: pictures stop both ways, sound goes on, and pictures come back', async () => {
  await using call = await inAVideoCall();
  const { patient, doctor } = call;
  await switchAudioOnly(patient);
  await patient.page.locator('[data-testid="call-audio-only"][data-reason="chosen"]').waitFor();
  await callBecomes(patient, 'sound alone', ({ audioOnly }) => audioOnly);
  await Promise.all([hearsWithoutSeeing(patient, 'doctor'), hearsWithoutSeeing(doctor, 'patient')]);
  await switchAudioOnly(patient);
  await patient.byId('call-audio-only').waitFor({ state: 'detached' });
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await Promise.all([arrives(patient, 'doctor', 'microphone'), arrives(doctor, 'patient', 'microphone')]);
}, 120_000);

test('[SDK171] [SDK173] fifty devices that come and go, and another microphone, lead to no new negotiation', async () => {
  await using call = await inAVideoCall();
  const { patient, doctor } = call;
  await countNegotiations(patient);
  const microphones = await patient.page.evaluate(async () => {
    const listed = new Promise<string[]>((resolve) => {
      window.followedCalls
        ?.at(-1)
        ?.on('devices', (devices) =>
          resolve(devices.filter(({ kind }) => kind === 'microphone').map(({ deviceId }) => deviceId)),
        );
    });
    for (let index = 0; index < 50; index++) navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    return listed;
  });
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await Promise.all([arrives(patient, 'doctor', 'microphone'), arrives(doctor, 'patient', 'microphone')]);

  expect(microphones.length).toBeGreaterThan(1);
  const chosen = microphones.at(-1) ?? '';
  const used = await patient.page.evaluate(async (deviceId) => {
    const held = window.followedCalls?.at(-1);
    await held?.selectDevice({ kind: 'microphone', deviceId });
    return held?.localTracks.microphone?.getSettings().deviceId;
  }, chosen);
  expect(used).toBe(chosen);
  await arrives(doctor, 'patient', 'microphone');
  expect(await negotiations(patient)).toBe(0);

  // What has to be negotiated is counted.
  await act(patient, 'setScreen', true);
  expect(await negotiations(patient)).toBeGreaterThan(0);
}, 120_000);

test('[SDK43] [SDK44] whoever presses microphone and camera on and off in a hurry is sent as the last press says', async () => {
  await using call = await inAVideoCall();
  const { patient, doctor } = call;
  const pressed = (isOnLast: boolean) =>
    patient.page.evaluate(async (last) => {
      const held = window.followedCalls?.at(-1);
      const changes: Promise<unknown>[] = [];
      for (let index = 0; index < 21; index++) {
        const on = (index % 2 === 0) === last;
        changes.push(held?.setMicrophone(on) ?? Promise.resolve(), held?.setCamera(on) ?? Promise.resolve());
        // Now and then one is under way already.
        if (index % 5 === 0) await Promise.race(changes.slice(-2));
      }
      await Promise.allSettled(changes);
    }, isOnLast);
  await pressed(false);
  await callBecomes(doctor, 'everything off', ({ tracks }) => tracks.every(({ paused }) => paused));
  const seatShows = (on: boolean) =>
    doctor.page.evaluate(
      (wanted) =>
        window.followedCalls
          ?.at(-1)
          ?.view.seats.some(
            ({ personId, microphoneOn, cameraOn }) =>
              personId === 'patient' && microphoneOn === wanted && cameraOn === wanted,
          ) === true,
      on,
    );
  await eventually('shown as off', () => seatShows(false));
  await pressed(true);
  await Promise.all([arrives(doctor, 'patient', 'camera'), arrives(doctor, 'patient', 'microphone')]);
  await eventually('shown as on', () => seatShows(true));
}, 120_000);
