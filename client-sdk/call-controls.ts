import type { CallView, MediaSource, PersonId, QualityLevel, SeatViewMode } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { AwaitedSource, CallEvents, CallOptions, InputDevice, RemoteTrack } from './api.ts';
import { CallRequests } from './call-requests.ts';
import type { CallSeat } from './call-seat.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { PathState } from './media-session.ts';
import type { KeptWish, KeptWishes } from './resume/kept-call.ts';

const NO_TRACKS: CallEvents['localTracks'] = { microphone: null, camera: null, screen: null };
const VIDEO_ON: CallEvents['audioOnly'] = { on: false, reason: null };
const NOBODY: ReadonlyMap<PersonId, QualityLevel> = new Map();

/** What an app sees and does of the media of a call: all of it goes to the seat that this device holds, if it does. */
export abstract class SeatControls extends CallRequests {
  #awaiting: readonly AwaitedSource[] = [];

  protected abstract get seat(): CallSeat | null;
  protected abstract get life(): Lifetime;
  abstract get view(): CallView;
  /** What is to be on may have changed. */
  protected abstract wishesChanged(): void;
  protected abstract awaitingChanged(): void;

  get remoteTracks(): readonly RemoteTrack[] {
    return this.seat?.remoteTracks ?? [];
  }

  get localTracks(): CallEvents['localTracks'] {
    return this.seat?.localTracks ?? NO_TRACKS;
  }

  get path(): PathState {
    return this.seat?.path ?? 'connecting';
  }

  /** True while this device holds the seat and everything wanted is sent in it. */
  get isSettled(): boolean {
    return this.seat?.isSettled ?? false;
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

  get awaiting(): readonly AwaitedSource[] {
    return this.#awaiting;
  }

  async continueSources({ signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    const sources = this.#awaiting;
    if (sources.length === 0) return;
    this.#requireSeat().prefetch(sources);
    const switched = await Promise.allSettled(sources.map((source) => this.#setSource(source, true, signal)));
    for (const outcome of switched) if (outcome.status === 'rejected') throw outcome.reason;
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

  protected get wishes(): KeptWishes {
    const wish = (source: AwaitedSource): KeptWish => {
      // Held back for the network it is shown as off; that is no order, and the next page switches it on again.
      const isHeld = source === 'camera' && this.audioOnly.reason === 'network';
      if (this.seat?.isOn(source) === true) return isHeld ? 'awaiting' : 'on';
      return this.#awaiting.includes(source) ? 'awaiting' : 'off';
    };
    return { microphone: wish('microphone'), camera: wish('camera') };
  }

  protected setAwaiting(sources: readonly AwaitedSource[]): void {
    if (sources.length === this.#awaiting.length) return;
    this.#awaiting = sources;
    this.awaitingChanged();
  }

  protected stopAwaiting(source: MediaSource): void {
    this.setAwaiting(this.#awaiting.filter((awaited) => awaited !== source));
  }

  async #setSource(source: MediaSource, on: boolean, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    const change = this.#requireSeat().setSource(source, on);
    this.stopAwaiting(source);
    // Before anything is waited for: the page may be gone by then.
    this.wishesChanged();
    try {
      await this.life.within(change, signal);
    } finally {
      this.wishesChanged();
    }
  }

  #requireSeat(): CallSeat {
    if (this.seat === null) throw new AppError('WRONG_STATE', { detail: 'not in the call on this device' });
    return this.seat;
  }
}
