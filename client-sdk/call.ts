import type { CallMedia, CallView, PersonId, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type {
  AwaitedSource,
  Call,
  CallEvents,
  CallOptions,
  CallOutcome,
  QualitySample,
  Subscribe,
} from './api.ts';
import { beginCapture, type Capture } from './call-capture.ts';
import { SeatControls } from './call-controls.ts';
import { type Ending, tellEnding } from './call-ending.ts';
import { isLeftForGood, outcomeOf, ownSeatIn } from './call-outcome.ts';
import { CallSeat, type SeatFact } from './call-seat.ts';
import { Emitter } from './events.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { SeatRef } from './media-session.ts';
import type { Signalling } from './requests.ts';

export { beginCapture } from './call-capture.ts';

export interface ActiveCallOptions {
  readonly view: CallView;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  /** The consultation's. */
  readonly life: Lifetime;
  /** Something about the call changed. */
  readonly onChange: () => void;
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
  | { readonly kind: 'over'; readonly outcome: CallOutcome };

const LEFT = new AppError('ABORTED', { detail: 'this device left the call' });
const OVER = new AppError('WRONG_STATE', { detail: 'the call is over' });

/** One call, as this device sees it and takes part in it. */
export class ActiveCall extends SeatControls implements Call {
  readonly #options: ActiveCallOptions;
  readonly #events = new Emitter<CallEvents>();
  readonly #life: Lifetime;
  readonly #ref: SeatRef;
  #view: CallView;
  #part: Part = { kind: 'outside' };
  #role: Call['role'] = 'incoming';
  #heardAt = performance.now();
  #lastQuality: readonly QualitySample[] = [];

  constructor(options: ActiveCallOptions) {
    super();
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

  override get view(): CallView {
    return this.#view;
  }

  get role(): Call['role'] {
    return this.#role;
  }

  get outcome(): CallOutcome | null {
    return this.#part.kind === 'over' ? this.#part.outcome : null;
  }

  /** After the call, those of its last seat here: the app may ask how it was. */
  get quality(): readonly QualitySample[] {
    return this.seat?.quality ?? this.#lastQuality;
  }

  protected override get seat(): CallSeat | null {
    return this.#part.kind === 'inside' ? this.#part.seat : null;
  }

  protected override get life(): Lifetime {
    return this.#life;
  }

  get isRestored(): boolean {
    return false;
  }

  get awaiting(): readonly AwaitedSource[] {
    return [];
  }

  continueSources(): Promise<void> {
    return Promise.resolve();
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

  async accept({
    signal,
    camera = true,
    leaveOther = false,
  }: CallOptions & { camera?: boolean; leaveOther?: boolean } = {}): Promise<void> {
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
        const wanted = { microphone: true, camera: camera && this.#view.media === 'video' };
        const answered = this.#answer(wanted, { leaveOther, signal });
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

  hangUp(options: CallOptions = {}): Promise<void> {
    return this.#end('call.hangUp', options);
  }

  leave(options: CallOptions = {}): Promise<void> {
    return this.#end('call.leave', options);
  }

  async invite(personId: string, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.#ref, personId: personId as PersonId };
    const { call } = await this.#options.signalling.request('call.invite', payload, { signal });
    this.applyView(call);
  }

  async mute(personId: string, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.#ref, personId: personId as PersonId };
    const { call } = await this.#options.signalling.request('seat.mute', payload, { signal });
    this.applyView(call);
  }

  async setMedia(media: CallMedia, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.#ref, media };
    const { call } = await this.#options.signalling.request('call.setMedia', payload, { signal });
    this.applyView(call);
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
    const own = this.#ownSeat();
    if (isLeftForGood(own)) {
      this.#finish();
      return;
    }
    if (this.#part.kind === 'inside') {
      const { seat } = this.#part;
      const holder = own?.deviceId ?? this.#options.signalling.deviceId;
      if (seat.hasJoined && holder !== this.#options.signalling.deviceId) {
        this.handleMoved();
        return;
      }
      const becameVoice = before.media === 'video' && view.media === 'voice';
      for (const source of ['camera', 'screen'] as const)
        if (becameVoice && seat.isOn(source)) seat.setSource(source, false).catch(() => {});
      seat.handleView(ownSeatIn(before, this.#options.signalling), own);
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
      wanted: { ...wanted, screen: false },
      view: () => this.#view,
      shown: () => this.#ownSeat(),
      onView: (view) => this.applyView(view),
      events: this.#events,
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
    if (this.#part.kind !== 'outside' || this.#life.over) return;
    this.sit(beginCapture(device, this.#life, { microphone: own.microphoneOn, camera: own.cameraOn }));
  }

  async #answer(
    wanted: Capture['wanted'],
    { leaveOther, signal }: { leaveOther: boolean; signal: AbortSignal | undefined },
  ): Promise<void> {
    const { device } = this.#options;
    let capture: Capture | null = null;
    try {
      await device.require();
      this.#requireAnswering(signal);
      capture = beginCapture(device, this.#life, wanted);
      if (this.#role === 'incoming') await this.#acceptOrUndo(leaveOther, signal);
      this.#requireAnswering(signal);
    } catch (error) {
      capture?.life.end(LEFT);
      if (this.#part.kind === 'answering') this.#takePart({ kind: 'outside' });
      throw error;
    }
    const seat = this.sit(capture);
    await this.#life.within(seat.joined, signal);
  }

  /** Throws when the call was given up here meanwhile, or is over. */
  #requireAnswering(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.#life.endReason !== null) throw this.#life.endReason;
    if (this.#part.kind !== 'answering') throw LEFT;
  }

  /** When the caller gave up before the server answered, the call that was accepted nevertheless is hung up. */
  async #acceptOrUndo(leaveOther: boolean, signal: AbortSignal | undefined): Promise<void> {
    const accepting = this.#options.signalling.request('call.accept', { ...this.#ref, leaveOther });
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

  async #end(ending: Ending, { signal }: CallOptions): Promise<void> {
    throwIfAborted(signal);
    if (this.#part.kind === 'over') return;
    if (this.#part.kind !== 'leaving') {
      // While it is being answered, only hanging up is right whichever comes first.
      if (this.#role === 'incoming' && this.#part.kind !== 'answering')
        return this.decline(signal && { signal });
      const { signalling, life } = this.#options;
      // Whether this device may end what another one holds, the server says.
      if (this.#role === 'elsewhere') {
        const { call } = await signalling.request(ending, this.#ref, { signal });
        this.applyView(call);
        return;
      }
      const onView = (view: CallView) => this.applyView(view);
      const left = tellEnding(ending, { seat: this.#ref, signalling, life: this.#life, onView });
      left.catch(() => {});
      this.#takePart({ kind: 'leaving', left });
      return life.within(left, signal);
    }
    await this.#options.life.within(this.#part.left, signal);
  }

  #refused(error: AppError): void {
    if (this.#part.kind !== 'inside') return;
    this.#takePart({ kind: 'outside' });
    this.#events.emit('problem', error);
  }

  #finish(): void {
    const { kind } = this.#part;
    const tookPart = kind === 'inside' || kind === 'leaving';
    const outcome = outcomeOf(this.#view, this.#options.signalling, { tookPart });
    this.#takePart({ kind: 'over', outcome });
    this.#life.end(OVER);
  }

  /** Media belongs to being inside: it is stopped by whatever comes after. */
  #takePart(part: Part): void {
    const before = this.#part;
    this.#part = part;
    if (before.kind === 'inside') {
      this.#lastQuality = before.seat.quality;
      before.life.end(LEFT);
      this.#events.emit('remoteTracks', []);
      this.#events.emit('localTracks', this.localTracks);
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
    return ownSeatIn(this.#view, this.#options.signalling);
  }
}
