import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { openVisit, startCallPages } from './call-pages.ts';
import { act, arrives, callBecomes, followCalls, received } from './page-calls.ts';

/** What a person would see in a video now, as one number; null while it shows nothing. */
const picture = (person: Person, testId: string): Promise<number | null> =>
  person.byId(testId).evaluate((element) => {
    if (!(element instanceof HTMLVideoElement)) throw new Error('this is no video');
    if (element.videoWidth === 0) return null;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext('2d');
    context?.drawImage(element, 0, 0, 64, 36);
    const pixels = context?.getImageData(0, 0, 64, 36).data ?? [];
    return pixels.reduce((sum, value) => (sum * 31 + value) | 0, 7);
  });

test('[SDK155] a screen', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await act(doctor, 'setScreen', true);
  await patient.page.evaluate(async () => {
    const find = () => window.followedCalls?.at(-1)?.remoteTracks.find(({ source }) => source === 'screen');
    while (find() === undefined) await new Promise((r) => setTimeout(r, 20));
    const video = document.createElement('video');
    video.dataset['testid'] = 'remote-screen';
    video.muted = true;
    video.srcObject = new MediaStream([find()!.track]);
    document.body.append(video);
    await video.play();
  });
  await arrives(patient, 'doctor', 'screen');
  console.log(await received(patient, 'doctor', 'screen'));
  const first = await eventually('a picture', () => picture(patient, 'remote-screen'));
  await eventually('it moves', async () => (await picture(patient, 'remote-screen')) !== first);
  await act(doctor, 'setScreen', false);
  await callBecomes(patient, 'no screen', ({ seats }) => seats.every(({ screenOn }) => !screenOn));
  console.log(
    await received(patient, 'doctor', 'screen'),
    (await callBecomes(patient, 'x', () => true)).tracks,
  );
  await arrives(patient, 'doctor', 'camera');
}, 120_000);
