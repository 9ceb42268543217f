import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { buildPages, servePages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const consultationId = `cns_${'0'.repeat(22)}`;
const callId = `cal_${'0'.repeat(22)}`;

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB22] in a real browser a pushed ring is shown in the language of the page, goes when the call was answered elsewhere, and becomes a missed call otherwise',
  async () => {
    await using pages = await buildPages('pages');
    await using server = await servePages(pages.folder);
    await using browser = await launchBrowser();
    const context = await browser.newContext({ locale: 'en-GB' });
    await context.grantPermissions(['notifications'], { origin: server.origin });
    const page = await context.newPage();
    await page.goto(`${server.origin}/index.html`);
    const cdp = await context.newCDPSession(page);
    let registrationId = '';
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      registrationId = registrations[0]?.registrationId ?? registrationId;
    });
    await cdp.send('ServiceWorker.enable');
    await page.evaluate(async () => {
      const cache = await caches.open('teleconsult-settings');
      await cache.put('/notice-language', new Response('zh-CN'));
      await navigator.serviceWorker.register('/sw.js');
      await navigator.serviceWorker.ready;
    });
    await eventually('the registration', () => registrationId !== '');

    const push = (payload: object) =>
      cdp.send('ServiceWorker.deliverPushMessage', {
        origin: server.origin,
        registrationId,
        data: JSON.stringify({ v: 1, consultationId, at: 1, ...payload }),
      });
    const titles = () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        return (await registration.getNotifications()).map(({ title }) => title).join();
      });

    // Told by the browser, not asked for: a notice that is being shown is dropped when the list is read meanwhile.
    const shown: string[] = [];
    cdp.on('BackgroundService.backgroundServiceEventReceived', ({ backgroundServiceEvent: event }) => {
      const title = event.eventMetadata.find(({ key }) => key === 'Title')?.value ?? '';
      shown.push(event.eventName === 'Notification displayed' ? title : `${event.eventName}: ${title}`);
    });
    await cdp.send('BackgroundService.startObserving', { service: 'notifications' });
    await cdp.send('BackgroundService.setRecording', { service: 'notifications', shouldRecord: true });

    const ringing = { kind: 'call.ringing', callId, media: 'video', until: Date.now() + 60_000 };
    const isShown = (title: string, count: number) =>
      eventually(`notice ${count}: ${title}`, () => shown.length === count && shown.at(-1) === title, {
        lastSeen: () => shown,
      });
    await push(ringing);
    await isShown('视频来电', 1);
    expect(await titles()).toBe('视频来电');
    await push({ kind: 'call.over', callId, missed: false });
    await isShown('通话已结束', 2);
    await eventually('nothing', async () => (await titles()) === '');
    await push(ringing);
    await isShown('视频来电', 3);
    expect(await titles()).toBe('视频来电');
    await push({ kind: 'call.over', callId, missed: true });
    await isShown('未接来电', 4);
    expect(await titles()).toBe('未接来电');
    expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL ?? '')).toContain(
      '/sw.js',
    );
    await context.close();
  },
  60_000,
);
