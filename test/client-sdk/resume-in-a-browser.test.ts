import type { Call, TeleconsultClient } from '@teleconsult/client-sdk';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { buildSdk } from './helpers/sdk-bundle.ts';

declare global {
  var teleconsult: typeof import('@teleconsult/client-sdk');
  var client: TeleconsultClient;
  /** What `restoreCall` answered this page. */
  var restored: Promise<Call | null>;
  /** What the page found of a call; told at moments since the navigation, in milliseconds. */
  var found: { startedAt: number; restoringAt: number | null; restoredAt: number | null; call: Call | null };
}

let bundle = '';

beforeAll(async () => {
  bundle = await buildSdk();
});

/** As an app begins: the SDK, a client, and first of all the call that may be there. */
const pageFor = (url: string, token: string): string => `<!doctype html><title>app</title>
<script src="/sdk.js"></script>
<script>
  const client = teleconsult.createTeleconsultClient(${JSON.stringify({ url, token })});
  globalThis.client = client;
  globalThis.found = { startedAt: performance.now(), restoringAt: null, restoredAt: null, call: null };
  client.on('restoring', (call) => { if (call) found.restoringAt = performance.now(); });
  globalThis.restored = client.restoreCall().then((call) => {
    found.call = call;
    found.restoredAt = performance.now();
    return call;
  });
</script>
<p>The app</p>`;

/** Every page of this person's browser is the app. */
async function serveApp(context: BrowserContext, origin: string, person: string): Promise<void> {
  await context.route('**/app', (route) =>
    route.fulfill({ contentType: 'text/html', body: pageFor(origin, personToken(person)) }),
  );
  await context.route('**/sdk.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: bundle }),
  );
}

async function load(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/app`);
  return page;
}

/** What this page knows of its call, once it is restored. */
const restoredIn = (page: Page) =>
  page.evaluate(async () => {
    const call = await globalThis.restored;
    const [paint] = performance.getEntriesByName('first-paint');
    return (
      call && {
        id: call.id,
        isRestored: call.isRestored,
        microphoneOn: call.microphoneOn,
        cameraOn: call.cameraOn,
        awaiting: call.awaiting,
        startedAt: globalThis.found.startedAt,
        restoringAt: globalThis.found.restoringAt,
        restoredAt: globalThis.found.restoredAt,
        paintedAt: paint?.startTime ?? null,
      }
    );
  });

/** From now on the browser asks before it gives microphone and camera; the stand-in for its question says yes. */
async function askAgain(context: BrowserContext, page: Page, origin: string): Promise<void> {
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const whole = await context.browser()?.newBrowserCDPSession();
  const where = { origin, browserContextId: targetInfo.browserContextId ?? '' };
  for (const name of ['microphone', 'camera'])
    await whole?.send('Browser.setPermission', { permission: { name }, setting: 'prompt', ...where });
}

/** Waits until the other side's tracks of these sources are not muted, and their sender is not either. */
const receives = (page: Page, sources: readonly string[]) =>
  page.waitForFunction((wanted) => {
    const tracks = globalThis.client.activeCall?.remoteTracks ?? [];
    const flowing = tracks.filter(({ track, paused }) => !paused && !track.muted).map(({ source }) => source);
    return (
      wanted.every((source) => flowing.some((one) => one === source)) && flowing.length === wanted.length
    );
  }, sources);

async function inCall(
  work: (here: {
    context: BrowserContext;
    patient: Page;
    doctor: Page;
    origin: string;
    callId: string;
  }) => Promise<void>,
) {
  await using dir = await tempDir();
  await using server = await startServerProcess({
    dataDir: dir.path,
    port: await freePort(),
    env: { TELECONSULT_MEDIA: 'mediasoup' },
  });
  await using browser = await launchBrowser();
  const { origin } = server;
  const response = await fetch(`${origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: 'patient', displayName: 'Patient' },
      doctor: { personId: 'doctor', displayName: 'Doctor' },
    }),
  });
  const { consultationId } = (await response.json()) as { consultationId: string };
  const permissions = ['microphone', 'camera'];
  const [context, other] = await Promise.all([
    browser.newContext({ permissions }),
    browser.newContext({ permissions }),
  ]);
  await serveApp(context, origin, 'patient');
  await serveApp(other, origin, 'doctor');
  const [patient, doctor] = await Promise.all([load(context, origin), load(other, origin)]);
  const callId = await doctor.evaluate(async (id) => {
    const consultation = await globalThis.client.open(id);
    await consultation.accept();
    return (await consultation.startCall('video')).id;
  }, consultationId);
  await patient.evaluate(async (id) => {
    const consultation = await globalThis.client.open(id);
    await consultation.call?.accept();
  }, consultationId);
  await Promise.all([
    receives(patient, ['microphone', 'camera']),
    receives(doctor, ['microphone', 'camera']),
  ]);
  await work({ context, patient, doctor, origin, callId });
}

describe('a call in a browser', { timeout: 120_000 }, () => {
  it('[SDK211] is back after a reload, with what was on, and known before the page is drawn', async () => {
    await inCall(async ({ patient, doctor, callId }) => {
      await patient.evaluate(() => globalThis.client.activeCall?.setMicrophone(false));
      await receives(doctor, ['camera']);
      await patient.reload();
      const restored = await restoredIn(patient);
      expect(restored).toMatchObject({
        id: callId,
        isRestored: true,
        microphoneOn: false,
        cameraOn: true,
        awaiting: [],
      });
      expect(restored?.restoringAt).toBeLessThanOrEqual(restored?.paintedAt ?? 0);
      await Promise.all([receives(patient, ['microphone', 'camera']), receives(doctor, ['camera'])]);
      console.log(`restoring told, first paint, seat joined: ${JSON.stringify(restored)}`);
    });
  });

  it('[SDK211] is back after the page has crashed, in another page of the browser', async () => {
    await inCall(async ({ context, patient, doctor, origin, callId }) => {
      const session = await context.newCDPSession(patient);
      // Never answered: the page is gone.
      session.send('Page.crash').catch(() => {});
      await patient.waitForEvent('crash');
      const page = await load(context, origin);
      expect(await restoredIn(page)).toMatchObject({ id: callId, microphoneOn: true, cameraOn: true });
      const both = ['microphone', 'camera'];
      await Promise.all([receives(page, both), receives(doctor, both)]);
    });
  });

  it('[SDK201] waits for a tap when the browser has forgotten its permission, present and muted', async () => {
    await inCall(async ({ context, patient, doctor, origin, callId }) => {
      const address = patient.url();
      // Taken back while the page is there, a permission ends its tracks, which then are off by themselves.
      await patient.goto('about:blank');
      await askAgain(context, patient, origin);
      await patient.goto(address);
      expect(await restoredIn(patient)).toMatchObject({
        id: callId,
        microphoneOn: false,
        cameraOn: false,
        awaiting: ['microphone', 'camera'],
      });
      await Promise.all([receives(patient, ['microphone', 'camera']), receives(doctor, [])]);
      await patient.reload();
      expect((await restoredIn(patient))?.awaiting).toEqual(['microphone', 'camera']);
      await patient.evaluate(() => globalThis.client.activeCall?.continueSources());
      await receives(doctor, ['microphone', 'camera']);
    });
  });

  it('[SDK199] of two tabs the newer one has it; the older is closed, and its closing takes nothing along', async () => {
    await inCall(async ({ context, patient, doctor, origin, callId }) => {
      const newer = await load(context, origin);
      expect((await restoredIn(newer))?.id).toBe(callId);
      await patient.waitForFunction(() => globalThis.client.connection === 'closed');
      expect(await patient.evaluate(() => globalThis.client.activeCall)).toBeNull();
      await patient.evaluate(() => globalThis.client.close());
      await patient.close();
      await newer.reload();
      expect((await restoredIn(newer))?.id).toBe(callId);
      await receives(doctor, ['microphone', 'camera']);
    });
  });
});
