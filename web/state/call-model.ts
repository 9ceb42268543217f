import type { Call } from '@teleconsult/client-sdk/api';
import type { CallView, MediaSource, PersonId, SeatView } from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import { Changes } from './changes.ts';
import { WakeLock } from './wake-lock.ts';

/** What a person should read about the call right now. */
export type CallStatus =
  | 'ringing'
  | 'connecting'
  | 'live'
  | 'reconnecting'
  | 'otherReconnecting'
  | 'elsewhere'
  | 'ended';

interface CallModelOptions {
  readonly call: Call;
  readonly self: PersonId;
  /** `source` is the device that the problem is about, where it is about one. */
  readonly onProblem: (error: AppError, source: MediaSource | null) => void;
}

/**
 * One call as the elements show it. It subscribes in its constructor, so nothing that happens before the first
 * rendering is missed, and it is the only holder of subscriptions to the call.
 */
export class CallModel {
  readonly call: Call;
  readonly self: PersonId;
  readonly changes = new Changes();
  /** The call became video while this person's camera was off, and they have not answered the offer yet. */
  cameraOffered = false;
  /** The browser wants a tap before it plays the other side's sound. */
  soundBlocked = false;
  /** Set by the element that plays the sound. Call it inside a click. */
  playSound: (() => void) | null = null;

  #view: CallView;
  #wasConnected: boolean;
  /** Devices whose refusal was told already. */
  readonly #refused = new Set<MediaSource>();
  /** When this device saw the call become live, by its own clock: free of the server clock's difference. */
  #liveSince: number | null = null;
  #sawStart: boolean;
  readonly #wakeLock = new WakeLock();
  readonly #stops: readonly (() => void)[];

  constructor({ call, self, onProblem }: CallModelOptions) {
    this.call = call;
    this.self = self;
    this.#view = call.view;
    this.#wasConnected = call.path === 'connected';
    this.#sawStart = call.view.state !== 'live';
    this.#noticeLive();
    this.#stops = [
      call.on('changed', (view) => this.#become(view)),
      call.on('remoteTracks', () => this.changes.announce()),
      call.on('localTracks', ({ microphone, camera }) => {
        if (microphone !== null) this.#refused.delete('microphone');
        if (camera !== null) {
          this.#refused.delete('camera');
          this.cameraOffered = false;
        }
        this.changes.announce();
      }),
      call.on('path', ({ state }) => {
        this.#wasConnected ||= state === 'connected';
        this.changes.announce();
      }),
      call.on('problem', (error) => onProblem(error, this.#sourceOf(error))),
    ];
  }

  get view(): CallView {
    return this.#view;
  }

  get rings(): boolean {
    return this.call.role === 'incoming' && this.#view.state === 'ringing';
  }

  /** True while this device shows the call: it started or answered it, or another device of the person did. */
  get isOngoing(): boolean {
    return this.call.role !== 'incoming' && this.#view.state !== 'ended';
  }

  get other(): SeatView | undefined {
    return this.#view.seats.find((seat) => seat.personId !== this.self);
  }

  get status(): CallStatus {
    if (this.#view.state === 'ended') return 'ended';
    if (this.call.role === 'elsewhere') return 'elsewhere';
    if (this.#view.state === 'ringing') return 'ringing';
    if (this.#view.state === 'connecting') return 'connecting';
    if (this.call.path === 'interrupted') return 'reconnecting';
    if (this.other?.state === 'reconnecting') return 'otherReconnecting';
    // A device that comes back into a live call (a reload) has to connect its own media first.
    return this.call.path === 'connecting' && !this.#wasConnected ? 'connecting' : 'live';
  }

  get liveForMs(): number {
    return this.#liveSince === null ? 0 : Math.max(0, Date.now() - this.#liveSince);
  }

  /** The other side's picture; null while their camera is off or the track has not come. */
  get remoteVideo(): MediaStreamTrack | null {
    if (this.#view.media === 'voice') return null;
    return this.call.remoteTracks.find(({ source, paused }) => source === 'camera' && !paused)?.track ?? null;
  }

  get remoteAudio(): MediaStreamTrack | null {
    return this.call.remoteTracks.find(({ source }) => source === 'microphone')?.track ?? null;
  }

  get localVideo(): MediaStreamTrack | null {
    return this.call.cameraOn ? this.call.localTracks.camera : null;
  }

  get otherMuted(): boolean {
    return this.#otherIsPresent && this.other?.microphoneOn === false;
  }

  get otherCameraOff(): boolean {
    return this.#view.media === 'video' && this.#otherIsPresent && this.remoteVideo === null;
  }

  get #otherIsPresent(): boolean {
    return this.#view.state === 'live' && this.other?.state === 'present';
  }

  answerCameraOffer(): void {
    this.cameraOffered = false;
    this.changes.announce();
  }

  soundIs(blocked: boolean): void {
    if (this.soundBlocked === blocked) return;
    this.soundBlocked = blocked;
    this.changes.announce();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#wakeLock.want(false);
  }

  /** A refused device is off; the microphone is asked for first, so it is the first to be refused. */
  #sourceOf({ code, detail }: AppError): MediaSource | null {
    if (code !== 'PERMISSION_DENIED' && code !== 'DEVICE_UNAVAILABLE') return null;
    const isMicrophone = !this.call.microphoneOn && !this.#refused.has('microphone');
    const source =
      detail?.startsWith('camera') || (!detail?.startsWith('microphone') && !isMicrophone)
        ? 'camera'
        : 'microphone';
    this.#refused.add(source);
    return source;
  }

  #become(view: CallView): void {
    const becameVideo = this.#view.media === 'voice' && view.media === 'video';
    this.#view = view;
    if (becameVideo && !this.call.cameraOn) this.cameraOffered = true;
    if (view.media === 'voice') this.cameraOffered = false;
    this.#noticeLive();
    this.changes.announce();
  }

  #noticeLive(): void {
    const { state, answeredAt, media } = this.#view;
    if (state === 'live')
      this.#liveSince ??= this.#sawStart ? Date.now() : Math.min(Date.now(), answeredAt ?? Date.now());
    this.#wakeLock.want(media === 'video' && state === 'live' && this.call.role !== 'elsewhere');
  }
}
