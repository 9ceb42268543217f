import { isDeepStrictEqual } from 'node:util';
import type { types } from 'mediasoup';
import type { DtlsParameters, IceParameters } from '../rtp.ts';
import { SfuError, type TransportDirection, type TransportOffer } from '../sfu.ts';
import { nativeDtls } from './native.ts';
import { type PathState, pathState } from './path-state.ts';
import { type MediasoupSfuOptions, transportOptions } from './settings.ts';

export interface SeatTransportOptions {
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  readonly settings: MediasoupSfuOptions;
  readonly direction: TransportDirection;
}

/** One of the two transports of a seat. */
export class SeatTransport {
  readonly direction: TransportDirection;
  readonly transport: types.WebRtcTransport;
  #connection: { readonly dtlsParameters: DtlsParameters; readonly done: Promise<void> } | undefined;
  #path: PathState | undefined;

  static async open({
    router,
    webRtcServer,
    settings,
    direction,
  }: SeatTransportOptions): Promise<SeatTransport> {
    const transport = await router.createWebRtcTransport(transportOptions(settings, webRtcServer));
    try {
      if (direction === 'send') await transport.setMaxIncomingBitrate(settings.maxIncomingBitrate);
      return new SeatTransport(transport, direction);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  private constructor(transport: types.WebRtcTransport, direction: TransportDirection) {
    this.transport = transport;
    this.direction = direction;
  }

  /** What the device needs to know. After an ICE restart it holds the new credentials. */
  get offer(): TransportOffer {
    const { id, iceParameters, iceCandidates, dtlsParameters } = this.transport;
    return { transportId: id, iceParameters, iceCandidates, dtlsParameters };
  }

  /** Calls `listener` each time the path has changed, never twice with the same state. */
  onPathChanged(listener: (state: PathState) => void): void {
    const look = () => {
      const path = pathState(this.transport.iceState, this.transport.dtlsState);
      if (path === undefined || path === this.#path) return;
      this.#path = path;
      listener(path);
    };
    this.transport.on('icestatechange', look);
    this.transport.on('dtlsstatechange', look);
  }

  /** A device that asks again, having missed the answer, is answered again; another identity is refused. */
  connect(dtlsParameters: DtlsParameters): Promise<void> {
    if (this.#connection === undefined) {
      const done = this.#connect(dtlsParameters);
      this.#connection = { dtlsParameters, done };
      return done;
    }
    if (isDeepStrictEqual(this.#connection.dtlsParameters, dtlsParameters)) return this.#connection.done;
    return Promise.reject(new SfuError('invalid_parameters'));
  }

  restartIce(): Promise<IceParameters> {
    return this.transport.restartIce();
  }

  close(): void {
    this.transport.close();
  }

  async #connect(dtlsParameters: DtlsParameters): Promise<void> {
    try {
      await this.transport.connect({ dtlsParameters: nativeDtls(dtlsParameters) });
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}
