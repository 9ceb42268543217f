import type { RtpCapabilities } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { Device, type types as mediasoup } from 'mediasoup-client';
import type { MediaEnvironment } from './api.ts';
import { ownCapabilities, routerCapabilities } from './media-types.ts';

interface Loaded {
  /** What it was loaded for, as JSON. */
  readonly router: string;
  readonly device: Device;
}

/** Speech: the browser removes echo and noise and levels the loudness. */
const AUDIO_CONSTRAINTS: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
const VIDEO_CONSTRAINTS: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
  facingMode: 'user',
};

/** WebRTC of this environment, and its microphone and camera. One per client: what it learns serves the next call. */
export class MediaDevice {
  readonly #environment: MediaEnvironment | undefined;
  #loaded: Loaded | null = null;

  constructor(environment: MediaEnvironment | undefined) {
    this.#environment = environment;
  }

  /** Rejects with `UNSUPPORTED_BROWSER` where no call can be held. */
  async require(): Promise<void> {
    if (this.#loaded === null) await this.#create();
  }

  /** What this device can receive; null before the first call. */
  get capabilities(): RtpCapabilities | null {
    return this.#loaded === null ? null : ownCapabilities(this.#loaded.device.recvRtpCapabilities);
  }

  /** A device that fits the server's media router: the one from before, unless the router has changed. */
  async load(capabilities: RtpCapabilities): Promise<Device> {
    const router = JSON.stringify(capabilities);
    if (this.#loaded?.router === router) return this.#loaded.device;
    const device = await this.#create();
    await device.load({ routerRtpCapabilities: routerCapabilities(capabilities) });
    this.#loaded = { router, device };
    return device;
  }

  /** Rejects with `PERMISSION_DENIED`, `DEVICE_UNAVAILABLE` or `UNSUPPORTED_BROWSER`. */
  async capture(wanted: { audio: boolean; video: boolean }): Promise<MediaStream> {
    try {
      if (this.#environment !== undefined) return await this.#environment.getUserMedia(wanted);
      return await captureFromBrowser(wanted);
    } catch (error) {
      throw captureError(error);
    }
  }

  async #create(): Promise<Device> {
    try {
      return await Device.factory(handlerOptions(this.#environment?.handlerFactory));
    } catch (cause) {
      throw new AppError('UNSUPPORTED_BROWSER', { cause });
    }
  }
}

/** What a browser throws from `getUserMedia` (W3C Media Capture and Streams §10.2.1), as an error of the catalogue. */
export function captureError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const name = error instanceof Error ? error.name : '';
  const denied = name === 'NotAllowedError' || name === 'SecurityError';
  return new AppError(denied ? 'PERMISSION_DENIED' : 'DEVICE_UNAVAILABLE', { cause: error });
}

async function captureFromBrowser({
  audio,
  video,
}: {
  audio: boolean;
  video: boolean;
}): Promise<MediaStream> {
  // Missing in Node, and in pages that were not loaded over HTTPS.
  const devices: MediaDevices | undefined = globalThis.navigator?.mediaDevices;
  if (devices === undefined) throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no mediaDevices' });
  return devices.getUserMedia({
    audio: audio && AUDIO_CONSTRAINTS,
    video: video && VIDEO_CONSTRAINTS,
  });
}

function handlerOptions(handler: unknown): Parameters<typeof Device.factory>[0] {
  if (handler === undefined) return {};
  if (typeof handler === 'string') return { handlerName: handler as mediasoup.BuiltinHandlerName };
  return { handlerFactory: handler as mediasoup.HandlerFactory };
}
