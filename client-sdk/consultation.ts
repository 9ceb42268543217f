import type {
  Attachment,
  AttachmentId,
  CallId,
  CallMedia,
  CallView,
  ConsultationId,
  ConsultationView,
  Entry,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { DEFAULT_PAGE_SIZE } from '@teleconsult/protocol/limits';
import type {
  Call,
  CallOptions,
  Consultation,
  ConsultationEvents,
  OutgoingDraft,
  OutgoingMessage,
  Subscribe,
} from './api.ts';
import { type ActiveCall, beginCapture } from './call.ts';
import type { SeatFact } from './call-seat.ts';
import { CallSlot } from './call-slot.ts';
import { Emitter } from './events.ts';
import type { Http } from './http.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import { OutboxRunner, type SentMessage } from './outbox-runner.ts';
import type { Signalling } from './requests.ts';
import { hasOlder } from './thread.ts';
import { type Snapshot, ThreadFollower } from './thread-follower.ts';
import type { Uploads } from './uploads.ts';

export interface FollowedConsultationOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly http: Http;
  readonly uploads: Uploads;
  readonly device: MediaDevice;
  /** The client's. */
  readonly life: Lifetime;
  /** A call changed, by whatever way that became known. */
  readonly onCall: (view: CallView) => void;
  /** Called when it begins to close. */
  readonly onClosing: () => void;
}

/** How long closing waits for the server to hear that this device hangs up or stops following. */
const FAREWELL_MS = 1_500;

/** One consultation, followed: its thread, its outbox and its call, each kept by a part of its own. */
export class FollowedConsultation implements Consultation {
  readonly id: ConsultationId;
  readonly #options: FollowedConsultationOptions;
  readonly #events = new Emitter<ConsultationEvents>();
  readonly #life: Lifetime;
  readonly #thread: ThreadFollower;
  readonly #outbox: OutboxRunner;
  readonly #calls: CallSlot;
  #view: ConsultationView | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: FollowedConsultationOptions) {
    const { consultationId, signalling, uploads, device } = options;
    this.id = consultationId;
    this.#options = options;
    this.#life = options.life.child();
    const life = this.#life;
    this.#calls = new CallSlot({
      signalling,
      device,
      life,
      onChange: (call) => this.#handleCallChange(call),
    });
    this.#outbox = new OutboxRunner({
      consultationId,
      signalling,
      uploads,
      life,
      onChange: () => this.#events.emit('outbox', this.outbox),
      onCommitted: (sequence) => this.#handleCommitted(sequence),
    });
    this.#thread = new ThreadFollower({
      consultationId,
      signalling,
      life,
      onEntries: (added) => this.#handleEntries(added),
      onSnapshot: (snapshot) => this.#handleSnapshot(snapshot),
      onCaughtUp: (snapshot) => this.#calls.handleCaughtUp(snapshot, this.entries),
    });
  }

  /** Resolves when the newest entries are held. */
  get opened(): Promise<void> {
    return this.#thread.opened;
  }

  get view(): ConsultationView {
    if (this.#view === null) throw new Error('a consultation is handed out only after it was opened');
    return this.#view;
  }

  get entries(): readonly Entry[] {
    const { thread } = this.#thread;
    return thread.kind === 'open' ? thread.entries : [];
  }

  get hasOlder(): boolean {
    return hasOlder(this.#thread.thread);
  }

  get outbox(): readonly OutgoingMessage[] {
    return this.#outbox.messages;
  }

  get call(): Call | null {
    return this.#calls.call;
  }

  get on(): Subscribe<ConsultationEvents> {
    return this.#events.on;
  }

  loadOlder(options: CallOptions & { limit?: number } = {}): Promise<readonly Entry[]> {
    return this.#thread.loadOlder(options.limit ?? DEFAULT_PAGE_SIZE, options.signal);
  }

  enter(options?: CallOptions): Promise<ConsultationView> {
    return this.#act(
      this.#options.signalling.request('consultation.enter', { consultationId: this.id }, options),
    );
  }

  accept(options?: CallOptions): Promise<ConsultationView> {
    return this.#act(
      this.#options.signalling.request('consultation.accept', { consultationId: this.id }, options),
    );
  }

  decline({ note, ...options }: CallOptions & { note?: string } = {}): Promise<ConsultationView> {
    const payload = { consultationId: this.id, ...withNote(note) };
    return this.#act(this.#options.signalling.request('consultation.decline', payload, options));
  }

  cancel(options?: CallOptions): Promise<ConsultationView> {
    return this.#act(
      this.#options.signalling.request('consultation.cancel', { consultationId: this.id }, options),
    );
  }

  end({ note, ...options }: CallOptions & { note?: string } = {}): Promise<ConsultationView> {
    const payload = { consultationId: this.id, ...withNote(note) };
    return this.#act(this.#options.signalling.request('consultation.end', payload, options));
  }

  send(draft: OutgoingDraft, options: CallOptions = {}): Promise<SentMessage> {
    return this.#outbox.send(draft, options.signal);
  }

  retry(clientMessageId: string): Promise<SentMessage> {
    return this.#outbox.retry(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#outbox.discard(clientMessageId);
  }

  async fetchAttachment(
    attachment: Attachment | AttachmentId,
    { variant = 'original', signal }: CallOptions & { variant?: 'original' | 'thumbnail' } = {},
  ): Promise<Blob> {
    throwIfAborted(signal);
    const attachmentId = typeof attachment === 'string' ? attachment : attachment.attachmentId;
    const path = `/v1/consultations/${this.id}/attachments/${encodeURIComponent(attachmentId)}/content`;
    return this.#options.http.getBlob(`${path}?variant=${variant}`, { life: this.#life, signal });
  }

  async startCall(media: CallMedia, { signal }: CallOptions = {}): Promise<Call> {
    throwIfAborted(signal);
    const held = this.#calls.call;
    if (held?.takesPart === true) return held;
    const { device, signalling } = this.#options;
    await device.require();
    const capture = beginCapture(device, this.#life, { microphone: true, camera: media === 'video' });
    const starting = signalling.request('call.start', { consultationId: this.id, media });
    try {
      const { call: view } = await this.#life.within(starting, signal);
      const call = this.#calls.apply(view);
      if (call === null) throw callRefused(view);
      call.sit(capture);
      return call;
    } catch (error) {
      capture.life.end(new AppError('ABORTED'));
      if (signal?.aborted === true) {
        starting.then(({ call }) => this.#calls.apply(call)?.hangUp()).catch(() => {});
      }
      throw error;
    }
  }

  close(reason = new AppError('ABORTED', { detail: 'the consultation was closed' })): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  handleEntry(entry: Entry): void {
    this.#thread.handleEntry(entry);
  }

  handleChanged(view: ConsultationView): void {
    this.#applyView(view);
    this.#thread.learnNewest(view.lastSequence);
  }

  handleCall(view: CallView): void {
    this.#calls.apply(view);
  }

  handleSeatFact(callId: CallId, fact: SeatFact): void {
    this.#calls.handleSeatFact(callId, fact);
  }

  handleSeatMoved(callId: CallId): void {
    this.#calls.handleSeatMoved(callId);
  }

  async #act(asking: Promise<{ consultation: ConsultationView }>): Promise<ConsultationView> {
    const { consultation } = await this.#life.within(asking);
    this.#applyView(consultation);
    return consultation;
  }

  #handleEntries(added: readonly Entry[]): void {
    this.#outbox.handleEntries(added, this.#thread.lastSequence);
    this.#events.emit('entries', added);
  }

  #handleCallChange({ view }: ActiveCall): void {
    this.#events.emit('call', this.call);
    this.#options.onCall(view);
  }

  #handleCommitted(sequence: number): void {
    this.#outbox.handleEntries([], this.#thread.lastSequence);
    this.#thread.learnNewest(sequence);
  }

  #handleSnapshot(snapshot: Snapshot): void {
    this.#applyView(snapshot.consultation);
    this.#calls.handleSnapshot(snapshot);
  }

  /** Views may overtake each other; the one that knows more of the thread is the newer. */
  #applyView(view: ConsultationView): void {
    const before = this.#view;
    if (before !== null && view.lastSequence < before.lastSequence) return;
    this.#view = view;
    if (before !== null && !sameState(before, view)) this.#events.emit('changed', view);
  }

  async #close(reason: AppError): Promise<void> {
    const { signalling, onClosing } = this.#options;
    // From now on the id stands for whoever opens it next.
    onClosing();
    const call = this.#calls.call;
    if (signalling.connected) {
      const farewells = [
        ...(call?.takesPart === true ? [call.hangUp()] : []),
        signalling.request('consultation.unwatch', { consultationId: this.id }),
      ];
      await this.#life.withinTime(Promise.allSettled(farewells), FAREWELL_MS).catch(() => {});
    }
    this.#life.end(reason);
    this.#events.clear();
  }
}

function withNote(note: string | undefined): { note?: string } {
  return note === undefined ? {} : { note };
}

function sameState(a: ConsultationView, b: ConsultationView): boolean {
  return (
    a.phase === b.phase &&
    a.endReason === b.endReason &&
    JSON.stringify(a.participants) === JSON.stringify(b.participants)
  );
}

/** A call that was over as soon as it began. */
function callRefused(view: CallView): AppError {
  return new AppError(view.endReason === 'busy' ? 'BUSY' : 'WRONG_STATE', {
    detail: view.endReason ?? view.state,
  });
}
