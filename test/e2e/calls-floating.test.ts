import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { childrenOf } from '../helpers/child-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { entries, openVisit, startCallPages, takeUp } from './call-pages.ts';
import { act, arrives, callBecomes, followCalls, isLive } from './page-calls.ts';

/** Collects what the small window says aloud from now on. */
const listen = (person: Person): Promise<void> =>
  person.page.evaluate(() => {
    const root = document
      .querySelector('tele-app-patient, tele-app-doctor')
      ?.shadowRoot?.querySelector('teleconsult-floating-call')?.shadowRoot;
    const spoken: string[] = [];
    Object.assign(globalThis, { spoken });
    if (root === null || root === undefined) throw new Error('there is no small window');
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes)
        if (target instanceof Element && target.hasAttribute('aria-live'))
          for (const { textContent } of addedNodes) spoken.push(textContent ?? '');
    }).observe(root, { childList: true, subtree: true });
  });

const heard = (person: Person): Promise<string[]> => person.page.evaluate('globalThis.spoken');

/** The window above all others, as the doctor's press opened it. */
const ownWindow = ({ page }: Person): Promise<Page> =>
  eventually('the window of its own', () =>
    page
      .context()
      .pages()
      .find((other) => other !== page),
  );

const moves = async (window: Page): Promise<void> => {
  const time = () =>
    window
      .locator('video.picture:visible')
      .evaluateAll((videos) => videos.map((video) => Number(Reflect.get(video, 'currentTime')))[0] ?? -1);
  let before = -1;
  await eventually(
    'the picture to move',
    async () => {
      const now = await time();
      const moved = before >= 0 && now > before;
      before = now;
      return moved;
    },
    { withinMs: 20_000 },
  );
};

test('[FLT33] [WEB122] a call is taken over from the small window and back, and nobody reads of a broken connection', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  const { consultationId: otherId } = await pages.create('bruno', 'doctor');
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  const { callId } = await callBecomes(doctor, 'live', isLive);
  await doctor.page.locator(`[data-testid="consultation-item"][data-consultation="${otherId}"]`).click();
  await takeUp(doctor);
  await doctor.byId('floating-hang-up').waitFor();
  await listen(doctor);

  const tablet = await pages.doctorPage('doctor', id);
  await followCalls(tablet, id);
  await tablet.byId('call-take-over').click();
  await tablet.byId('call-panel').waitFor();
  await arrives(tablet, 'patient', 'camera');
  await arrives(patient, 'doctor', 'microphone');
  await doctor.byId('floating-continue').waitFor();
  expect(await doctor.byId('floating-state').textContent()).toBe('The call is on your other device');

  await doctor.byId('floating-continue').click();
  await doctor.byId('floating-hang-up').waitFor();
  await Promise.all([arrives(patient, 'doctor', 'microphone'), arrives(doctor, 'patient', 'camera')]);
  await tablet.byId('call-elsewhere').waitFor();
  expect(await tablet.byId('call-panel').count()).toBe(0);
  await doctor
    .byId('floating-state')
    .getByText(/^\d\d:\d\d$/)
    .waitFor();
  // The camera was not asked for.
  expect(await doctor.byId('floating-camera').getAttribute('aria-pressed')).toBe('false');
  await eventually('the return to be said', async () => (await heard(doctor)).length >= 3, {
    lastSeen: () => heard(doctor),
  });
  expect(await heard(doctor)).toEqual([
    'The call goes on, on your other device.',
    'Returning to your call…',
    'You are back in your call. Your microphone is on.',
  ]);
  expect((await callBecomes(doctor, 'live', isLive)).callId).toBe(callId);
  await doctor.byId('floating-hang-up').click();
  await entries(patient, 'call.ended').waitFor();
  await tablet.byId('call-elsewhere').waitFor({ state: 'detached' });
  expect([...doctor.errors, ...patient.errors, ...tablet.errors]).toEqual([]);
}, 120_000);

test('[FLT10] [FLT53] [WEB123] in a window of its own a call outlives the media worker and the other page, and the window goes with the call', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await doctor.byId('call-small').click();
  const own = await ownWindow(doctor);
  const state = own.getByTestId('floating-state');
  await state.getByText(/^\d\d:\d\d$/).waitFor();
  await moves(own);
  await doctor.byId('call-panel').waitFor({ state: 'detached' });

  for (const pid of childrenOf(pages.server.pid, 'mediasoup')) process.kill(pid, 'SIGKILL');
  await state.getByText('Your connection broke').waitFor();
  await state.getByText(/^\d\d:\d\d$/).waitFor({ timeout: 20_000 });
  await moves(own);
  await arrives(patient, 'doctor', 'microphone');

  const address = patient.page.url();
  await patient.page.goto('about:blank');
  await state.getByText('Patient is reconnecting – the picture stands still').waitFor();
  expect(await own.locator('canvas.still').isVisible()).toBe(true);
  await patient.page.goto(address);
  await patient.byId('floating-hang-up').waitFor();
  await state.getByText(/^\d\d:\d\d$/).waitFor({ timeout: 20_000 });
  await moves(own);

  await patient.byId('floating-hang-up').click();
  await state.getByText('The call has ended').waitFor();
  await eventually('the window to be closed', () => own.isClosed(), { withinMs: 10_000 });
  expect(await doctor.byId('call-panel').count()).toBe(0);
  expect(await doctor.byId('floating-window').filter({ visible: true }).count()).toBe(0);
  expect(doctor.errors).toEqual([]);
}, 120_000);

test('[FLT36] [WEB124] a floating voice call becomes video, shows a screen where there is no camera, and is left by one of three', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-voice').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'microphone'), arrives(doctor, 'patient', 'microphone')]);
  await doctor.byId('call-small').click();
  const own = await ownWindow(doctor);
  await own.getByTestId('floating-microphone').waitFor();
  expect(await own.getByTestId('floating-camera').isVisible()).toBe(false);
  await patient.byId('call-small').click();
  await patient.byId('floating-hang-up').waitFor();

  await act(patient, 'setMedia', 'video');
  await patient.byId('floating-camera').click();
  await moves(own);
  await act(patient, 'setScreen', true);
  await arrives(doctor, 'patient', 'camera');
  await patient.byId('floating-camera').click();
  await own.locator('video.picture[data-source="screen"]:visible').waitFor();
  await arrives(doctor, 'patient', 'screen');

  await pages.addGuest(id, 'relative', 'relative');
  const relative = await pages.patientPage('relative', id);
  await entries(relative, 'participant.joined').first().waitFor();
  await act(doctor, 'invite', 'relative');
  await relative.byId('call-accept').click();
  await own.getByText('+1').waitFor();
  await own.getByRole('button', { name: 'Leave the call' }).click();
  await own.getByTestId('floating-state').getByText('You are no longer in the call').waitFor();
  await eventually('the window to be closed', () => own.isClosed(), { withinMs: 10_000 });
  await entries(patient, 'call.left').waitFor();
  expect(await entries(patient, 'call.ended').count()).toBe(0);
  await patient.byId('floating-hang-up').click();
  await entries(doctor, 'call.ended').waitFor();
  expect(doctor.errors).toEqual([]);
}, 120_000);

test("[FLT13] [WEB125] in the browser's picture window a call outlives the media worker, and the window goes with the call", async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  // As in a browser without windows of their own.
  await doctor.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'documentPictureInPicture'));
  await doctor.page.reload();
  await doctor.byId('call-video').waitFor();
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  const state = (): Promise<string> =>
    doctor.page.evaluate(() =>
      String(
        Reflect.get(
          document.querySelector('tele-app-doctor')?.shadowRoot?.querySelector('teleconsult-floating-call') ??
            {},
          'state',
        ),
      ),
    );
  const isOpen = (): Promise<boolean> =>
    doctor.page.evaluate(() => document.pictureInPictureElement !== null);
  await doctor.byId('call-small').click();
  await eventually('the picture window', async () => (await state()) === 'video', { lastSeen: state });
  expect(await isOpen()).toBe(true);

  for (const pid of childrenOf(pages.server.pid, 'mediasoup')) process.kill(pid, 'SIGKILL');
  await callBecomes(doctor, 'no tracks', ({ tracks }) => tracks.length === 0);
  await arrives(doctor, 'patient', 'camera');
  expect([await isOpen(), await state()]).toEqual([true, 'video']);
  await patient.byId('call-hangup').click();
  await eventually('the window to be closed', async () => !(await isOpen()), { withinMs: 10_000 });
  await eventually('no window', async () => (await state()) === 'none', { lastSeen: state });
  expect(doctor.errors).toEqual([]);
}, 120_000);
