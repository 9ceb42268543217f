import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type FloatingPages, floatingPages, hasChromium } from './pages.ts';
import { beginVideo, inState, run, spoken } from './window.ts';

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

const it = test.skipIf(!hasChromium);

const BY_PHONE = '{ phone: true, deviceId: null, cameraOn: false }';

it('[PSD41] somebody who takes part by telephone is shown as one, in place of a picture, and that is spoken', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, `void call.other(${BY_PHONE})`);
  const box = page.getByTestId('floating-window');
  await box.locator('div.phone svg').waitFor();
  expect(await box.locator('video.picture').isVisible()).toBe(false);
  expect(await page.getByTestId('floating-state').textContent()).toMatch(/^By phone · \d+:\d\d/);
  await eventually('it to be spoken', async () => (await spoken(page)).at(-1) === 'Nora Berg: By phone');
  // Back on a device there are a picture and a clock again.
  await run(page, 'void call.other({ phone: false, deviceId: "device-of-patient", cameraOn: true })');
  await box.locator('video.picture').waitFor();
  expect(await page.getByTestId('floating-state').textContent()).not.toContain('phone');
  await run(page, 'void call.other({ cameraOn: false })');
  await eventually(
    'the letters of the name',
    async () => (await box.locator('.avatar:not(.phone)').textContent()) === 'NB',
  );
});

it('[PSD41] a telephone that rings is no picture of a telephone yet', async () => {
  const { page } = await pages.open();
  await run(page, 'void floating.begin("voice", "caller")');
  await inState(page, 'page');
  await run(page, 'void call.other({ phone: true, deviceId: null })');
  expect(await page.getByTestId('floating-state').textContent()).toBe('Ringing…');
  expect(await page.locator('div.phone').isVisible()).toBe(false);
});

it('[PSD42] who goes on by their own telephone reads and hears so, and can come back to this device', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(
    page,
    'void (call.seatOf("doctor-1", { phone: true, deviceId: null }), call.goElsewhere("answered_elsewhere"), floating.client.becomeActive(null))',
  );
  await page.getByText('The call is on your phone', { exact: true }).waitFor();
  expect((await spoken(page)).at(-1)).toBe('The call is on your phone.');
  await page.getByRole('button', { name: 'Continue here' }).click();
  expect(await run(page, 'call.asked')).toEqual(['accept {"camera":false}']);
});
