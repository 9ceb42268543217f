import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { openVisit, startCallPages } from './call-pages.ts';
import { act, arrives, callBecomes, followCalls, received } from './page-calls.ts';

/** What a person would see in a video now, as one number; null while it shows nothing. */
const picture = (person: Person, testId: string): Promise<number | null> =>
  person
    .byId(testId)
    .first()
    .evaluate((element) => {
      if (!(element instanceof HTMLVideoElement)) throw new Error('this is no video');
      if (element.videoWidth === 0) return null;
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [64, 36];
      const context = canvas.getContext('2d');
      context?.drawImage(element, 0, 0, 64, 36);
      let sum = 7;
      for (const value of context?.getImageData(0, 0, 64, 36).data ?? []) sum = (sum * 31 + value) | 0;
      return sum;
    });

/** The picture is there and moves. */
async function seesMoving(person: Person, testId: string): Promise<void> {
  const first = await eventually(`a picture in ${testId}`, () => picture(person, testId));
  await eventually(`${testId} to move`, async () => (await picture(person, testId)) !== first, {
    withinMs: 20_000,
  });
}

test('[SDK155] [SFU29] a shared screen is seen beside the camera, moves, and is gone when it is stopped', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);

  await doctor.byId('call-screen-share').click();
  await patient.byId('screen-video').waitFor();
  await arrives(patient, 'doctor', 'screen');
  await seesMoving(patient, 'screen-video');
  expect((await received(patient, 'doctor', 'screen'))?.frameWidth).toBeGreaterThan(640);
  await arrives(patient, 'doctor', 'camera');
  await seesMoving(patient, 'remote-video');

  // One screen at a time.
  await patient.byId('call-screen-share').click();
  await patient.page
    .getByText(/one person can share/i)
    .first()
    .waitFor();
  await expect(act(patient, 'setScreen', true)).rejects.toThrow();
  expect(await doctor.byId('screen-video').count()).toBe(0);

  await doctor.byId('call-screen-share').click();
  await patient.byId('screen-video').waitFor({ state: 'detached' });
  await callBecomes(patient, 'no screen', ({ seats }) => seats.every(({ screenOn }) => !screenOn));
  await arrives(patient, 'doctor', 'camera');

  // The way is free for the other.
  await patient.byId('call-screen-share').click();
  await seesMoving(doctor, 'screen-video');
  await patient.byId('call-hangup').click();
  await doctor.byId('call-panel').waitFor({ state: 'detached' });
  expect(await doctor.byId('screen-video').count()).toBe(0);
}, 120_000);
