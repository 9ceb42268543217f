import type { MediaEnvironment } from '@teleconsult/client-sdk';
import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import { FakeHandler, type types as mediasoup, testFakeParameters } from 'mediasoup-client';

type Wanted = Parameters<MediaEnvironment['getUserMedia']>[0];
type Side = 'send' | 'recv';

interface FakeTransport {
  readonly direction: Side;
  readonly handler: FakeHandler;
  /** What the transport was made with. */
  readonly options: mediasoup.HandlerOptions;
  readonly sent: mediasoup.HandlerSendOptions[];
  /** Every track that took the place of another. */
  readonly replaced: (MediaStreamTrack | null)[];
  /** Tracks that are sent no more. */
  readonly stopped: string[];
  /** What its statistics say. */
  stats: Map<string, Readonly<Record<string, unknown>>>;
  iceRestarts: number;
  isClosed: boolean;
}

/** Microphone, camera and WebRTC that a test commands: what mediasoup-client's `FakeHandler` is to its own tests. */
export class FakeMedia implements MediaEnvironment {
  /** Every question for devices, in order: which kinds of track. */
  readonly asked: { readonly audio: boolean; readonly video: boolean }[] = [];
  /** The same questions in full. */
  readonly constraints: Wanted[] = [];
  /** Every question for a screen. */
  readonly screensAsked: unknown[] = [];
  /** What is plugged in. */
  plugged: MediaDeviceInfo[] = [];
  /** What the browser says it would do when a device is asked for. */
  permissions: Record<'microphone' | 'camera', PermissionState> = {
    microphone: 'granted',
    camera: 'granted',
  };
  /** What new tracks can do and are set to. */
  capabilities: MediaTrackCapabilities = {};
  /** Every track given, in order. */
  readonly tracks: FakeMediaStreamTrack[] = [];
  /** Every transport made, in order. */
  readonly transports: FakeTransport[] = [];
  /** Answers the name of the error that a question is refused with; null gives the tracks. */
  refuse: (
    wanted: Pick<Wanted, 'audio' | 'video'> & { screen?: boolean },
  ) => string | null | Promise<string | null> = () => null;
  /** Paths connect as soon as something is sent or received over them. */
  connectsByItself = false;
  readonly handlerFactory: mediasoup.HandlerFactory;
  readonly #deviceListeners = new Set<() => void>();

  constructor() {
    const fake = FakeHandler.createFactory({
      ...testFakeParameters,
      generateNativeRtpCapabilities: nativeCapabilities,
    });
    this.handlerFactory = {
      ...fake,
      factory: (options) => {
        const handler = fake.factory(options);
        if (!(handler instanceof FakeHandler)) throw new Error('not a fake');
        return this.#watch(options, handler);
      },
    };
  }

  async getUserMedia(constraints: Wanted): Promise<MediaStream> {
    const audio = (constraints.audio ?? false) !== false;
    const video = (constraints.video ?? false) !== false;
    this.asked.push({ audio, video });
    this.constraints.push(constraints);
    const refusal = await this.refuse({ audio, video });
    if (refusal !== null) throw new DOMException('refused', refusal);
    return this.#give([...(audio ? ['audio'] : []), ...(video ? ['video'] : [])]);
  }

  async getDisplayMedia(constraints: unknown): Promise<MediaStream> {
    this.screensAsked.push(constraints);
    const refusal = await this.refuse({ screen: true });
    if (refusal !== null) throw new DOMException('refused', refusal);
    return this.#give(['video']);
  }

  async enumerateDevices(): Promise<readonly MediaDeviceInfo[]> {
    return this.plugged;
  }

  async queryPermission(kind: 'microphone' | 'camera'): Promise<PermissionState> {
    return this.permissions[kind];
  }

  onDeviceChange(listener: () => void): () => void {
    this.#deviceListeners.add(listener);
    return () => this.#deviceListeners.delete(listener);
  }

  /** How many listen for devices. */
  get deviceListeners(): number {
    return this.#deviceListeners.size;
  }

  /** Something was plugged in or out. */
  plug(...devices: readonly Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label'>[]): void {
    this.plugged = devices.map((device) => ({ ...device, groupId: '', toJSON: () => device }));
    for (const listener of this.#deviceListeners) listener();
  }

  /** Tracks that still take sound or pictures. */
  get running(): readonly string[] {
    return this.tracks.filter(({ readyState }) => readyState === 'live').map(({ kind }) => kind);
  }

  /** The transports of the newest session. */
  get current(): { readonly send: FakeTransport; readonly receive: FakeTransport } {
    const send = this.transports.findLast(({ direction }) => direction === 'send');
    const receive = this.transports.findLast(({ direction }) => direction === 'recv');
    if (send === undefined || receive === undefined) throw new Error('no transports yet');
    return { send, receive };
  }

  #give(kinds: readonly string[]): MediaStream {
    const { capabilities } = this;
    const tracks = kinds.map((kind) => new FakeMediaStreamTrack({ kind, capabilities }));
    this.tracks.push(...tracks);
    return new FakeMediaStream(tracks);
  }

  #watch(options: mediasoup.HandlerOptions, handler: FakeHandler): FakeHandler {
    const transport: FakeTransport = {
      direction: options.direction,
      handler,
      options,
      sent: [],
      replaced: [],
      stopped: [],
      stats: new Map(),
      iceRestarts: 0,
      isClosed: false,
    };
    this.transports.push(transport);
    const send = handler.send.bind(handler);
    const restartIce = handler.restartIce.bind(handler);
    const close = handler.close.bind(handler);
    const receive = handler.receive.bind(handler);
    const used = () => {
      if (this.connectsByItself) queueMicrotask(() => handler.setConnectionState('connected'));
    };
    handler.send = (options) => {
      transport.sent.push(options);
      used();
      return send(options);
    };
    handler.receive = (options) => {
      used();
      return receive(options);
    };
    const replaceTrack = handler.replaceTrack.bind(handler);
    handler.replaceTrack = (localId, track) => {
      transport.replaced.push(track);
      return replaceTrack(localId, track);
    };
    const stopSending = handler.stopSending.bind(handler);
    handler.stopSending = (localId) => {
      transport.stopped.push(localId);
      return stopSending(localId);
    };
    handler.getTransportStats = async () => transport.stats;
    handler.restartIce = (parameters) => {
      transport.iceRestarts += 1;
      return restartIce(parameters);
    };
    handler.close = () => {
      transport.isClosed = true;
      close();
    };
    return handler;
  }
}

/** What telephones speak, as every browser does, too. */
export const G711: readonly mediasoup.RtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/PCMA', preferredPayloadType: 8, clockRate: 8_000, channels: 1 },
  { kind: 'audio', mimeType: 'audio/PCMU', preferredPayloadType: 0, clockRate: 8_000, channels: 1 },
];

function nativeCapabilities(): mediasoup.RtpCapabilities {
  const native = testFakeParameters.generateNativeRtpCapabilities();
  return { ...native, codecs: [...(native.codecs ?? []), ...structuredClone(G711)] };
}

class FakeMediaStream extends EventTarget implements MediaStream {
  readonly id = 'fake';
  readonly onaddtrack = null;
  readonly onremovetrack = null;
  readonly #tracks: MediaStreamTrack[];

  constructor(tracks: readonly MediaStreamTrack[]) {
    super();
    this.#tracks = [...tracks];
  }

  get active(): boolean {
    return this.#tracks.some(({ readyState }) => readyState === 'live');
  }

  getTracks(): MediaStreamTrack[] {
    return [...this.#tracks];
  }

  getAudioTracks(): MediaStreamTrack[] {
    return this.#tracks.filter(({ kind }) => kind === 'audio');
  }

  getVideoTracks(): MediaStreamTrack[] {
    return this.#tracks.filter(({ kind }) => kind === 'video');
  }

  getTrackById(id: string): MediaStreamTrack | null {
    return this.#tracks.find((track) => track.id === id) ?? null;
  }

  addTrack(track: MediaStreamTrack): void {
    this.#tracks.push(track);
  }

  removeTrack(track: MediaStreamTrack): void {
    this.#tracks.splice(this.#tracks.indexOf(track), 1);
  }

  clone(): MediaStream {
    return new FakeMediaStream(this.#tracks);
  }
}
