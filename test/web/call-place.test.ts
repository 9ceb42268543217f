import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { DESK, ofCall, PHONE, type ScenePages, startScenes } from './scene-pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const it = test.skipIf(!existsSync(CHROMIUM));

let scenes: ScenePages;

beforeAll(async () => {
  if (existsSync(CHROMIUM)) scenes = await startScenes();
}, 60_000);

afterAll(async () => scenes?.[Symbol.asyncDispose]());

const selected = (tab: Page): Promise<string | null> =>
  tab.evaluate(() => String(Reflect.get(document.querySelector('tele-app-doctor') ?? {}, 'selectedId')));

const choose = (tab: Page, id: string | undefined) =>
  tab.locator(`[data-testid="consultation-item"][data-consultation="${id}"]`).click();

it('[WEB121] of visits that are chosen quickly the last one is shown, however late the others open', async () => {
  const tab = await scenes.open('doctor', 'thread', DESK);
  const [first, second] = await tab
    .getByTestId('consultation-item')
    .evaluateAll((items) => items.map((item) => item.dataset['consultation']));
  expect(await selected(tab)).toBe(first);
  await tab.evaluate(`(() => {
    const { client } = globalThis.mock;
    const open = client.open.bind(client);
    const held = Promise.withResolvers();
    const opened = Promise.withResolvers();
    globalThis.letOpen = () => (held.resolve(), opened.promise);
    client.open = async (id) => {
      globalThis.isOpening = true;
      await held.promise;
      try { return await open(id); } finally { setTimeout(opened.resolve, 50); }
    };
  })()`);
  await choose(tab, second);
  await eventually('the second to be opening', () => tab.evaluate<boolean>('globalThis.isOpening === true'));
  // Back to what is still on the screen.
  await choose(tab, first);
  await tab.evaluate('globalThis.letOpen()');
  expect(await selected(tab)).toBe(first);
  await choose(tab, second);
  await eventually('the second to be shown', async () => (await selected(tab)) === second);
  await tab.context().close();
}, 60_000);

it('[WEB107] a restored call that was made large stays large when it is taken back from another device', async () => {
  const tab = await scenes.open('patient', 'restored', PHONE);
  await tab.getByTestId('floating-expand').click();
  await tab.getByTestId('call-panel').waitFor();
  await ofCall(tab, `call.goElsewhere('answered_elsewhere')`);
  await tab.getByTestId('call-take-over').click();
  await tab.getByTestId('call-panel').waitFor();
  expect(await tab.getByTestId('floating-hang-up').filter({ visible: true }).count()).toBe(0);
  await tab.context().close();
}, 60_000);

it('[WEB108] a seat that the server took from this device is lost, not elsewhere; one that moved is elsewhere', async () => {
  for (const isRefused of [true, false]) {
    const tab = await scenes.open('patient', 'call-video', PHONE);
    await tab.getByTestId('call-panel').waitFor();
    await ofCall(
      tab,
      `(call.seatOf(call.self, { deviceId: client.deviceId }), call.role = 'elsewhere', call.seatOf(call.self, {}),
        ${isRefused} && call.fails(Object.assign(new Error(), { code: 'RESUME_REFUSED' })), undefined)`,
    );
    await tab
      .locator(`[data-testid="call-state"][data-state="${isRefused ? 'lost' : 'elsewhere'}"]`)
      .waitFor();
    await tab.context().close();
  }
}, 60_000);
