import type { CallId, CallView, Entry } from '@teleconsult/protocol';
import { ActiveCall } from './call.ts';
import type { Wanted } from './call-capture.ts';
import { concerns, isSeatOf, ownSeatIn } from './call-outcome.ts';
import type { SeatFact } from './call-seat.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { Signalling } from './requests.ts';
import { type KeptCall, wishesOf } from './resume/kept-call.ts';
import type { Snapshot } from './thread-follower.ts';

export interface CallSlotOptions {
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly kept: KeptCall;
  readonly life: Lifetime;
  /** The call began, changed, or is over; then the slot is empty. */
  readonly onChange: (call: ActiveCall) => void;
  /** Whether this device takes part in the call may have changed. */
  readonly onPart: (call: ActiveCall) => void;
}

/** Calls remembered as over for this person, so that late news does not bring one back. */
const MAX_REMEMBERED = 16;

/** The one call that a consultation has at a time. */
export class CallSlot {
  readonly #options: CallSlotOptions;
  /** With the revision at which they were. A later one may hold a new invitation. */
  readonly #over = new Map<CallId, number>();
  #call: ActiveCall | null = null;
  /** What is to be on in the call that this device asks for now. */
  #starting: Wanted | null = null;
  #isStarting = false;
  /** How many wait for the call to be restored. */
  #restorers = 0;

  constructor(options: CallSlotOptions) {
    this.#options = options;
  }

  get call(): ActiveCall | null {
    return this.#call;
  }

  /** True while following the consultation must go on for the sake of its call. */
  get isNeeded(): boolean {
    return this.#restorers > 0 || this.#call?.isNeeded === true;
  }

  /** News of a call, from wherever. Answers the call it is about; null when that is over. */
  apply(view: CallView): ActiveCall | null {
    const overSince = this.#over.get(view.callId);
    if (overSince !== undefined && view.revision <= overSince) return null;
    // Whose seat a new invitation is for cannot be told.
    if (overSince !== undefined && this.#options.signalling.personId === null) return null;
    if (this.#call?.id === view.callId) {
      this.#call.applyView(view);
      return this.#call;
    }
    if (!concerns(view, this.#options.signalling)) {
      if (view.state === 'ended' || overSince !== undefined) this.#remember(view);
      return null;
    }
    this.#over.delete(view.callId);
    // Calls of a consultation follow each other: a later one tells that the one before is over.
    this.#call?.endUnseen('lost');
    return this.#begin(view);
  }

  /**
   * This device asks for a call. As soon as the server shows it, it is kept: its answer may be lost, and the page, too.
   */
  expectStart(wanted: Wanted): void {
    this.#starting = wanted;
    this.#isStarting = true;
  }

  /** Whether it began is known, or (`isUnheard`) the server will show it, sooner or later. */
  handleStartSettled({ isUnheard }: { isUnheard: boolean }): void {
    this.#isStarting = false;
    if (!isUnheard) this.#starting = null;
    this.#call?.handleShown();
  }

  /** The call of a snapshot: one that this device took part in goes on. */
  handleSnapshot({ call: view, consultation: { consultationId } }: Snapshot): void {
    const call = view === null ? null : this.apply(view);
    this.#options.kept.forgetOthers(consultationId, call?.view.callId ?? null);
    call?.handleSnapshot();
  }

  /** The call that this device was in, once it holds its seat again; null when that is not to be had. */
  async restore(callId: CallId, opened: Promise<void>): Promise<ActiveCall | null> {
    this.#restorers += 1;
    try {
      await opened;
      const call = this.#call;
      return call?.id === callId && (await call.restored()) ? call : null;
    } finally {
      this.#restorers -= 1;
    }
  }

  /** Nobody comes back to the call from this device. */
  forget(): void {
    if (this.#call !== null) this.#options.kept.forget(this.#call.view.callId);
  }

  /** As when the page is loaded anew: the call is as the server shows it, and this device has to find its way back. */
  lose(): void {
    const call = this.#call;
    if (call === null) return;
    call.vanish();
    this.#begin(call.view).handleSnapshot();
  }

  /** When the snapshot had no call, the one still held ended unseen; the thread says why. */
  handleCaughtUp({ call: view, askedAt }: Snapshot, entries: readonly Entry[]): void {
    const call = this.#call;
    if (view !== null || call === null || call.heardAt > askedAt) return;
    const ending = entries.findLast((entry) => entry.kind === 'call.ended' && entry.callId === call.id);
    call.endUnseen(ending?.kind === 'call.ended' ? ending.reason : 'lost');
  }

  handleSeatFact(callId: CallId, fact: SeatFact): void {
    if (this.#call?.id === callId) this.#call.handleFact(fact);
  }

  handleSeatMoved(callId: CallId): void {
    if (this.#call?.id === callId) this.#call.handleMoved();
  }

  #begin(view: CallView): ActiveCall {
    const { signalling, device, kept, life, onChange, onPart } = this.#options;
    if (this.#starting !== null && isSeatOf(ownSeatIn(view, signalling), signalling.deviceId)) {
      const { consultationId, callId } = view;
      kept.keep({ consultationId, callId, ticket: null, ...wishesOf(this.#starting) });
      this.#starting = null;
    }
    const call = new ActiveCall({
      view,
      signalling,
      device,
      kept,
      life,
      onPart: () => onPart(call),
      onChange: () => {
        if (call.isOver) this.#finish(call);
        onChange(call);
      },
    });
    this.#call = call;
    onChange(call);
    if (!this.#isStarting) call.handleShown();
    return call;
  }

  #finish(call: ActiveCall): void {
    this.#remember(call.view);
    if (this.#call === call) this.#call = null;
  }

  #remember({ callId, state, revision }: CallView): void {
    this.#over.delete(callId);
    // Nothing comes after the end.
    this.#over.set(callId, state === 'ended' ? Number.POSITIVE_INFINITY : revision);
    const [oldest] = this.#over.keys();
    if (this.#over.size > MAX_REMEMBERED && oldest !== undefined) this.#over.delete(oldest);
  }
}
