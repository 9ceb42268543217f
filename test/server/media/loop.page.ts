// The browser's half of browser.test.ts: sends sound, a camera in three sizes and a drawn screen to the media server,
// receives them back, and tells what arrived. Bundled into one script by the test.

import type { types } from 'mediasoup-client';
import { Device } from 'mediasoup-client';

type Direction = 'send' | 'receive';
type Source = 'microphone' | 'camera' | 'screen';

/** What the page asks of the test, which holds the seats. */
export interface LoopSignalling {
  open(): Promise<{
    readonly capabilities: types.RtpCapabilities;
    readonly transports: Readonly<Record<Direction, types.TransportOptions>>;
  }>;
  connect(direction: Direction, dtlsParameters: types.DtlsParameters): Promise<void>;
  produce(source: Source, kind: types.MediaKind, rtpParameters: types.RtpParameters): Promise<string>;
  consume(
    capabilities: types.RtpCapabilities,
  ): Promise<readonly (types.ConsumerOptions & { readonly source: Source })[]>;
}

export interface Arrived {
  readonly source: string;
  readonly packets: number;
  readonly frames: number;
  readonly keyFrames: number;
  readonly width: number;
}

declare global {
  interface Window {
    loop<Method extends keyof LoopSignalling>(
      method: Method,
      ...args: Parameters<LoopSignalling[Method]>
    ): ReturnType<LoopSignalling[Method]>;
    begin(sources: readonly Source[]): Promise<void>;
    arrived(): Promise<readonly Arrived[]>;
    /** The kinds of candidates that media uses, at this end. */
    ways(): Promise<readonly string[]>;
  }
}

const consumers: { readonly source: Source; readonly consumer: types.Consumer }[] = [];
const transports: types.Transport[] = [];

const CAMERA_ENCODINGS = [
  { scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

window.begin = async (sources) => {
  const opened = await window.loop('open');
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: opened.capabilities });
  const sending = device.createSendTransport(opened.transports.send);
  const receiving = device.createRecvTransport(opened.transports.receive);
  transports.push(sending, receiving);
  for (const [direction, transport] of [
    ['send', sending],
    ['receive', receiving],
  ] as const)
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      window.loop('connect', direction, dtlsParameters).then(done, fail);
    });
  sending.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
    const source = appData['source'] as Source;
    window.loop('produce', source, kind, rtpParameters).then((id) => done({ id }), fail);
  });
  for (const source of sources) {
    const track = await trackOf(source);
    const encodings = source === 'camera' ? { encodings: CAMERA_ENCODINGS } : {};
    await sending.produce({ track, ...encodings, appData: { source } });
  }
  for (const { source, ...offer } of await window.loop('consume', device.recvRtpCapabilities)) {
    const consumer = await receiving.consume(offer);
    consumers.push({ source, consumer });
    // A track nobody plays is received and not decoded.
    const player = document.createElement(consumer.kind);
    player.srcObject = new MediaStream([consumer.track]);
    void player.play().catch(() => undefined);
  }
};

window.arrived = async () =>
  Promise.all(
    consumers.map(async ({ source, consumer }) => {
      const stats: RTCInboundRtpStreamStats[] = [...(await consumer.getStats()).values()];
      const inbound = stats.find(({ type }) => type === 'inbound-rtp');
      return {
        source,
        packets: inbound?.packetsReceived ?? 0,
        frames: inbound?.framesDecoded ?? 0,
        keyFrames: inbound?.keyFramesDecoded ?? 0,
        width: inbound?.frameWidth ?? 0,
      };
    }),
  );

window.ways = async () => {
  const ways: string[] = [];
  for (const transport of transports) {
    const stats = [...(await transport.getStats()).values()] as Record<string, unknown>[];
    const used = stats.filter(({ type, nominated, state }) => {
      return type === 'candidate-pair' && nominated === true && state === 'succeeded';
    });
    for (const { localCandidateId } of used) {
      const local = stats.find(({ id }) => id === localCandidateId);
      ways.push(String(local?.['candidateType']));
    }
  }
  return ways;
};

async function trackOf(source: Source): Promise<MediaStreamTrack> {
  switch (source) {
    case 'microphone':
      return soundingTone();
    case 'screen':
      return drawnScreen();
    case 'camera': {
      const video = { width: 1280, height: 720, frameRate: 15 };
      const [track] = (await navigator.mediaDevices.getUserMedia({ video })).getTracks();
      if (track === undefined) throw new Error('no camera');
      return track;
    }
  }
}

/** In place of a voice: the browser's own fake microphone beeps once a second, which is no speech. */
function soundingTone(): MediaStreamTrack {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 300 });
  const volume = new GainNode(context, { gain: 0.4 });
  // Syllables: louder and softer four times a second.
  const syllables = new OscillatorNode(context, { frequency: 4 });
  const depth = new GainNode(context, { gain: 0.3 });
  syllables.connect(depth).connect(volume.gain);
  const output = context.createMediaStreamDestination();
  tone.connect(volume).connect(output);
  tone.start();
  syllables.start();
  const [track] = output.stream.getAudioTracks();
  if (track === undefined) throw new Error('no tone');
  return track;
}

/** In place of a shared screen: 1920 × 1080 with a number that counts. */
function drawnScreen(): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = 1920;
  canvas.height = 1080;
  const pen = canvas.getContext('2d');
  let drawn = 0;
  setInterval(() => {
    if (pen === null) return;
    pen.fillStyle = 'white';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = 'black';
    pen.font = '200px sans-serif';
    pen.fillText(String(drawn++), 200, 500);
  }, 200);
  const [track] = canvas.captureStream(5).getVideoTracks();
  if (track === undefined) throw new Error('no drawn screen');
  track.contentHint = 'detail';
  return track;
}
