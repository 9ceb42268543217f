import type { ConsumerOffer, MediaSource, RequestResult, TransportDirection } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { Device, types as mediasoup } from 'mediasoup-client';
import type { CallOptions, NetworkReport } from './api.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import { consumerOptions, sendParameters, transportOptions } from './media-types.ts';
import { type CheckTracks, openCheckTracks } from './network-check-tracks.ts';
import { type Finding, networkReport } from './network-check-verdict.ts';
import { networkTypeHere } from './quality-monitor.ts';
import { measure, type Reading, readStats } from './quality-stats.ts';
import { type Signalling, toAppError } from './requests.ts';

export interface NetworkCheckParts {
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  /** The client's. */
  readonly life: Lifetime;
  /** Replaces what is sent, for tests. */
  readonly openTracks?: () => CheckTracks;
  /** Replaces how long is measured and how long a path is waited for, for tests. */
  readonly times?: { readonly measureMs: number; readonly pathMs: number };
}

export type NetworkCheckOptions = CallOptions & { readonly onProgress?: (share: number) => void };

type Opened = RequestResult<'check.open'>;

/** ICE over UDP, then TCP, then TURN: the last of them is connected within some seconds, or none is. */
const PATH_MS = 8_000;
/** Long enough for the browser to find the rate that the line carries. */
const MEASURE_MS = 6_000;
/** How often progress is told. */
const STEPS = 12;
/** What was found in the beginning counts for nothing: rates rise from a cautious start. */
const WARM_UP_SHARE = 1 / 3;
/** The share of the whole that finding a path is shown as. */
const PATH_SHARE = 0.2;

const VIDEO: mediasoup.ProducerOptions = {
  encodings: [{ maxBitrate: 1_000_000 }],
  codecOptions: { videoGoogleStartBitrate: 600 },
};
/** Silence is sent like speech: without pauses. */
const AUDIO: mediasoup.ProducerOptions = { codecOptions: { opusDtx: false, opusFec: true } };

/**
 * Sends to the server and gets it back for some seconds. What cannot be reached is part of the answer; rejects with
 * `UNSUPPORTED_BROWSER` without WebRTC, `ABORTED`, or why the server does not check now (`RATE_LIMITED`, …).
 */
export async function checkNetwork(
  parts: NetworkCheckParts,
  { signal, onProgress }: NetworkCheckOptions = {},
): Promise<NetworkReport> {
  throwIfAborted(signal);
  const { device, openTracks = openCheckTracks } = parts;
  const tracks = openTracks();
  const life = parts.life.child();
  try {
    return await life.within(
      device.require().then(() => run({ ...parts, life }, { tracks, onProgress })),
      signal,
    );
  } finally {
    tracks.close();
    // Ends what still waits, and with it the transports; the server is told.
    life.end(new AppError('ABORTED', { detail: 'the check is over' }));
  }
}

async function run(
  parts: NetworkCheckParts,
  { tracks, onProgress }: { tracks: CheckTracks; onProgress: NetworkCheckOptions['onProgress'] },
): Promise<NetworkReport> {
  const { signalling, device, life } = parts;
  onProgress?.(0);
  const opened = await open(parts);
  if (opened === null) return networkReport({ kind: 'no_connection' });
  const { checkId } = opened;
  const close = () => {
    signalling.request('check.close', { checkId }).catch(() => {});
  };
  if (life.over) {
    close();
    throw new AppError('ABORTED');
  }
  life.onEnd(close);
  const loop = new Loop(await life.within(device.load(opened.routerRtpCapabilities)), opened, parts);
  const finding = await loop.find(tracks.tracks, (share) => {
    if (!life.over) onProgress?.(share);
  });
  onProgress?.(1);
  return networkReport(finding);
}

/** Null when the server does not answer. The request is not given up with the check: what it opens has to be closed. */
async function open({ signalling }: NetworkCheckParts): Promise<Opened | null> {
  try {
    return await signalling.request('check.open', {});
  } catch (thrown) {
    const { code } = toAppError(thrown);
    if (code === 'DISCONNECTED' || code === 'TIMEOUT') return null;
    throw thrown;
  }
}

/** Two transports, between which the server loops what is sent. */
class Loop {
  readonly #parts: NetworkCheckParts;
  readonly #opened: Opened;
  readonly #device: Device;
  readonly #transports: Record<TransportDirection, mediasoup.Transport>;
  /** What made measuring impossible. */
  #failed: AppError | null = null;

  constructor(device: Device, opened: Opened, parts: NetworkCheckParts) {
    this.#parts = parts;
    this.#opened = opened;
    this.#device = device;
    const { send, receive, iceServers } = opened;
    this.#transports = {
      send: device.createSendTransport(transportOptions(send, iceServers)),
      receive: device.createRecvTransport(transportOptions(receive, iceServers)),
    };
    this.#connect('send');
    this.#connect('receive');
    this.#transports.send.on('produce', (produced, accept, refuse) => {
      this.#produce(produced).then(accept, refuse);
    });
    parts.life.onEnd(() => {
      this.#transports.send.close();
      this.#transports.receive.close();
    });
  }

  async find(tracks: readonly MediaStreamTrack[], onProgress: (share: number) => void): Promise<Finding> {
    const { life, signalling, times } = this.#parts;
    const { pathMs = PATH_MS, measureMs = MEASURE_MS } = times ?? {};
    try {
      await life.withinTime(this.#flow(tracks), pathMs);
    } catch (thrown) {
      if (life.over) throw thrown;
      const { code } = toAppError(thrown);
      if (!signalling.connected || code === 'DISCONNECTED') return { kind: 'no_connection' };
      if (code === 'TIMEOUT') return { kind: 'media_blocked' };
      throw thrown;
    }
    const readings: Reading[] = [];
    for (let step = 0; step <= STEPS; step += 1) {
      if (step > 0) await life.wait(measureMs / STEPS);
      if (this.#failed !== null) throw this.#failed;
      onProgress(PATH_SHARE + ((1 - PATH_SHARE) * step) / (STEPS + 1));
      readings.push(await this.#read());
    }
    return found(readings);
  }

  /** Resolves when both directions carry. */
  async #flow(tracks: readonly MediaStreamTrack[]): Promise<void> {
    const { life, signalling } = this.#parts;
    for (const track of tracks) {
      const source: MediaSource = track.kind === 'audio' ? 'microphone' : 'camera';
      const settings = track.kind === 'audio' ? AUDIO : VIDEO;
      await life.within(
        this.#transports.send.produce({ ...settings, track, stopTracks: false, appData: { source } }),
      );
    }
    const { checkId } = this.#opened;
    const rtpCapabilities = this.#device.recvRtpCapabilities as Parameters<
      typeof signalling.request<'check.consume'>
    >[1]['rtpCapabilities'];
    const { consumers } = await life.within(
      signalling.request('check.consume', { checkId, rtpCapabilities }),
    );
    await Promise.all(consumers.map((offer: ConsumerOffer) => this.#consume(offer)));
    await Promise.all([this.#connected('send'), this.#connected('receive')]);
  }

  async #consume(offer: ConsumerOffer): Promise<void> {
    await this.#parts.life.within(this.#transports.receive.consume(consumerOptions(offer)));
  }

  async #connected(direction: TransportDirection): Promise<void> {
    const transport = this.#transports[direction];
    while (transport.connectionState !== 'connected') {
      const change = Promise.withResolvers<void>();
      transport.once('connectionstatechange', () => change.resolve());
      await this.#parts.life.within(change.promise);
    }
  }

  #connect(direction: TransportDirection): void {
    const { signalling } = this.#parts;
    const { checkId } = this.#opened;
    this.#transports[direction].on('connect', ({ dtlsParameters }, connected, failed) => {
      signalling.request('check.connectTransport', { checkId, direction, dtlsParameters }).then(
        () => connected(),
        (thrown: unknown) => {
          this.#failed = toAppError(thrown);
          failed(this.#failed);
        },
      );
    });
  }

  async #produce({
    kind,
    rtpParameters,
    appData,
  }: {
    kind: mediasoup.MediaKind;
    rtpParameters: mediasoup.RtpParameters;
    appData: mediasoup.AppData;
  }): Promise<{ id: string }> {
    const { producerId } = await this.#parts.signalling.request('check.produce', {
      checkId: this.#opened.checkId,
      source: appData['source'] as MediaSource,
      kind,
      rtpParameters: sendParameters(rtpParameters),
    });
    return { id: producerId };
  }

  async #read(): Promise<Reading> {
    const { life } = this.#parts;
    const { send, receive } = this.#transports;
    const [sent, received] = await life.within(Promise.all([send.getStats(), receive.getStats()]));
    return readStats({ send: sent, receive: received }, performance.now());
  }
}

/** Delays are the middle one of all, so that one hiccup does not decide; rates are those after the start. */
function found(readings: readonly Reading[]): Finding {
  const warm = readings.slice(Math.floor(readings.length * WARM_UP_SHARE));
  const [first] = warm;
  const last = warm.at(-1);
  const networkType = networkTypeHere();
  if (first === undefined || last === undefined) throw new AppError('INTERNAL');
  return {
    kind: 'measured',
    ...measure(first, last, readings[0]),
    rttMs: median(warm.map(({ rttMs }) => rttMs)),
    jitterMs: median(warm.map(({ jitterMs }) => jitterMs)),
    path: last.path,
    networkType,
  };
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}
