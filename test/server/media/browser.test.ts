/** The media server with a real browser: what only real pictures and sound can show. */
import {
  createMediasoupSfu,
  type MediasoupSfuOptions,
  SEAT_BITRATE,
  type TransportOffer,
} from '@teleconsult/media';
import { DeviceId, type IceServer, PersonId, RtpCapabilities, RtpParameters } from '@teleconsult/protocol';
import { NetworkChecks } from '@teleconsult/server/checks/network-checks';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { TurnCredentials } from '@teleconsult/server/turn/turn-credentials';
import type { types } from 'mediasoup-client';
import { expect, test } from 'vitest';
import { workerBin } from '../../contract/sfu.worker-bin.ts';
import { coturnMissing, startCoturn } from './coturn.ts';
import type { Arrived, LoopSignalling } from './loop.page.ts';
import { browserMissing, openLoopPage } from './loop-browser.ts';

/** The machine may be busy with other things. */
const SLOW = { timeout: 40_000, interval: 100 };
const TEST_MS = 120_000;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

test.skipIf(browserMissing !== null)(
  `[SFU40] layers switch, pictures stop and begin with a key frame, and a voice is heard${because(browserMissing)}`,
  async () => {
    await using sfu = await openSfu();
    const spoken: (string | null)[] = [];
    const room = await sfu.openRoom({ onClosed: () => {}, onSpeaker: (seatId) => spoken.push(seatId) });
    const sender = await room.openSeat({ seatId: 'sender', onEvent: () => {} });
    const receiver = await room.openSeat({ seatId: 'receiver', onEvent: () => {} });
    const ids = new Map<string, string>();
    await using browser = await openLoopPage({
      open: async () => ({
        capabilities: sfu.capabilities as types.RtpCapabilities,
        transports: { send: optionsOf(sender.send), receive: optionsOf(receiver.receive) },
      }),
      connect: (direction, dtls) =>
        (direction === 'send' ? sender : receiver).connectTransport(direction, dtls),
      produce: async (source, kind, rtpParameters) =>
        (
          await sender.produce({
            source,
            kind,
            rtpParameters: RtpParameters.parse(rtpParameters),
            paused: false,
          })
        ).producerId,
      consume: async (capabilities) => {
        const offers = await receiver.setCapabilities(RtpCapabilities.parse(capabilities));
        for (const { consumerId, source } of offers) ids.set(source, consumerId);
        for (const { consumerId } of offers) await receiver.resumeConsumer(consumerId);
        return offers.map(offerOf);
      },
    });
    const { page } = browser;
    await page.evaluate(() => window.begin(['microphone', 'camera', 'screen']));
    const arrived = async (source: string): Promise<Arrived | undefined> =>
      (await page.evaluate(() => window.arrived())).find((one) => one.source === source);
    const id = (source: string): string => ids.get(source) ?? '';

    for (const source of ['camera', 'screen'])
      await expect.poll(async () => (await arrived(source))?.frames, SLOW).toBeGreaterThan(5);
    await expect.poll(() => spoken, SLOW).toContain('sender');
    await expect.poll(async () => (await arrived('screen'))?.width, SLOW).toBe(1920);

    const layer = () => receiver.consumer(id('camera'))?.currentLayer;
    for (const wanted of [0, 1, 0]) {
      await receiver.setPreferredLayer(id('camera'), wanted);
      await expect.poll(layer, SLOW).toBe(wanted);
      await expect.poll(async () => (await arrived('camera'))?.width, SLOW).toBe(wanted === 0 ? 320 : 640);
    }

    await receiver.pauseConsumer(id('camera'));
    let stopped = await arrived('camera');
    // What was on its way still comes: it has stopped when a whole second of the screen brought no camera.
    await expect
      .poll(async () => {
        const before = stopped;
        const screenBefore = (await arrived('screen'))?.frames ?? 0;
        await expect
          .poll(async () => (await arrived('screen'))?.frames, SLOW)
          .toBeGreaterThan(screenBefore + 5);
        stopped = await arrived('camera');
        return (stopped?.packets ?? 0) - (before?.packets ?? 0);
      }, SLOW)
      .toBe(0);
    await receiver.resumeConsumer(id('camera'));
    await expect
      .poll(async () => (await arrived('camera'))?.frames, SLOW)
      .toBeGreaterThan(stopped?.frames ?? 0);
    expect((await arrived('camera'))?.keyFrames).toBeGreaterThan(stopped?.keyFrames ?? 0);
    expect(layer()).toBe(0);
  },
  TEST_MS,
);

const relayMissing = browserMissing ?? coturnMissing;
test.skipIf(relayMissing !== null)(
  `[TURN10] a browser that may only use the relay completes a network check over coturn${because(relayMissing)}`,
  async () => {
    const secret = 'shared';
    // Everything is on this machine here, which the shipped configuration forbids.
    const here = ['allow-loopback-peers', 'allowed-peer-ip=127.0.0.1'];
    await using coturn = await startCoturn({ secret, more: here });
    await using sfu = await openSfu();
    const urls = [`turn:127.0.0.1:${coturn.port}?transport=udp`];
    const turn = new TurnCredentials({ urls, secret, lifetimeMs: 60_000 }, Date.now);
    const checks = new NetworkChecks({ sfu, turn, ids: randomIds, clock: Date.now, log: quiet });
    await using browser = await openLoopPage(signallingOf(checks));
    const { page } = browser;
    await page.evaluate(() => window.begin(['microphone', 'camera']));
    await expect
      .poll(async () => {
        const arrived = await page.evaluate(() => window.arrived());
        return arrived.map(({ packets }) => packets > 10);
      }, SLOW)
      .toEqual([true, true]);
    expect(await page.evaluate(() => window.ways())).toEqual(['relay', 'relay']);
    checks.closeAll();
  },
  TEST_MS,
);

/** The page's requests, as a device's requests for a network check. */
function signallingOf(checks: NetworkChecks): LoopSignalling {
  const device = { personId: PersonId.parse('patient'), deviceId: DeviceId.parse('device-1') };
  let opened: Awaited<ReturnType<NetworkChecks['open']>> | undefined;
  const checkId = () => {
    if (opened === undefined) throw new Error('the check is not open');
    return opened.checkId;
  };
  return {
    open: async () => {
      opened = await checks.open(device);
      const { send, receive, routerRtpCapabilities, iceServers } = opened;
      return {
        capabilities: routerRtpCapabilities as types.RtpCapabilities,
        transports: { send: relayed(send, iceServers), receive: relayed(receive, iceServers) },
      };
    },
    connect: (direction, dtlsParameters) =>
      checks.connectTransport(device, { checkId: checkId(), direction, dtlsParameters }),
    produce: async (source, kind, parameters) => {
      const rtpParameters = RtpParameters.parse(parameters);
      const produced = await checks.produce(device, { checkId: checkId(), source, kind, rtpParameters });
      return produced.producerId;
    },
    consume: async (capabilities) => {
      const rtpCapabilities = RtpCapabilities.parse(capabilities);
      const { consumers } = await checks.consume(device, { checkId: checkId(), rtpCapabilities });
      return consumers.map(offerOf);
    },
  };
}

function openSfu() {
  const settings: MediasoupSfuOptions = {
    workerBin: workerBin(),
    workers: 1,
    listenIp: '127.0.0.1',
    firstPort: 0,
    maxIncomingBitrate: SEAT_BITRATE,
    initialOutgoingBitrate: 1_000_000,
    logger: quiet,
  };
  return createMediasoupSfu(settings).then((sfu) =>
    Object.assign(sfu, { [Symbol.asyncDispose]: () => sfu.close() }),
  );
}

const optionsOf = ({ transportId, ...offer }: TransportOffer): types.TransportOptions =>
  ({ id: transportId, ...offer }) as types.TransportOptions;

const relayed = (offer: TransportOffer, iceServers: readonly IceServer[]): types.TransportOptions =>
  ({ ...optionsOf(offer), iceServers, iceTransportPolicy: 'relay' }) as types.TransportOptions;

type Offer = Awaited<ReturnType<NetworkChecks['consume']>>['consumers'][number];

const offerOf = ({ consumerId, producerId, kind, rtpParameters, source }: Offer) =>
  ({ id: consumerId, producerId, kind, rtpParameters, source }) as types.ConsumerOptions & {
    source: typeof source;
  };

function because(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}
