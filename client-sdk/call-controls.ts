import type { CallView, MediaSource, PersonId, QualityLevel, SeatViewMode } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { CallEvents, CallOptions, InputDevice, RemoteTrack } from './api.ts';
import type { CallSeat } from './call-seat.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { PathState } from './media-session.ts';

const NO_TRACKS: CallEvents['localTracks'] = { microphone: null, camera: null, screen: null };
const VIDEO_ON: CallEvents['audioOnly'] = { on: false, reason: null };
const NOBODY: ReadonlyMap<PersonId, QualityLevel> = new Map();

/** What an app sees and does of the media of a call: all of it goes to the seat that this device holds, if it does. */
export abstract class SeatControls {
  protected abstract get seat(): CallSeat | null;
  protected abstract get life(): Lifetime;
  abstract get view(): CallView;

  get remoteTracks(): readonly RemoteTrack[] {
    return this.seat?.remoteTracks ?? [];
  }

  get localTracks(): CallEvents['localTracks'] {
    return this.seat?.localTracks ?? NO_TRACKS;
  }

  get path(): PathState {
    return this.seat?.path ?? 'connecting';
  }

  get microphoneOn(): boolean {
    return this.seat?.isOn('microphone') ?? false;
  }

  get cameraOn(): boolean {
    return this.seat?.isOn('camera') ?? false;
  }

  get screenOn(): boolean {
    return this.seat?.isOn('screen') ?? false;
  }

  get peerQuality(): ReadonlyMap<PersonId, QualityLevel> {
    return this.seat?.peerQuality ?? NOBODY;
  }

  get activeSpeaker(): PersonId | null {
    return this.seat?.activeSpeaker ?? null;
  }

  get audioOnly(): CallEvents['audioOnly'] {
    return this.seat?.audioOnly ?? VIDEO_ON;
  }

  setMicrophone(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    return this.#setSource('microphone', on, signal);
  }

  setCamera(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    return this.#setVideo('camera', on, signal);
  }

  setScreen(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    return this.#setVideo('screen', on, signal);
  }

  async setAudioOnly(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    this.#requireSeat().setAudioOnly(on);
  }

  async setView(view: SeatViewMode, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await this.life.within(this.#requireSeat().setView(view), signal);
  }

  async setInterrupted(interrupted: boolean, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await this.life.within(this.#requireSeat().setInterrupted(interrupted), signal);
  }

  async selectDevice(device: Pick<InputDevice, 'kind' | 'deviceId'>): Promise<void> {
    await this.life.within(this.#requireSeat().selectDevice(device));
  }

  async setBackgroundBlur(on: boolean): Promise<void> {
    await this.life.within(this.#requireSeat().setBackgroundBlur(on));
  }

  async stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }> {
    return this.seat?.stats() ?? { send: null, receive: null };
  }

  async #setVideo(source: 'camera' | 'screen', on: boolean, signal: AbortSignal | undefined): Promise<void> {
    if (on && this.view.media === 'voice')
      throw new AppError('WRONG_STATE', { detail: 'this is a voice call' });
    await this.#setSource(source, on, signal);
  }

  async #setSource(source: MediaSource, on: boolean, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    await this.life.within(this.#requireSeat().setSource(source, on), signal);
  }

  #requireSeat(): CallSeat {
    if (this.seat === null) throw new AppError('WRONG_STATE', { detail: 'not in the call on this device' });
    return this.seat;
  }
}
