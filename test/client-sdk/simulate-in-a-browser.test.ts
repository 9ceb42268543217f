/** Every failure that an app can try out, in Chromium, against the whole server with its media workers. */
import type { SimulatedFailure, TeleconsultClient } from '@teleconsult/client-sdk';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { buildSdk } from './helpers/sdk-bundle.ts';

declare global {
  var teleconsult: typeof import('@teleconsult/client-sdk');
  var client: TeleconsultClient;
}

let bundle = '';

beforeAll(async () => {
  bundle = await buildSdk();
});

/** A page of this person's browser with a connected client in it. */
async function load(browser: Browser, origin: string, person: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['microphone', 'camera'] });
  await context.route('**/app', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/sdk.js"></script>' }),
  );
  await context.route('**/sdk.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: bundle }),
  );
  const page = await context.newPage();
  await page.goto(`${origin}/app`);
  await page.evaluate(
    async ({ url, token }) => {
      globalThis.client = globalThis.teleconsult.createTeleconsultClient({ url, token });
      await globalThis.client.connect();
    },
    { url: origin, token: personToken(person) },
  );
  return page;
}

/** Packets that this page has received over its present transports. */
const received = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const { receive } = (await globalThis.client.activeCall?.stats()) ?? { receive: null };
    let packets = 0;
    receive?.forEach((entry: { type: string; packetsReceived?: number }) => {
      if (entry.type === 'inbound-rtp') packets += entry.packetsReceived ?? 0;
    });
    return packets;
  });

/** Sound and pictures arrive at this page now. */
async function flows(page: Page): Promise<void> {
  let before = await received(page);
  await eventually('packets to arrive', async () => {
    const now = await received(page);
    const grew = now > before + 5;
    before = Math.min(before, now);
    return grew;
  });
}

const stateOf = (page: Page) =>
  page.evaluate(() => {
    const { activeCall, connection } = globalThis.client;
    return {
      connection,
      id: activeCall?.id,
      path: activeCall?.path,
      on: [activeCall?.microphoneOn, activeCall?.cameraOn],
      isRestored: activeCall?.isRestored,
    };
  });

/** How long it took until all was as before, in milliseconds. */
const simulate = (page: Page, failure: SimulatedFailure): Promise<number> =>
  page.evaluate(async (what) => {
    const startedAt = performance.now();
    const over = globalThis.client.simulate(what);
    if (what === 'gesture-needed') {
      // The person taps as soon as they are asked.
      const tap = (): void => {
        const { activeCall } = globalThis.client;
        if (activeCall?.awaiting.length === 2 && activeCall.path === 'connected')
          void activeCall.continueSources();
        else setTimeout(tap, 20);
      };
      tap();
    }
    await over;
    return performance.now() - startedAt;
  }, failure);

/** No longer than this may each take, in milliseconds; what is measured is far below on a machine that is not busy. */
const LIMITS: Readonly<Record<SimulatedFailure, number>> = {
  'signal-loss': 3_000,
  'media-loss': 3_000,
  'media-rebuild': 5_000,
  'network-loss': 6_000,
  'server-restart': 6_000,
  'node-move': 5_000,
  reload: 5_000,
  'gesture-needed': 8_000,
  interruption: 5_000,
};

describe('failures tried out in a browser', () => {
  it('[SDK239] after each of them media flows again in both directions, in the same call, with what was on', {
    timeout: 180_000,
  }, async () => {
    await using dir = await tempDir();
    await using server = await startServerProcess({
      dataDir: dir.path,
      port: await freePort(),
      env: { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_MEDIA_WORKERS: '1' },
    });
    const { origin } = server;
    const view = await createConsultation(origin, hostToken(), 'simulate');
    const people = peopleOf(view);
    await using browser = await launchBrowser();
    const patient = await load(browser, origin, people.patient);
    const doctor = await load(browser, origin, people.doctor);
    await patient.evaluate(async (id) => {
      const consultation = await globalThis.client.open(id);
      await consultation.enter();
      consultation.on('call', (call) => {
        if (call?.role === 'incoming' && call.view.state === 'ringing') void call.accept();
      });
    }, view.consultationId);
    await doctor.evaluate(async (id) => {
      const consultation = await globalThis.client.open(id);
      await consultation.accept();
      await consultation.startCall('video');
    }, view.consultationId);
    const whole = { connection: 'connected', path: 'connected', on: [true, true] };
    for (const page of [patient, doctor]) await flows(page);
    const before = await stateOf(patient);
    expect(before).toMatchObject({ ...whole, isRestored: false });

    const took: Record<string, number> = {};
    for (const failure of Object.keys(LIMITS) as SimulatedFailure[]) {
      took[failure] = await simulate(patient, failure);
      const after = await stateOf(patient);
      expect({ failure, ...after }).toMatchObject({ failure, ...whole, id: before.id });
      for (const page of [patient, doctor]) await flows(page);
      if (failure === 'reload') expect(after.isRestored).toBe(true);
    }
    console.log(
      Object.entries(took)
        .map(([failure, ms]) => `${failure} ${ms.toFixed(0)} ms`)
        .join(', '),
    );
    for (const [failure, limitMs] of Object.entries(LIMITS))
      expect({ failure, ms: took[failure] }).toEqual({
        failure,
        ms: expect.toSatisfy((ms: number) => ms <= limitMs),
      });
    // One seat each, and nobody was told that the call ended.
    const seats = await doctor.evaluate(() =>
      globalThis.client.activeCall?.view.seats.map(({ state }) => state),
    );
    expect(seats).toEqual(['present', 'present']);
  });
});
