// Whether the media worker that set-up provides can do its one job: carry a browser's sound and pictures. A worker
// built without the correction in media/worker/recipe.mjs passes every smaller check and dies in the first DTLS
// handshake, so nothing less than a real browser will do here.

import { fileURLToPath } from 'node:url';
import { createWorker, type types as mediasoup } from 'mediasoup';
import type { types as ClientTypes } from 'mediasoup-client';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from '../../scripts/setup/chromium.mjs';
import { prepare } from '../../scripts/setup/prepare.mjs';
import { pageScript } from '../helpers/page-script.ts';
import type { Signalling } from './worker-dtls.page.ts';

/** Enough to show that media flows and not only a first packet. */
const ENOUGH = { audioPackets: 20, decodedFrames: 10 };
const MEDIA_WITHIN_MS = 20_000;

const PAGE_URL = 'http://localhost/';
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

const CODECS: mediasoup.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
];

const chromiumPath = findChromium();

test.skipIf(chromiumPath === undefined)(
  'the worker from set-up receives audio and video from a real browser and sends them back',
  async () => {
    const { workerBin } = await prepare();
    await using stack = new AsyncDisposableStack();
    const worker = await createWorker({ workerBin, logLevel: 'warn' });
    stack.defer(() => worker.close());
    const died = new Promise<never>((_, reject) => {
      worker.once('died', (error) => reject(new Error('The worker died.', { cause: error })));
    });

    const browser = await chromium.launch({ executablePath: chromiumPath ?? '', args: CHROMIUM_FLAGS });
    stack.defer(() => browser.close());
    const page = await browser.newPage();
    await page.route(PAGE_URL, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
    );
    const { signalling, transports } = await signallingOf(worker);
    await page.exposeFunction('signal', (method: keyof Signalling, ...args: never[]) =>
      (signalling[method] as (...args: never[]) => unknown)(...args),
    );
    await page.goto(PAGE_URL);
    await page.addScriptTag({
      content: await pageScript(fileURLToPath(new URL('worker-dtls.page.ts', import.meta.url))),
    });

    await Promise.race([died, page.evaluate(() => window.sendAndReceive())]);
    const mediaFlows = expect
      .poll(() => page.evaluate(() => window.received()), { timeout: MEDIA_WITHIN_MS })
      .toSatisfy(
        ({ audioPackets, decodedFrames }: typeof ENOUGH) =>
          audioPackets >= ENOUGH.audioPackets && decodedFrames >= ENOUGH.decodedFrames,
      );
    await Promise.race([died, mediaFlows]);
    expect([...transports.values()].map(({ dtlsState }) => dtlsState)).toEqual(['connected', 'connected']);
  },
  60_000,
);

async function signallingOf(worker: mediasoup.Worker) {
  const router = await worker.createRouter({ mediaCodecs: CODECS });
  const transports = new Map<string, mediasoup.WebRtcTransport>();
  const transport = (id: string) => {
    const found = transports.get(id);
    if (found === undefined) throw new Error(`no transport ${id}`);
    return found;
  };
  const signalling: Signalling = {
    capabilities: async () => router.rtpCapabilities as ClientTypes.RtpCapabilities,
    createTransport: async () => {
      const created = await router.createWebRtcTransport({
        listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
      });
      transports.set(created.id, created);
      const { id, iceParameters, iceCandidates, dtlsParameters } = created;
      return { id, iceParameters, iceCandidates, dtlsParameters } as ClientTypes.TransportOptions;
    },
    connect: async (id, dtlsParameters) => {
      await transport(id).connect({ dtlsParameters });
    },
    produce: async (id, kind, rtpParameters) => {
      const producer = await transport(id).produce({
        kind,
        rtpParameters: rtpParameters as mediasoup.RtpParameters,
      });
      return producer.id;
    },
    consume: async (id, producerId, rtpCapabilities) => {
      const consumer = await transport(id).consume({
        producerId,
        rtpCapabilities: rtpCapabilities as mediasoup.RtpCapabilities,
      });
      const { kind, rtpParameters } = consumer;
      return { id: consumer.id, producerId, kind, rtpParameters: rtpParameters as ClientTypes.RtpParameters };
    },
  };
  return { signalling, transports };
}
