import type { RtpCapabilities } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { Device, type types as mediasoup } from 'mediasoup-client';
import type { MediaEnvironment } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import { ownCapabilities, routerCapabilities } from './media-types.ts';

interface Loaded {
  /** What it was loaded for, as JSON. */
  readonly router: string;
  readonly device: Device;
}

export interface CaptureWish {
  readonly audio: boolean;
  readonly video: boolean;
  /** Exactly this microphone or camera; left out, the one that the browser takes by default. */
  readonly microphoneId?: string | undefined;
  readonly cameraId?: string | undefined;
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
};
/** Pictures and reports are to be read; 15 frames a second are enough to follow a pointer. No sound is taken. */
const SCREEN_CONSTRAINTS: DisplayMediaStreamOptions = {
  video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } },
  audio: false,
};

/** A browser that does not say for so long whether it would ask is taken to ask. */
const PERMISSION_PATIENCE_MS = 1_000;

/** WebRTC of this environment, and its devices. One per client: what it learns serves the next call. */
export class MediaDevice {
  readonly #environment: MediaEnvironment | undefined;
  #loaded: Loaded | null = null;
  /** For trying out: as in a browser that has forgotten what it was allowed. */
  asksAgain = false;

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
  async capture(wish: CaptureWish): Promise<MediaStream> {
    const constraints = constraintsOf(wish);
    try {
      const source = this.#environment ?? browserDevices();
      // Missing in Node, and in pages that were not loaded over HTTPS.
      if (source === undefined) throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no mediaDevices' });
      return await source.getUserMedia(constraints);
    } catch (error) {
      throw captureError(error);
    }
  }

  /** Whether the person would be asked for the device now; `prompt` where that cannot be known. Never rejects. */
  permission(kind: 'microphone' | 'camera', life: Lifetime): Promise<PermissionState> {
    return life.withinTime(this.#queryPermission(kind), PERMISSION_PATIENCE_MS).catch(() => 'prompt');
  }

  /** Asks the person what to share. Rejects as `capture` does; a dialogue that was closed is `PERMISSION_DENIED`. */
  async captureScreen(): Promise<MediaStream> {
    const source = this.#environment ?? browserDevices();
    // Phones have none.
    if (typeof source?.getDisplayMedia !== 'function')
      throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no getDisplayMedia' });
    try {
      return await source.getDisplayMedia(SCREEN_CONSTRAINTS);
    } catch (error) {
      throw captureError(error);
    }
  }

  /** What is plugged in; nothing where it cannot be known. */
  async enumerate(): Promise<readonly MediaDeviceInfo[]> {
    const source = this.#environment ?? browserDevices();
    return typeof source?.enumerateDevices === 'function' ? source.enumerateDevices() : [];
  }

  /** Calls the listener when something was plugged in or out. Returns how to stop. */
  onDeviceChange(listener: () => void): () => void {
    if (this.#environment !== undefined) return this.#environment.onDeviceChange?.(listener) ?? (() => {});
    const devices = browserDevices();
    if (typeof devices?.addEventListener !== 'function') return () => {};
    devices.addEventListener('devicechange', listener);
    return () => devices.removeEventListener('devicechange', listener);
  }

  async #queryPermission(kind: 'microphone' | 'camera'): Promise<PermissionState> {
    if (this.asksAgain) return 'prompt';
    if (this.#environment === undefined) return (await navigator.permissions.query({ name: kind })).state;
    return (await this.#environment.queryPermission?.(kind)) ?? 'granted';
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

function constraintsOf({ audio, video, microphoneId, cameraId }: CaptureWish): MediaStreamConstraints {
  return {
    audio: audio && { ...AUDIO_CONSTRAINTS, ...exactly(microphoneId) },
    // A camera that was chosen is wanted whichever way it looks.
    video: video && {
      ...VIDEO_CONSTRAINTS,
      ...(cameraId === undefined ? { facingMode: 'user' } : exactly(cameraId)),
    },
  };
}

function exactly(deviceId: string | undefined): MediaTrackConstraints {
  return deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
}

function browserDevices(): MediaDevices | undefined {
  return globalThis.navigator?.mediaDevices;
}

function handlerOptions(handler: unknown): Parameters<typeof Device.factory>[0] {
  if (handler === undefined) return {};
  if (typeof handler === 'string') return { handlerName: handler as mediasoup.BuiltinHandlerName };
  return { handlerFactory: handler as mediasoup.HandlerFactory };
}
