import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { openVisit, startCallPages } from './call-pages.ts';
import { arrives, followCalls } from './page-calls.ts';

/** How large the other person's video is shown, and how large it comes. */
const video = (person: Person): Promise<{ shown: number; comes: number }> =>
  person
    .byId('remote-video')
    .first()
    .evaluate((element) => {
      if (!(element instanceof HTMLVideoElement)) throw new Error('this is no video');
      const { width, height } = element.getBoundingClientRect();
      return { shown: Math.max(width, height), comes: Math.max(element.videoWidth, element.videoHeight) };
    });

async function comes(person: Person, what: string, isSo: (width: number) => boolean): Promise<void> {
  let seen: unknown;
  await eventually(
    what,
    async () => {
      const now = await video(person);
      seen = now;
      return isSo(now.comes);
    },
    { withinMs: 20_000, lastSeen: () => seen },
  );
}

const LARGE = { width: 1900, height: 1080 };
const SMALL = { width: 360, height: 360 };

test('[SDK150] [SFU31] a tile that becomes small receives a smaller picture, and a larger one when it grows', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.page.setViewportSize(LARGE);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await arrives(doctor, 'patient', 'camera');
  await comes(doctor, 'more than the smallest layer', (width) => width > 320);

  await doctor.page.setViewportSize(SMALL);
  expect((await video(doctor)).shown).toBeLessThanOrEqual(400);
  await comes(doctor, 'the smallest layer', (width) => width === 320);

  await doctor.page.setViewportSize(LARGE);
  await comes(doctor, 'more than the smallest layer', (width) => width > 320);
  await arrives(patient, 'doctor', 'camera');

  // A phone that shows the thread with the call in the small window hears on, and sees it large again afterwards.
  await patient.byId('call-small').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(patient, 'doctor', 'microphone')]);
  await patient.byId('floating-expand').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(patient, 'doctor', 'microphone')]);
}, 120_000);
