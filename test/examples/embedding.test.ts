import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { EXAMPLES, floatingBecomes, floatingOf, startExample } from './example-page.ts';

/** From now on no connection of this page reaches the server, until the result is called. */
async function holdConnections(page: Page): Promise<() => void> {
  let isHeld = true;
  await page.routeWebSocket(/\/socket\.io\//, (socket) => {
    if (!isHeld) socket.connectToServer();
  });
  await page.route('**/socket.io/**', async (route) => {
    if (isHeld) await route.abort();
    else await route.continue();
  });
  return () => {
    isHeld = false;
  };
}

const press = (name: string) => ({ name, exact: true }) as const;

test.each(EXAMPLES)(
  '[EX2] [EX3] in the example %s a call floats through every route, and a reload goes on with it, muted as before',
  async (example) => {
    await using visit = await startExample(example);
    const { doctor, patient } = visit;
    await doctor.page.getByRole('button', press('Call')).click();
    await patient.page.getByRole('button', press('Answer')).click();
    await Promise.all([doctor.seesAndHears(), patient.seesAndHears()]);
    await doctor.page.getByText('Connected.', { exact: true }).waitFor();
    const { callId } = await floatingBecomes(doctor, 'large', ({ state }) => state === 'expanded');
    expect(callId).not.toBeNull();

    await doctor.page.getByRole('link', press('Records')).click();
    await floatingBecomes(doctor, 'floating', ({ state }) => state === 'page');
    expect(await doctor.page.getByRole('heading', press('Visit')).count()).toBe(0);
    await doctor.page.getByRole('link', press('Notes')).click();
    await doctor.page.getByRole('textbox').fill('No fever since yesterday.');
    await Promise.all([doctor.seesAndHears(), patient.seesAndHears()]);
    expect(await floatingOf(doctor)).toMatchObject({ callId, state: 'page' });

    await doctor.page
      .locator('teleconsult-floating-call')
      .getByRole('button', { name: 'Large view' })
      .click();
    await floatingBecomes(doctor, 'large again', ({ state }) => state === 'expanded');
    await doctor.page.getByRole('heading', press('Visit')).waitFor();
    await doctor.page.getByRole('button', press('Mute')).click();
    await floatingBecomes(patient, 'the doctor is muted', ({ others }) => others[0]?.microphoneOn === false);
    await doctor.page.getByRole('link', press('Notes')).click();
    expect(await doctor.page.getByRole('textbox').inputValue()).toBe('No fever since yesterday.');

    const letThrough = await holdConnections(doctor.page);
    await doctor.page.reload();
    // Before anything has come from the server, this device knows that there is a call to return to.
    await doctor.page.getByText('Returning to your call…').first().waitFor();
    expect(await floatingOf(doctor)).toMatchObject({ callId: null, state: 'page' });
    letThrough();
    const restored = await floatingBecomes(doctor, 'restored', (seen) => seen.callId === callId);
    expect(restored).toMatchObject({ isRestored: true, microphoneOn: false });
    await floatingBecomes(doctor, 'floating after the reload', ({ state }) => state === 'page');
    await doctor.seesAndHears();
    await eventually('the doctor is seen again', async () => {
      const [seen] = (await floatingOf(patient)).others;
      return seen?.state === 'present' && !seen.microphoneOn;
    });
    await floatingBecomes(doctor, 'the camera is on again', ({ cameraOn }) => cameraOn);
    expect((await floatingOf(patient)).callId).toBe(callId);

    await doctor.page.getByRole('link', press('Visit')).click();
    await doctor.page.getByRole('button', press('Hang up')).click();
    await floatingBecomes(patient, 'over', (seen) => seen.callId === null && seen.state === 'none');
    // A refusal of the content security policy would be one.
    expect([doctor.errors, patient.errors]).toEqual([[], []]);
  },
  150_000,
);

test('[EX6] a click puts the call above all windows, and its large view brings the visit back', async () => {
  await using visit = await startExample('react');
  const { doctor, patient } = visit;
  await doctor.page.getByRole('button', press('Call')).click();
  await patient.page.getByRole('button', press('Answer')).click();
  await Promise.all([doctor.seesAndHears(), patient.seesAndHears()]);
  const { callId } = await floatingBecomes(doctor, 'large', ({ state }) => state === 'expanded');

  await doctor.page.getByRole('button', press('Small window')).click();
  await floatingBecomes(doctor, 'a window of its own', ({ state }) => state === 'document');
  await doctor.page.getByRole('heading', press('Records')).waitFor();
  await doctor.page.getByRole('link', press('Notes')).click();
  await doctor.seesAndHears();
  expect(await floatingOf(doctor)).toMatchObject({ callId, state: 'document' });

  await doctor.page.evaluate(() => {
    const { documentPictureInPicture } = window as typeof window & {
      documentPictureInPicture: { readonly window: Window | null };
    };
    const card = documentPictureInPicture.window?.document.body.firstElementChild?.shadowRoot;
    card?.querySelector<HTMLButtonElement>('[data-testid="floating-expand"]')?.click();
  });
  await doctor.page.getByRole('heading', press('Visit')).waitFor();
  await floatingBecomes(doctor, 'large again', ({ state }) => state === 'expanded');
  await doctor.seesAndHears();
  expect((await floatingOf(doctor)).callId).toBe(callId);
  expect([doctor.errors, patient.errors]).toEqual([[], []]);
}, 120_000);
