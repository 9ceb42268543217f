import type { CallView, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Call, CallEvents, CallOptions, CallOutcome, QualitySample, Subscribe } from './api.ts';
import { answerCall, wantedHere } from './call-answering.ts';
import type { Capture } from './call-capture.ts';
import { SeatControls } from './call-controls.ts';
import { type Ending, tellEnding } from './call-ending.ts';
import { isLeftForGood, isSeatOf, outcomeOf, ownSeatIn } from './call-outcome.ts';
import { type Part, roleOf } from './call-part.ts';
import { CallSeat, type SeatFact } from './call-seat.ts';
import { Emitter } from './events.ts';
import { isFulfilled, type Lifetime, throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { SeatRef } from './media-session.ts';
import { type Signalling, toAppError } from './requests.ts';
import { findSeat } from './resume/found-seat.ts';
import type { KeptCall } from './resume/kept-call.ts';
import { SeatClaim } from './resume/seat-claim.ts';

export interface ActiveCallOptions {
  readonly view: CallView;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly kept: KeptCall;
  /** The consultation's. */
  readonly life: Lifetime;
  /** Something about the call changed. */
  readonly onChange: () => void;
  /** Whether this device takes part in it may have changed. */
  readonly onPart: () => void;
}

const LEFT = new AppError('ABORTED', { detail: 'this device left the call' });
const OVER = new AppError('WRONG_STATE', { detail: 'the call is over' });

/** One call, as this device sees it and takes part in it. */
export class ActiveCall extends SeatControls implements Call {
  readonly #options: ActiveCallOptions;
  readonly #events = new Emitter<CallEvents>();
  protected override readonly life: Lifetime;
  protected override readonly seatRef: SeatRef;
  #view: CallView;
  #part: Part = { kind: 'outside' };
  #role: Call['role'] = 'incoming';
  #isRestored = false;
  #wasHere = false;
  #resuming: Promise<boolean> | null = null;
  #heardAt = performance.now();
  #lastQuality: readonly QualitySample[] = [];

  constructor(options: ActiveCallOptions) {
    super();
    this.#options = options;
    this.#view = options.view;
    this.life = options.life.child();
    const { consultationId, callId } = options.view;
    this.seatRef = { consultationId, callId };
    this.#role = this.#judgeRole();
    if (!this.life.over) this.life.onEnd(() => options.onPart());
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

  protected override get signalling(): Signalling {
    return this.#options.signalling;
  }

  get isRestored(): boolean {
    return this.#isRestored;
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
    return !this.life.over && (this.#part.kind === 'inside' || this.#part.kind === 'answering');
  }

  /** True while it also has to tell the server that it left, or the person may go on here with what they had here. */
  get isNeeded(): boolean {
    if (this.life.over || this.isOver) return false;
    return this.takesPart || this.#part.kind === 'leaving' || (this.#wasHere && this.#role === 'elsewhere');
  }

  /** True once this device holds the seat again that it held before; false when it is not to have it. */
  async restored(): Promise<boolean> {
    if (this.#resuming !== null) return this.#resuming;
    if (this.#part.kind !== 'inside') return false;
    return isFulfilled(this.#part.seat.joined);
  }

  async accept({
    signal,
    camera = true,
    leaveOther = false,
  }: CallOptions & { camera?: boolean; leaveOther?: boolean } = {}): Promise<void> {
    throwIfAborted(signal);
    switch (this.#part.kind) {
      case 'inside':
        return this.life.within(this.#part.seat.joined, signal);
      case 'answering':
        return this.life.within(this.#part.answered, signal);
      case 'leaving':
      case 'over':
        throw new AppError('WRONG_STATE', { detail: this.#part.kind });
      case 'outside':
      case 'moved': {
        const accept = this.#role === 'incoming' ? { leaveOther } : null;
        const wanted = wantedHere(this.#view, accept === null ? this.#ownSeat() : null, camera);
        const answered = this.#answer(wanted, { accept, signal });
        this.#part = { kind: 'answering', answered };
        this.#options.onPart();
        return answered;
      }
      default:
        return unreachable(this.#part);
    }
  }

  hangUp(options: CallOptions = {}): Promise<void> {
    return this.#end('call.hangUp', options);
  }

  leave(options: CallOptions = {}): Promise<void> {
    return this.#end('call.leave', options);
  }

  /** News of this call. Older news than what is known changes nothing. */
  override applyView(view: CallView): void {
    if (this.#part.kind === 'over' || view.revision <= this.#view.revision) return;
    const before = this.#view;
    this.#view = view;
    this.#heardAt = performance.now();
    const own = this.#ownSeat();
    if (view.state === 'ended' || isLeftForGood(own)) {
      this.#finish();
      return;
    }
    // Who was muted meanwhile is not un-muted by a tap that was offered before.
    if (own?.mutedBy) this.stopAwaiting('microphone');
    if (view.media === 'voice') this.stopAwaiting('camera');
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
    this.handleShown();
    this.#changed();
  }

  /** The call ended while nobody told this device. */
  endUnseen(endReason: NonNullable<CallView['endReason']>): void {
    if (this.#part.kind === 'over') return;
    this.#view = { ...this.#view, state: 'ended', ringUntil: null, endReason };
    this.#finish();
  }

  /** Takes the seat on this device, with devices that may still be being asked for. */
  sit(capture: Capture, claim: SeatClaim): CallSeat {
    if (this.#part.kind === 'inside') {
      capture.life.end(LEFT);
      return this.#part.seat;
    }
    const { life, local, wanted } = capture;
    const { signalling, device, kept } = this.#options;
    this.life.onEnd((reason) => life.end(reason));
    const seat = new CallSeat({
      seat: this.seatRef,
      signalling,
      device,
      local,
      life,
      wanted: { ...wanted, screen: false },
      claim,
      kept,
      view: () => this.#view,
      shown: () => this.#ownSeat(),
      onView: (view) => this.applyView(view),
      onJoined: () => this.wishesChanged(),
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

  /** The server shows a seat of this device that nobody sits in: what had begun it was not heard to the end. */
  handleShown(): void {
    const isHere = isSeatOf(this.#ownSeat(), this.#options.signalling.deviceId);
    if (isHere && this.#part.kind === 'outside') this.handleSnapshot();
  }

  /** A new connection has shown the call. What this device takes part in goes on. */
  handleSnapshot(): void {
    if (this.#part.kind === 'inside') void this.#part.seat.handleReconnected();
    else
      this.#resuming ??= this.#resume().finally(() => {
        this.#resuming = null;
      });
  }

  /** As when its page is gone: nothing is sent any more, nobody is told, and what is kept stays. */
  vanish(): void {
    this.life.end(LEFT);
  }

  override wishesChanged(): void {
    if (this.#part.kind !== 'inside' || this.life.over) return;
    this.#options.kept.keep({ ...this.seatRef, ticket: this.#part.seat.ticket, ...this.wishes });
  }

  protected override awaitingChanged(): void {
    this.#events.emit('awaiting', this.awaiting);
    this.wishesChanged();
  }

  /** A seat that this device held before the page was loaded anew is taken again. True once it is joined. */
  async #resume(): Promise<boolean> {
    const { device, kept, signalling } = this.#options;
    const { callId } = this.seatRef;
    const isOutside = () => this.#part.kind === 'outside' && !this.life.over;
    const shown = () => {
      const seat = this.#ownSeat();
      return isOutside() && isSeatOf(seat, signalling.deviceId) ? seat : null;
    };
    const media = () => this.#view.media;
    const found = await findSeat({ callId, kept, device, life: this.life, shown, media }).catch(
      (error: unknown) => {
        if (isOutside()) this.#events.emit('problem', toAppError(error));
        return null;
      },
    );
    if (found !== null) {
      this.#isRestored ||= found.isRestored;
      this.setAwaiting(found.awaiting);
      const seat = this.sit(found.capture, found.claim);
      for (const error of found.problems) this.#events.emit('problem', error);
      return isFulfilled(seat.joined);
    }
    if (isOutside()) {
      kept.forget(callId);
      if (this.#judgeRole() !== this.#role) this.#changed();
    }
    return false;
  }

  async #answer(
    wanted: Capture['wanted'],
    { accept, signal }: { accept: { leaveOther: boolean } | null; signal: AbortSignal | undefined },
  ): Promise<void> {
    const parts = { ...this.#options, seat: this.seatRef, life: this.life, wanted, accept, signal };
    const claim = accept === null ? SeatClaim.takingOver() : SeatClaim.answered();
    const capture = await answerCall({
      ...parts,
      requireWanted: () => this.#requireAnswering(signal),
      onView: (view) => this.applyView(view),
      hangUp: () => this.hangUp(),
    }).catch((error: unknown) => {
      if (this.#part.kind === 'answering') this.#takePart({ kind: 'outside' });
      this.handleShown();
      throw error;
    });
    await this.life.within(this.sit(capture, claim).joined, signal);
  }

  /** Throws when the call was given up here meanwhile, or is over. */
  #requireAnswering(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.life.endReason !== null) throw this.life.endReason;
    if (this.#part.kind !== 'answering') throw LEFT;
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
        const { call } = await signalling.request(ending, this.seatRef, { signal });
        this.applyView(call);
        return;
      }
      const parts = { seat: this.seatRef, signalling, life: this.life };
      const left = tellEnding(ending, { ...parts, onView: (view) => this.applyView(view) });
      left.catch(() => {});
      this.#takePart({ kind: 'leaving', left });
      return life.within(left, signal);
    }
    await this.#options.life.within(this.#part.left, signal);
  }

  #refused(error: AppError): void {
    if (this.#part.kind !== 'inside') return;
    // Asking again with the same would be refused again: to go on here, the person has to take the seat over.
    this.#options.kept.forget(this.seatRef.callId);
    this.#takePart({ kind: 'outside' });
    this.#events.emit('problem', error);
  }

  #finish(): void {
    const { kind } = this.#part;
    const tookPart = kind === 'inside' || kind === 'leaving';
    const outcome = outcomeOf(this.#view, this.#options.signalling, { tookPart });
    this.#takePart({ kind: 'over', outcome });
    this.life.end(OVER);
  }

  /** Media belongs to being inside: it is stopped by whatever comes after. */
  #takePart(part: Part): void {
    const before = this.#part;
    this.#part = part;
    this.#wasHere ||= part.kind === 'inside';
    if (part.kind !== 'inside') this.setAwaiting([]);
    if (part.kind === 'moved' || part.kind === 'leaving' || part.kind === 'over')
      this.#options.kept.forget(this.seatRef.callId);
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
    this.wishesChanged();
    this.#events.emit('changed', this.#view);
    this.#options.onChange();
    this.#options.onPart();
  }

  #judgeRole(): Call['role'] {
    const { signalling: own, kept } = this.#options;
    const isKept = kept.mayHold(this.seatRef.callId);
    return roleOf(this.#part, { view: this.#view, own, isKept, before: this.#role });
  }

  #ownSeat(): SeatView | null {
    return ownSeatIn(this.#view, this.#options.signalling);
  }
}
