import type { CallView, MediaSource, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CallEvents } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import type { LocalMedia, SelectableSource } from './local-media.ts';
import type { MediaSession, SeatRef } from './media-session.ts';
import { type Signalling, toAppError } from './requests.ts';

export type Sources = Readonly<Record<MediaSource, boolean>>;

/**
 * Whether video that is wanted is held back: `kept` leaves the camera open, so that it can go on without a question;
 * `stopped` switches it off, light and all.
 */
export type VideoHold = 'none' | 'kept' | 'stopped';

export interface OwnSourcesOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly local: LocalMedia;
  readonly life: Lifetime;
  /** What is to be on. It changes by the person's own wish, when a device fails, or when the server mutes. */
  readonly wanted: Sources;
  /** Null while the seat is being joined. */
  readonly session: () => MediaSession | null;
  /** The person's seat as the server shows it to everybody. */
  readonly shown: () => SeatView | null;
  /** Another seat shares its screen. */
  readonly othersShare: () => boolean;
  readonly onView: (call: CallView) => void;
  readonly onLocalTracks: (tracks: CallEvents['localTracks']) => void;
  readonly onProblem: (error: AppError) => void;
  /** The microphone or camera in use went away, and another took its place or none did. */
  readonly onDeviceLost: () => void;
}

const SOURCES: readonly MediaSource[] = ['microphone', 'camera', 'screen'];
const NO_TRACKS: CallEvents['localTracks'] = { microphone: null, camera: null, screen: null };

/** What this device sends in its seat: what is wanted, what happens, and what the others are told of it. */
export class OwnSources {
  readonly #options: OwnSourcesOptions;
  readonly #wanted: Record<MediaSource, boolean>;
  /** Changes of one source happen one after the other. */
  readonly #changes: Record<MediaSource, Promise<unknown>>;
  readonly #underWay: Record<MediaSource, number> = { microphone: 0, camera: 0, screen: 0 };
  #hold: VideoHold = 'none';
  #tracks: CallEvents['localTracks'] = NO_TRACKS;

  constructor(options: OwnSourcesOptions) {
    this.#options = options;
    this.#wanted = { ...options.wanted };
    this.#changes = {
      microphone: Promise.resolve(),
      camera: Promise.resolve(),
      screen: Promise.resolve(),
    };
    options.local.onLost = (source) => this.#lost(source);
  }

  get tracks(): CallEvents['localTracks'] {
    return this.#tracks;
  }

  /** True while the camera or a screen is sent. */
  get sendsVideo(): boolean {
    return this.#sends('camera') || this.#sends('screen');
  }

  /** True while no change is under way: what is wanted is sent, or has turned out not to be had. */
  get isSettled(): boolean {
    return SOURCES.every((source) => this.#underWay[source] === 0);
  }

  isOn(source: MediaSource): boolean {
    return this.#wanted[source];
  }

  /** Off takes effect before this returns; on, when the promise resolves. Rejects when the device cannot be had. */
  async set(source: MediaSource, on: boolean): Promise<void> {
    if (source === 'screen' && on && !this.#wanted.screen) this.#requireFreeScreen();
    this.#wanted[source] = on;
    if (!on) this.#silence(source);
    await this.#change(source);
  }

  /** A new session sends nothing yet, and the server may show something as on that is not wanted. */
  sendWanted(): void {
    for (const source of SOURCES) {
      if (this.#sends(source) || this.#isShownOn(source)) this.#changeUnasked(source);
    }
  }

  /** Where the server shows something else than what is wanted, or has not heard of a track, it is told. */
  correct(): void {
    const session = this.#options.session();
    for (const source of SOURCES) {
      const isUnsent = this.#sends(source) && session !== null && !session.sends(source);
      if (isUnsent || this.#isShownOn(source) !== this.#sends(source)) this.#changeUnasked(source);
    }
  }

  /**
   * What the server switched off is off: a microphone that the doctor muted, a camera in a call that became voice. It
   * stays off until the person switches it on. News that this device caused itself is no order.
   */
  obey(before: SeatView | null, after: SeatView | null): void {
    if (before === null || after === null) return;
    for (const source of SOURCES) {
      const muted = source === 'microphone' && after.mutedBy !== null && before.mutedBy === null;
      const wentOff = isOn(before, source) && !isOn(after, source) && this.#underWay[source] === 0;
      if (!this.#sends(source) || (!muted && !wentOff)) continue;
      this.#wanted[source] = false;
      this.#silence(source);
      // A change under way may have told the server otherwise.
      if (this.#underWay[source] > 0) this.#changeUnasked(source);
    }
  }

  /** Holds own video back, or lets it go on. What the person wants of each source stays as it is. */
  holdVideo(hold: VideoHold): void {
    if (this.#hold === hold) return;
    this.#hold = hold;
    for (const source of ['camera', 'screen'] as const) {
      if (!this.#wanted[source]) continue;
      if (hold !== 'none') this.#silence(source);
      this.#changeUnasked(source);
    }
  }

  /** Goes on with another device, without a new negotiation. When it cannot be had, the former goes on. */
  select(source: SelectableSource, deviceId: string): Promise<void> {
    return this.#enqueue(source, async () => {
      try {
        const track = await this.#options.local.select(source, deviceId);
        if (track !== null && !this.#sends(source)) track.enabled = false;
      } catch (error) {
        // On a phone the former camera had to be closed for the attempt.
        if (this.#sends(source)) this.#changeUnasked(source);
        throw toAppError(error);
      }
      if (this.#sends(source)) await this.#send(source);
    });
  }

  /** A change that nobody waits for: when it fails, that is a problem of the call. */
  #changeUnasked(source: MediaSource): void {
    this.#change(source).catch((error: unknown) => this.#report(toAppError(error)));
  }

  /** Brings one source to what is wanted of it, after the changes before. */
  #change(source: MediaSource): Promise<void> {
    return this.#enqueue(source, () => this.#bring(source));
  }

  #enqueue(source: MediaSource, work: () => Promise<void>): Promise<void> {
    this.#underWay[source] += 1;
    const change = this.#changes[source].then(work).finally(() => {
      this.#underWay[source] -= 1;
    });
    this.#changes[source] = change.catch(() => {});
    return this.#options.life.within(change);
  }

  async #bring(source: MediaSource): Promise<void> {
    if (!this.#sends(source)) {
      this.#silence(source);
      await this.#tell(source, false);
      return;
    }
    await this.#acquire(source);
    await this.#send(source);
  }

  async #send(source: MediaSource): Promise<void> {
    // Switched off while the browser asked: the change after this one does that.
    if (!this.#sends(source)) return;
    this.#showTracks();
    const session = this.#options.session();
    // When the seat is joined, it sends what is wanted by then.
    if (session === null) return;
    // Told before anything is sent: nobody is to be heard while shown as muted.
    if (session.sends(source) || !this.#isShownOn(source)) await this.#tell(source, true);
    const track = this.#options.local.track(source);
    if (!this.#sends(source) || track === null) return;
    track.enabled = true;
    try {
      await session.send(source, track);
    } catch (error) {
      this.#sendFailed(session, source, error);
    }
    if (!this.#sends(source)) this.#silence(source);
  }

  async #acquire(source: MediaSource): Promise<void> {
    try {
      await this.#options.local.acquire(source);
    } catch (error) {
      this.#wanted[source] = false;
      this.#showTracks();
      if (this.#isShownOn(source)) await this.#tell(source, false);
      throw toAppError(error);
    }
  }

  /** What concerns the connection or the seat is mended by a new session; what concerns the track is a problem of it. */
  #sendFailed(session: MediaSession, source: MediaSource, thrown: unknown): void {
    if (this.#options.life.over || this.#options.session() !== session) return;
    const error = toAppError(thrown);
    // What flows already goes on. After the next connect it is sent again.
    if (error.code === 'DISCONNECTED') return;
    const mendable = error.retryable || error.code === 'NOT_FOUND' || error.code === 'WRONG_STATE';
    if (error.code !== 'INTERNAL' && mendable) {
      session.end(error.code === 'MEDIA_UNAVAILABLE' ? 'media_lost' : 'forgotten');
      return;
    }
    this.#giveUp(source);
    throw error;
  }

  #giveUp(source: MediaSource): void {
    this.#wanted[source] = false;
    this.#silence(source);
  }

  /** At once, whatever else is under way: no sound and no picture leaves this device any more. */
  #silence(source: MediaSource): void {
    const { local } = this.#options;
    const track = local.track(source);
    if (track !== null) track.enabled = false;
    this.#options.session()?.pause(source);
    if (!this.#keepsTrack(source)) local.stop(source);
    this.#showTracks();
  }

  /** A muted microphone stays open. A screen that is held back does, too: it cannot be had again without a question. */
  #keepsTrack(source: MediaSource): boolean {
    if (source === 'microphone') return true;
    if (!this.#wanted[source] || this.#hold === 'none') return false;
    return source === 'screen' || this.#hold === 'kept';
  }

  /**
   * Tells the others. That it could not be told is no failure: what is sent is decided here, and after a reconnect
   * or a join the server is told again. Only the screen is claimed: rejects when somebody else shares theirs.
   */
  async #tell(source: MediaSource, on: boolean): Promise<void> {
    const session = this.#options.session();
    if (session === null) return;
    const { signalling, seat, onView } = this.#options;
    try {
      const { call } = await signalling.request('seat.setSource', { ...seat, source, on });
      onView(call);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!on) return;
      if (source === 'screen' && error.code === 'WRONG_STATE') {
        this.#giveUp(source);
        throw error;
      }
      if (error.code === 'NOT_FOUND' || error.code === 'WRONG_STATE') session.end('forgotten');
    }
  }

  /** An unplugged microphone or camera is replaced by the default one; a screen that is no longer shared is off. */
  #lost(source: MediaSource): void {
    if (source === 'screen') {
      this.#giveUp(source);
      this.#changeUnasked(source);
      return;
    }
    this.#options.local.forgetChoice(source);
    this.#showTracks();
    if (this.#sends(source)) this.#changeUnasked(source);
    this.#options.onDeviceLost();
  }

  #sends(source: MediaSource): boolean {
    return this.#wanted[source] && (source === 'microphone' || this.#hold === 'none');
  }

  #isShownOn(source: MediaSource): boolean {
    const seat = this.#options.shown();
    return seat !== null && isOn(seat, source);
  }

  /** Known before the person is asked what to share; the server decides when two begin at once. */
  #requireFreeScreen(): void {
    if (this.#options.othersShare())
      throw new AppError('WRONG_STATE', { detail: 'another screen is being shared' });
  }

  #showTracks(): void {
    const { local, onLocalTracks } = this.#options;
    const track = (source: MediaSource) => (this.#sends(source) ? local.track(source) : null);
    const tracks = { microphone: track('microphone'), camera: track('camera'), screen: track('screen') };
    if (SOURCES.every((source) => tracks[source] === this.#tracks[source])) return;
    this.#tracks = tracks;
    onLocalTracks(tracks);
  }

  #report(error: AppError): void {
    if (!this.#options.life.over) this.#options.onProblem(error);
  }
}

function isOn(seat: SeatView, source: MediaSource): boolean {
  switch (source) {
    case 'microphone':
      return seat.microphoneOn;
    case 'camera':
      return seat.cameraOn;
    case 'screen':
      return seat.screenOn;
    default:
      return unreachable(source);
  }
}
