import type {
  CallId,
  CallMedia,
  CallView,
  ConsultationId,
  ConsultationView,
  Entry,
  PersonId,
  QueuePlace,
  ThreadMarks,
  TypingActivity,
  Unread,
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
import { BegunText } from './begun-text.ts';
import type { ActiveCall } from './call.ts';
import { CallSlot } from './call-slot.ts';
import { ConsultationActs } from './consultation-acts.ts';
import { looksTheSame } from './consultation-view.ts';
import { Emitter } from './events.ts';
import type { Http } from './http.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import { OutboxRunner, type SentMessage } from './outbox-runner.ts';
import { PeopleBoard } from './people-board.ts';
import type { Signalling } from './requests.ts';
import type { KeptCall } from './resume/kept-call.ts';
import { startCall } from './start-call.ts';
import type { DeviceStore } from './storage/device-store.ts';
import { hasOlder } from './thread.ts';
import { type Snapshot, ThreadFollower } from './thread-follower.ts';
import { ThreadMarkKeeper } from './thread-marks.ts';
import { TypingSender } from './typing-sender.ts';
import type { Uploads } from './uploads.ts';

export interface FollowedConsultationOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly http: Http;
  readonly uploads: Uploads;
  readonly device: MediaDevice;
  readonly store: DeviceStore;
  readonly kept: KeptCall;
  /** The client's. */
  readonly life: Lifetime;
  /** A call changed, by whatever way that became known. */
  readonly onCall: (view: CallView) => void;
  /** Whether this device takes part in a call of this consultation may have changed. */
  readonly onPart: (call: ActiveCall) => void;
  readonly onUnread: (unread: Unread) => void;
  /** Called when it begins to close. */
  readonly onClosing: () => void;
  /** This person takes no part in it any more. */
  readonly onLeft: () => void;
}

/** How long opening waits for what this device has kept. */
const RESTORING_MS = 3_000;
/** How long closing waits for the server to hear that this device hangs up or stops following. */
const FAREWELL_MS = 1_500;

/** One consultation, followed: its thread, its outbox and its call, each kept by a part of its own. */
export class FollowedConsultation implements Consultation {
  readonly id: ConsultationId;
  /** Parts that facts go to directly. */
  readonly markKeeper: ThreadMarkKeeper;
  readonly people: PeopleBoard;
  readonly calls: CallSlot;
  readonly #options: FollowedConsultationOptions;
  readonly #events = new Emitter<ConsultationEvents>();
  readonly #life: Lifetime;
  /** Ends before the consultation does: who opens it next goes on with the same messages. */
  readonly #outboxLife: Lifetime;
  readonly #thread: ThreadFollower;
  readonly #outbox: OutboxRunner;
  readonly #begun: BegunText;
  readonly #typingSender: TypingSender;
  readonly #acts: ConsultationActs;
  readonly #opened: Promise<void>;
  #view: ConsultationView | null = null;
  /** The app has it open. Else it is followed no longer than its call needs it. */
  #isHeld = false;
  #closing: Promise<void> | null = null;

  // What one of the parts does alone.
  readonly enter: Consultation['enter'] = (options) => this.#acts.enter(options);
  readonly accept: Consultation['accept'] = (options) => this.#acts.accept(options);
  readonly decline: Consultation['decline'] = (options) => this.#acts.decline(options);
  readonly cancel: Consultation['cancel'] = (options) => this.#acts.cancel(options);
  readonly end: Consultation['end'] = (options) => this.#acts.end(options);
  readonly setSubject: Consultation['setSubject'] = (subject, options) =>
    this.#acts.setSubject(subject, options);
  readonly invite: Consultation['invite'] = (role, options) => this.#acts.invite(role, options);
  readonly removeParticipant: Consultation['removeParticipant'] = (personId, options) =>
    this.#acts.removeParticipant(personId, options);
  readonly transcribe: Consultation['transcribe'] = (sequence, options) =>
    this.#acts.transcribe(sequence, options);
  readonly fetchAttachment: Consultation['fetchAttachment'] = (attachment, options) =>
    this.#acts.fetchAttachment(attachment, options);
  readonly page: Consultation['page'] = (range, options) => this.#thread.page(range, options);
  readonly search: Consultation['search'] = (query, options) => this.#thread.search(query, options);
  readonly recall: Consultation['recall'] = (sequence, options) =>
    this.#thread.recall(sequence, options?.signal);
  readonly loadOlder: Consultation['loadOlder'] = (options) =>
    this.#thread.loadOlder(options?.limit ?? DEFAULT_PAGE_SIZE, options?.signal);

  constructor(options: FollowedConsultationOptions) {
    const { consultationId, signalling, uploads, device, store, kept } = options;
    this.id = consultationId;
    this.#options = options;
    this.#life = options.life.child();
    this.#outboxLife = this.#life.child();
    const life = this.#life;
    const shared = { consultationId, signalling, life };
    this.#acts = new ConsultationActs({
      ...shared,
      http: options.http,
      onView: (view) => this.#applyView(view),
    });
    this.calls = new CallSlot({
      signalling,
      device,
      kept,
      life,
      onChange: (call) => this.#handleCallChange(call),
      onPart: (call) => {
        options.onPart(call);
        void this.#closeUnlessNeeded();
      },
    });
    this.#begun = new BegunText({ consultationId, store, life });
    this.#typingSender = new TypingSender(shared);
    this.people = new PeopleBoard({ self: () => signalling.personId, life, events: this.#events });
    this.markKeeper = new ThreadMarkKeeper({
      ...shared,
      onMarks: () => this.#events.emit('marks', this.marks),
      onUnread: (unread) => {
        this.#events.emit('unread', unread);
        options.onUnread(unread);
      },
    });
    this.#outbox = new OutboxRunner({
      consultationId,
      signalling,
      uploads,
      store,
      life: this.#outboxLife,
      held: () => ({ entries: this.entries, lastSequence: this.#thread.lastSequence }),
      onChange: () => this.#events.emit('outbox', this.outbox),
      onCommitted: (sequence) => this.#handleCommitted(sequence),
    });
    this.#thread = new ThreadFollower({
      ...shared,
      onEntries: (added) => this.#handleEntries(added),
      onUpdated: (updated) => this.#events.emit('updated', updated),
      onSnapshot: (snapshot) => this.#handleSnapshot(snapshot),
      onCaughtUp: (snapshot) => this.calls.handleCaughtUp(snapshot, this.entries),
      onGone: () => this.handleLeft(),
    });
    this.#opened = this.#open();
    // Nobody may be waiting when it is rejected.
    this.#opened.catch(() => {});
  }

  /** Resolves when the newest entries are held, and what this device had begun is there again. */
  get opened(): Promise<void> {
    return this.#opened;
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
    return this.calls.call;
  }

  get marks(): readonly ThreadMarks[] {
    return this.markKeeper.marks;
  }

  get unread(): Unread {
    return this.markKeeper.unread;
  }

  get queue(): QueuePlace | null {
    return this.people.queue;
  }

  get typing(): ConsultationEvents['typing'] {
    return this.people.typing.typing;
  }

  get online(): readonly PersonId[] {
    return this.people.online;
  }

  get draft(): string {
    return this.#begun.text;
  }

  get on(): Subscribe<ConsultationEvents> {
    return this.#events.on;
  }

  markRead(upTo: number): void {
    if (!Number.isSafeInteger(upTo)) throw new AppError('INVALID', { detail: 'upTo' });
    // Nobody has read what is not here yet.
    this.markKeeper.read(Math.min(upTo, this.#thread.lastSequence));
  }

  setTyping(activity: TypingActivity): void {
    this.#typingSender.set(activity);
  }

  setDraft(text: string): void {
    this.#begun.set(text);
  }

  async leave(options?: CallOptions): Promise<void> {
    await this.#acts.leave(options);
    this.handleLeft();
  }

  send(draft: OutgoingDraft, options?: CallOptions & { replyTo?: number }): Promise<SentMessage> {
    this.#typingSender.set('none');
    return this.#outbox.send(draft, options);
  }

  retry(clientMessageId: string): Promise<SentMessage> {
    return this.#outbox.retry(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#outbox.discard(clientMessageId);
  }

  startCall(media: CallMedia, options?: CallOptions & { people?: readonly string[] }): Promise<Call> {
    const { signalling, device } = this.#options;
    const isClosing = () => this.#closing !== null;
    const parts = { consultationId: this.id, signalling, device, life: this.#life, calls: this.calls };
    return startCall({ ...parts, isClosing }, media, options);
  }

  /** The app has it open from now on, until it closes it. */
  hold(): void {
    this.#isHeld = true;
  }

  close(): Promise<void> {
    this.#isHeld = false;
    return this.#closeUnlessNeeded();
  }

  /** Also out of its call. */
  closeNow(reason: AppError): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  /** The call that this device was in, once it holds its seat again; null when that is not to be had. */
  async restoreCall(callId: CallId): Promise<Call | null> {
    try {
      return await this.calls.restore(callId, this.#thread.opened);
    } finally {
      void this.#closeUnlessNeeded();
    }
  }

  /** Drops what this device has begun and not sent. */
  async forget(reason: AppError): Promise<void> {
    this.#outbox.forget(reason);
    await this.#begun.forget();
  }

  handleEntry(entry: Entry): void {
    this.#thread.handleEntry(entry);
  }

  handleChanged(view: ConsultationView): void {
    this.#applyView(view);
    this.#thread.learnNewest(view.lastSequence);
  }

  /** This person takes no part any more: nothing can be sent, and nothing more will be told. */
  handleLeft(): void {
    if (this.#closing !== null) return;
    this.#closing = this.#closeLeft();
    this.#options.onLeft();
  }

  async #open(): Promise<void> {
    await this.#thread.opened;
    const restoring = Promise.all([this.#outbox.restore(), this.#begun.restore()]);
    // What is found later joins then; a browser that does not answer keeps nobody from the thread.
    await this.#life.withinTime(restoring, RESTORING_MS).catch(() => {});
    if (this.#life.endReason !== null) throw this.#life.endReason;
  }

  #handleEntries(added: readonly Entry[]): void {
    this.#outbox.handleEntries(added, this.#thread.lastSequence);
    this.markKeeper.handleEntries(added);
    for (const { kind, by } of added) {
      if (kind === 'message.sent' && by !== null) this.people.typing.handle(by, 'none');
    }
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
    this.markKeeper.handleSnapshot(snapshot.marks, snapshot.unread);
    this.people.handleSnapshot(snapshot);
    this.calls.handleSnapshot(snapshot);
  }

  /** Views may overtake each other; the one that knows more of the thread is the newer. */
  #applyView(view: ConsultationView): void {
    const before = this.#view;
    if (before !== null && view.lastSequence < before.lastSequence) return;
    this.#view = view;
    if (before !== null && !looksTheSame(before, view)) this.#events.emit('changed', view);
    if (view.phase !== 'waiting') this.people.handleQueue(null);
  }

  /** A call outlives the view of the app that showed it. */
  async #closeUnlessNeeded(): Promise<void> {
    if (!this.#isHeld && !this.calls.isNeeded)
      await this.closeNow(new AppError('ABORTED', { detail: 'the consultation was closed' }));
    else if (!this.#isHeld) await this.#begun.flush();
  }

  async #close(reason: AppError): Promise<void> {
    const { signalling, onClosing } = this.#options;
    // From now on the id stands for whoever opens it next.
    onClosing();
    this.#outboxLife.end(reason);
    const call = this.calls.call;
    const farewells: Promise<unknown>[] = [this.#begun.flush()];
    // Without a connection the server finds out by itself; this device forgets the call all the same.
    if (call?.takesPart === true) {
      const left = call.leave().catch(() => {});
      if (signalling.connected) farewells.push(left);
    }
    if (signalling.connected) {
      farewells.push(this.markKeeper.flush());
      farewells.push(signalling.request('consultation.unwatch', { consultationId: this.id }));
    }
    await this.#life.withinTime(Promise.allSettled(farewells), FAREWELL_MS).catch(() => {});
    this.#finish(reason, 'closed');
  }

  async #closeLeft(): Promise<void> {
    const reason = new AppError('NOT_FOUND', { detail: 'this person takes no part in it any more' });
    this.#options.onClosing();
    const forgetting = this.forget(reason);
    this.calls.forget();
    this.#finish(reason, 'left');
    await forgetting;
  }

  #finish(reason: AppError, why: ConsultationEvents['closed']['reason']): void {
    this.#life.end(reason);
    this.#events.emit('closed', { reason: why });
    this.#events.clear();
  }
}
