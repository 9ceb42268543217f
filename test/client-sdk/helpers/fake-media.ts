import type { MediaEnvironment } from '@teleconsult/client-sdk';
import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import { FakeHandler, type types as mediasoup, testFakeParameters } from 'mediasoup-client';

type Wanted = Parameters<MediaEnvironment['getUserMedia']>[0];
type Side = 'send' | 'recv';

interface FakeTransport {
  readonly direction: Side;
  readonly handler: FakeHandler;
  readonly sent: mediasoup.HandlerSendOptions[];
  iceRestarts: number;
  isClosed: boolean;
}

/** Microphone, camera and WebRTC that a test commands: what mediasoup-client's `FakeHandler` is to its own tests. */
export class FakeMedia implements MediaEnvironment {
  /** Every question for devices, in order. */
  readonly asked: Wanted[] = [];
  /** Every track given, in order. */
  readonly tracks: FakeMediaStreamTrack[] = [];
  /** Every transport made, in order. */
  readonly transports: FakeTransport[] = [];
  /** Answers the name of the error that a question is refused with; null gives the tracks. */
  refuse: (wanted: Wanted) => string | null | Promise<string | null> = () => null;
  readonly handlerFactory: mediasoup.HandlerFactory;

  constructor() {
    const fake = FakeHandler.createFactory(testFakeParameters);
    this.handlerFactory = {
      ...fake,
      factory: (options) => {
        const handler = fake.factory(options);
        if (!(handler instanceof FakeHandler)) throw new Error('not a fake');
        return this.#watch(options.direction, handler);
      },
    };
  }

  async getUserMedia(wanted: Wanted): Promise<MediaStream> {
    this.asked.push(wanted);
    const refusal = await this.refuse(wanted);
    if (refusal !== null) throw new DOMException('refused', refusal);
    const kinds = [...(wanted.audio === true ? ['audio'] : []), ...(wanted.video === true ? ['video'] : [])];
    const tracks = kinds.map((kind) => new FakeMediaStreamTrack({ kind }));
    this.tracks.push(...tracks);
    return new FakeMediaStream(tracks);
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

  #watch(direction: Side, handler: FakeHandler): FakeHandler {
    const transport: FakeTransport = { direction, handler, sent: [], iceRestarts: 0, isClosed: false };
    this.transports.push(transport);
    const send = handler.send.bind(handler);
    const restartIce = handler.restartIce.bind(handler);
    const close = handler.close.bind(handler);
    handler.send = (options) => {
      transport.sent.push(options);
      return send(options);
    };
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
