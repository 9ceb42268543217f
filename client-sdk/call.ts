import type { CallMedia, CallView, MediaSource, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Call, CallEvents, CallOptions, RemoteTrack, Subscribe } from './api.ts';
import { CallSeat, type SeatFact, type Sources } from './call-seat.ts';
import { Emitter } from './events.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import { LocalMedia } from './local-media.ts';
import type { MediaDevice } from './media-device.ts';
import type { PathState, SeatRef } from './media-session.ts';
import { persist, type Signalling, toAppError } from './requests.ts';

export interface ActiveCallOptions {
  readonly view: CallView;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  /** The consultation's. */
  readonly life: Lifetime;
  /** Something about the call changed. */
  readonly onChange: () => void;
}

/** Microphone and camera, asked for while the server is asked for the call, so that both take the same time. */
export interface Capture {
  readonly life: Lifetime;
  readonly local: LocalMedia;
  readonly wanted: Sources;
}

/** How this device takes part. */
type Part =
  | { readonly kind: 'outside' }
  | { readonly kind: 'answering'; readonly answered: Promise<void> }
  | { readonly kind: 'inside'; readonly seat: CallSeat; readonly life: Lifetime }
  /** Another device of this person took the seat. */
  | { readonly kind: 'moved' }
  /** Hung up here; the server may not know yet. */
  | { readonly kind: 'leaving'; readonly left: Promise<void> }
  | { readonly kind: 'over' };

const LEFT = new AppError('ABORTED', { detail: 'this device left the call' });
const OVER = new AppError('WRONG_STATE', { detail: 'the call is over' });
const NO_TRACKS: CallEvents['localTracks'] = { microphone: null, camera: null };

/** One call, as this device sees it and takes part in it. */
export class ActiveCall implements Call {
  readonly #options: ActiveCallOptions;
  readonly #events = new Emitter<CallEvents>();
  readonly #life: Lifetime;
  readonly #ref: SeatRef;
  #view: CallView;
  #part: Part = { kind: 'outside' };
  #role: Call['role'] = 'incoming';
  #heardAt = performance.now();

  constructor(options: ActiveCallOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#life = options.life.child();
    const { consultationId, callId } = options.view;
    this.#ref = { consultationId, callId };
    this.#role = this.#judgeRole();
  }

  get id(): string {
    return this.#view.callId;
  }

  get view(): CallView {
    return this.#view;
  }

  get role(): Call['role'] {
    return this.#role;
  }

  get remoteTracks(): readonly RemoteTrack[] {
    return this.#part.kind === 'inside' ? this.#part.seat.remoteTracks : [];
  }

  get localTracks(): CallEvents['localTracks'] {
    return this.#part.kind === 'inside' ? this.#part.seat.localTracks : NO_TRACKS;
  }

  get path(): PathState {
    return this.#part.kind === 'inside' ? this.#part.seat.path : 'connecting';
  }

  get microphoneOn(): boolean {
    return this.#part.kind === 'inside' && this.#part.seat.isOn('microphone');
  }

  get cameraOn(): boolean {
    return this.#part.kind === 'inside' && this.#part.seat.isOn('camera');
  }

  get on(): Subscribe<CallEvents> {
    return this.#events.on;
  }

  /** When the server last told something new, by this device's monotonic clock in milliseconds. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get isOver(): boolean {
    return this.#part.kind === 'over';
  }

  /** True while this device holds the person's seat, or is about to. */
  get takesPart(): boolean {
    return this.#part.kind === 'inside' || this.#part.kind === 'answering';
  }

  async accept({ signal, camera = true }: CallOptions & { camera?: boolean } = {}): Promise<void> {
    throwIfAborted(signal);
    switch (this.#part.kind) {
      case 'inside':
        return this.#life.within(this.#part.seat.joined, signal);
      case 'answering':
        return this.#life.within(this.#part.answered, signal);
      case 'leaving':
      case 'over':
        throw new AppError('WRONG_STATE', { detail: this.#part.kind });
      case 'outside':
      case 'moved': {
        const answered = this.#answer(
          { microphone: true, camera: camera && this.#view.media === 'video' },
          signal,
        );
        this.#part = { kind: 'answering', answered };
        return answered;
      }
      default:
        return unreachable(this.#part);
    }
  }

  async decline({ signal }: CallOptions = {}): Promise<void> {
    const { call } = await this.#options.signalling.request('call.decline', this.#ref, { signal });
    this.applyView(call);
  }

  async hangUp({ signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    if (this.#part.kind === 'over') return;
    if (this.#part.kind !== 'leaving') {
      if (this.#role === 'incoming') return this.decline(signal && { signal });
      // Whether this device may end what another one holds, the server says.
      if (this.#role === 'elsewhere') return this.#hangUpOnce(signal);
      const left = this.#leave();
      left.catch(() => {});
      this.#takePart({ kind: 'leaving', left });
    }
    if (this.#part.kind === 'leaving') await this.#options.life.within(this.#part.left, signal);
  }

  setMicrophone(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    return this.#setSource('microphone', on, signal);
  }

  async setCamera(on: boolean, { signal }: CallOptions = {}): Promise<void> {
    if (on && this.#view.media === 'voice')
      throw new AppError('WRONG_STATE', { detail: 'this is a voice call' });
    await this.#setSource('camera', on, signal);
  }

  async setMedia(media: CallMedia, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.#ref, media };
    const { call } = await this.#options.signalling.request('call.setMedia', payload, { signal });
    this.applyView(call);
  }

  async stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }> {
    return this.#part.kind === 'inside' ? this.#part.seat.stats() : { send: null, receive: null };
  }

  /** News of this call. Older news than what is known changes nothing. */
  applyView(view: CallView): void {
    if (this.#part.kind === 'over' || view.revision <= this.#view.revision) return;
    const before = this.#view;
    this.#view = view;
    this.#heardAt = performance.now();
    if (view.state === 'ended') {
      this.#finish();
      return;
    }
    if (this.#part.kind === 'inside') {
      const { seat } = this.#part;
      const holder = this.#ownSeat()?.deviceId ?? this.#options.signalling.deviceId;
      if (seat.hasJoined && holder !== this.#options.signalling.deviceId) {
        this.handleMoved();
        return;
      }
      const becameVoice = before.media === 'video' && view.media === 'voice';
      if (becameVoice && seat.isOn('camera')) seat.setSource('camera', false).catch(() => {});
    }
    this.#changed();
  }

  /** The call ended while nobody told this device. */
  endUnseen(endReason: NonNullable<CallView['endReason']>): void {
    if (this.#part.kind === 'over') return;
    this.#view = { ...this.#view, state: 'ended', ringUntil: null, endReason };
    this.#finish();
  }

  /** Takes the seat on this device, with devices that may still be being asked for. */
  sit(capture: Capture): CallSeat {
    if (this.#part.kind === 'inside') {
      capture.life.end(LEFT);
      return this.#part.seat;
    }
    const { life, local, wanted } = capture;
    const { signalling, device } = this.#options;
    this.#life.onEnd((reason) => life.end(reason));
    const seat = new CallSeat({
      seat: this.#ref,
      signalling,
      device,
      local,
      life,
      wanted,
      shown: () => this.#ownSeat(),
      onView: (view) => this.applyView(view),
      onLocalTracks: (tracks) => this.#events.emit('localTracks', tracks),
      onRemoteTracks: (tracks) => this.#events.emit('remoteTracks', tracks),
      onPath: (state) => this.#events.emit('path', { state }),
      onProblem: (error) => this.#events.emit('problem', error),
      onRefused: (error) => this.#refused(error),
    });
    this.#takePart({ kind: 'inside', seat, life });
    return seat;
  }

  handleFact(fact: SeatFact): void {
    if (this.#part.kind === 'inside') this.#part.seat.handleFact(fact);
  }

  handleMoved(): void {
    if (this.#part.kind === 'inside') this.#takePart({ kind: 'moved' });
  }

  /** A new connection has shown the call. What this device takes part in goes on. */
  handleSnapshot(): void {
    if (this.#part.kind === 'inside') void this.#part.seat.handleReconnected();
    else this.#resume().catch(() => {});
  }

  /** A seat that this device held before the page was loaded anew is taken again, with what was on then. */
  async #resume(): Promise<void> {
    const own = this.#ownSeat();
    const { device, signalling } = this.#options;
    if (this.#part.kind !== 'outside' || own?.deviceId !== signalling.deviceId || own.state === 'left')
      return;
    await device.require();
    if (this.#part.kind !== 'outside') return;
    this.sit(beginCapture(device, this.#life, { microphone: own.microphoneOn, camera: own.cameraOn }));
  }

  async #answer(wanted: Sources, signal: AbortSignal | undefined): Promise<void> {
    const { device } = this.#options;
    let capture: Capture | null = null;
    try {
      await device.require();
      capture = beginCapture(device, this.#life, wanted);
      if (this.#role === 'incoming') await this.#acceptOrUndo(signal);
      throwIfAborted(signal);
      if (this.#life.endReason !== null) throw this.#life.endReason;
    } catch (error) {
      capture?.life.end(LEFT);
      if (this.#part.kind === 'answering') this.#takePart({ kind: 'outside' });
      throw error;
    }
    const seat = this.sit(capture);
    await this.#life.within(seat.joined, signal);
  }

  /** When the caller gave up before the server answered, the call that was accepted nevertheless is hung up. */
  async #acceptOrUndo(signal: AbortSignal | undefined): Promise<void> {
    const accepting = this.#options.signalling.request('call.accept', this.#ref);
    try {
      const { call } = await this.#life.within(accepting, signal);
      this.applyView(call);
    } catch (error) {
      if (signal?.aborted === true) {
        accepting
          .then(({ call }) => {
            this.applyView(call);
            return this.hangUp();
          })
          .catch(() => {});
      }
      throw error;
    }
  }

  async #hangUpOnce(signal: AbortSignal | undefined): Promise<void> {
    const { call } = await this.#options.signalling.request('call.hangUp', this.#ref, { signal });
    this.applyView(call);
  }

  async #leave(): Promise<void> {
    const { signalling } = this.#options;
    try {
      const { call } = await persist({ signalling, life: this.#life }, () =>
        signalling.request('call.hangUp', this.#ref),
      );
      this.applyView(call);
    } catch (thrown) {
      const { code } = toAppError(thrown);
      // It is over already, which is what was wanted.
      if (this.isOver || code === 'NOT_FOUND' || code === 'WRONG_STATE') return;
      throw thrown;
    }
  }

  async #setSource(source: MediaSource, on: boolean, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (this.#part.kind !== 'inside')
      throw new AppError('WRONG_STATE', { detail: 'not in the call on this device' });
    await this.#life.within(this.#part.seat.setSource(source, on), signal);
  }

  #refused(error: AppError): void {
    if (this.#part.kind !== 'inside') return;
    this.#takePart({ kind: 'outside' });
    this.#events.emit('problem', error);
  }

  #finish(): void {
    this.#takePart({ kind: 'over' });
    this.#life.end(OVER);
  }

  /** Media belongs to being inside: it is stopped by whatever comes after. */
  #takePart(part: Part): void {
    const before = this.#part;
    this.#part = part;
    if (before.kind === 'inside') {
      before.life.end(LEFT);
      this.#events.emit('remoteTracks', []);
      this.#events.emit('localTracks', NO_TRACKS);
    }
    this.#changed();
  }

  #changed(): void {
    this.#role = this.#judgeRole();
    this.#events.emit('changed', this.#view);
    this.#options.onChange();
  }

  #judgeRole(): Call['role'] {
    const { signalling } = this.#options;
    const isMine = this.#view.startedBy === signalling.personId;
    switch (this.#part.kind) {
      case 'inside':
      case 'leaving':
        return isMine ? 'caller' : 'answered';
      case 'moved':
        return 'elsewhere';
      case 'over':
        return this.#role;
      case 'outside':
      case 'answering': {
        const holder = this.#ownSeat()?.deviceId ?? null;
        if (holder === signalling.deviceId) return isMine ? 'caller' : 'answered';
        return holder !== null || isMine ? 'elsewhere' : 'incoming';
      }
      default:
        return unreachable(this.#part);
    }
  }

  #ownSeat(): SeatView | null {
    const { personId, deviceId } = this.#options.signalling;
    const isOwn = (seat: SeatView) =>
      personId === null ? seat.deviceId === deviceId : seat.personId === personId;
    return this.#view.seats.find(isOwn) ?? null;
  }
}

/** Begins to ask for what is wanted. Whoever ends up with the capture ends its life. */
export function beginCapture(device: MediaDevice, parent: Lifetime, wanted: Sources): Capture {
  const life = parent.child();
  const local = new LocalMedia({ device, life });
  local.prefetch(wanted);
  return { life, local, wanted };
}
