import type { CallId, CallView, Entry } from '@teleconsult/protocol';
import { ActiveCall } from './call.ts';
import { concerns } from './call-outcome.ts';
import type { SeatFact } from './call-seat.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { Signalling } from './requests.ts';
import type { Snapshot } from './thread-follower.ts';

export interface CallSlotOptions {
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly life: Lifetime;
  /** The call began, changed, or is over; then the slot is empty. */
  readonly onChange: (call: ActiveCall) => void;
}

/** Calls remembered as over for this person, so that late news does not bring one back. */
const MAX_REMEMBERED = 16;

/** The one call that a consultation has at a time. */
export class CallSlot {
  readonly #options: CallSlotOptions;
  /** With the revision at which they were. A later one may hold a new invitation. */
  readonly #over = new Map<CallId, number>();
  #call: ActiveCall | null = null;

  constructor(options: CallSlotOptions) {
    this.#options = options;
  }

  get call(): ActiveCall | null {
    return this.#call;
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

  /** The call of a snapshot: one that this device took part in goes on. */
  handleSnapshot({ call: view }: Snapshot): void {
    if (view !== null) this.apply(view)?.handleSnapshot();
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
    const { signalling, device, life, onChange } = this.#options;
    const call = new ActiveCall({
      view,
      signalling,
      device,
      life,
      onChange: () => {
        if (call.isOver) this.#finish(call);
        onChange(call);
      },
    });
    this.#call = call;
    onChange(call);
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
