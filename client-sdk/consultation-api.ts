/** The part of the public interface that is about one consultation. Exported by api.ts. */
import type {
  AppError,
  Attachment,
  AttachmentId,
  CallMedia,
  ClientMessageId,
  ConsultationFormDraft,
  ConsultationId,
  ConsultationView,
  DeclineReason,
  Entry,
  FormAttachmentPurpose,
  GuestRole,
  PersonId,
  QueuePlace,
  SubjectDraft,
  ThreadMarks,
  TypingActivity,
  Unread,
} from '@teleconsult/protocol';
import type { Call, CallOptions, Subscribe } from './call-api.ts';

export interface Invitation {
  readonly invitationId: string;
  /** What the QR code or link carries. */
  readonly code: string;
  readonly expiresAt: number;
}

/**
 * A message of this device on its way. `attempts` counts sends; `progress` is the upload's share, 0 to 1. It leaves
 * the outbox when its entry is held, so that at any time it is in the outbox or in `entries`, never in both.
 */
export interface OutgoingMessage {
  readonly clientMessageId: ClientMessageId;
  readonly state: 'uploading' | 'sending' | 'sent' | 'failed';
  readonly draft: OutgoingDraft;
  readonly progress: number;
  readonly attempts: number;
  readonly error: AppError | null;
  readonly queuedAt: number;
  readonly replyTo: number | null;
}

/** What the app hands in; attachments are uploaded by the SDK. */
export type OutgoingDraft =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: Blob; readonly caption?: string }
  | { readonly type: 'voice'; readonly data: Blob }
  | { readonly type: 'file'; readonly data: Blob; readonly fileName: string; readonly caption?: string }
  | {
      readonly type: 'form';
      readonly form: Omit<ConsultationFormDraft, 'attachments'>;
      /** A Blob of type `image/…` is uploaded as a picture, anything else as a file of that name. */
      readonly attachments: readonly {
        readonly purpose: FormAttachmentPurpose;
        readonly data: Blob;
        readonly fileName?: string;
      }[];
    };

export interface ConsultationEvents {
  /** The consultation's phase or participants changed. */
  changed: ConsultationView;
  /** Entries in ascending order, without gaps and without repeats, live or caught up. */
  entries: readonly Entry[];
  /** The outbox changed: queued, progressing, sent (then also in `entries`) or failed. */
  outbox: readonly OutgoingMessage[];
  /** A call began, changed or ended; null when there is none any more. */
  call: Call | null;
  /** Entries held already that changed: recalled and removed messages are `withdrawn` now. */
  updated: readonly Entry[];
  /** Somebody has received or read more. */
  marks: readonly ThreadMarks[];
  unread: Unread;
  queue: QueuePlace | null;
  /** Who types or records now, without this person. */
  typing: readonly { readonly personId: PersonId; readonly activity: TypingActivity }[];
  /** Who has a connected device now. */
  online: readonly PersonId[];
  /** The last event: it is not followed any more. `left`: this person takes no part in it now. */
  closed: { readonly reason: 'closed' | 'left' };
}

export interface Consultation {
  readonly id: ConsultationId;
  readonly view: ConsultationView;
  /**
   * The entries held so far: a gapless run up to the newest. Of a long thread at most 2,000: the oldest are let go as
   * new ones come, and `page` reads any.
   */
  readonly entries: readonly Entry[];
  /** True while older entries than the first held can be loaded: there are some, and fewer than 2,000 are held. */
  readonly hasOlder: boolean;
  readonly outbox: readonly OutgoingMessage[];
  readonly call: Call | null;
  readonly marks: readonly ThreadMarks[];
  readonly unread: Unread;
  readonly queue: QueuePlace | null;
  readonly typing: ConsultationEvents['typing'];
  readonly online: readonly PersonId[];
  readonly on: Subscribe<ConsultationEvents>;
  /** Puts a page of older entries before those held and resolves with it. They are not repeated by `entries`. */
  loadOlder(options?: CallOptions & { limit?: number }): Promise<readonly Entry[]>;
  /** Any page of the thread, ascending; it is not held. `{after: 0}` is the oldest, `{before}` what lies below. */
  page(
    range: { after: number } | { before: number },
    options?: CallOptions & { limit?: number },
  ): Promise<{ entries: readonly Entry[]; hasMore: boolean }>;
  /** Messages that hold a text, newest first. `nextBefore` goes on where this answer stopped looking. */
  search(
    query: string,
    options?: CallOptions & { beforeSequence?: number; limit?: number },
  ): Promise<{ matches: readonly Entry[]; nextBefore: number | null }>;
  /** This person has read the thread up to here; it only rises. Receipts of delivery are sent by the SDK itself. */
  markRead(upTo: number): void;
  /**
   * This person types or records now. Call it at each key stroke: `typing` is over five seconds after the last, and when
   * something is sent; `recording` lasts until it is set otherwise.
   */
  setTyping(activity: TypingActivity): void;
  /** The text begun and not sent; kept over reloads. */
  readonly draft: string;
  setDraft(text: string): void;
  enter(options?: CallOptions): Promise<ConsultationView>;
  accept(options?: CallOptions): Promise<ConsultationView>;
  decline(options?: CallOptions & { reason?: DeclineReason; note?: string }): Promise<ConsultationView>;
  cancel(options?: CallOptions): Promise<ConsultationView>;
  end(options?: CallOptions & { note?: string }): Promise<ConsultationView>;

  /** For whom the patient consults, before the visit begins; null: for themselves. */
  setSubject(subject: SubjectDraft | null, options?: CallOptions): Promise<ConsultationView>;
  /** Invites a relative, an interpreter or a colleague. */
  invite(role: GuestRole, options?: CallOptions & { validForMs?: number }): Promise<Invitation>;
  /** A guest leaves the consultation. */
  leave(options?: CallOptions): Promise<void>;
  /** The doctor removes a guest. */
  removeParticipant(personId: string, options?: CallOptions): Promise<ConsultationView>;

  /**
   * Queues a message and resolves when the server has committed it. The outbox keeps the order of calls and
   * goes on by itself after a lost connection; a message the server refuses becomes `failed` and lets the next pass.
   * Rejects with why it failed; with `ABORTED` when the signal aborts, which takes the message out unless it was
   * already sent once; with `RATE_LIMITED` when 500 messages wait, `TOO_LARGE` when their attachments exceed 200 MB. What
   * waits is kept over reloads and sent when the consultation is opened again, attachments included.
   */
  send(
    draft: OutgoingDraft,
    options?: CallOptions & { replyTo?: number },
  ): Promise<{ sequence: number; messageId: string }>;
  /** Takes a message back within two minutes; rejects with `EXPIRED` later. */
  recall(sequence: number, options?: CallOptions): Promise<void>;
  /** The words of a voice message. Rejects with `NOT_CONFIGURED` where there is no speech service. */
  transcribe(sequence: number, options?: CallOptions & { language?: 'zh' | 'en' }): Promise<string>;
  /** Sends a failed message again, without uploading again what has arrived. */
  retry(clientMessageId: string): Promise<{ sequence: number; messageId: string }>;
  /** Takes a failed message out of the outbox. */
  discard(clientMessageId: string): void;
  /** The bytes of an attachment. */
  fetchAttachment(
    attachment: Attachment | AttachmentId,
    options?: CallOptions & { variant?: 'original' | 'thumbnail' },
  ): Promise<Blob>;

  /**
   * Rings the others. Resolves when the server has answered; microphone and camera are asked for meanwhile, and what
   * cannot be had is a `problem` of the call. Rejects with `UNSUPPORTED_BROWSER` where there is no WebRTC. While this
   * device is in a call already, answers that one. Rejects with `BUSY` when everybody called is in another call (the
   * thread says so, too). Aborting hangs up what was begun.
   */
  startCall(media: CallMedia, options?: CallOptions & { people?: readonly string[] }): Promise<Call>;
  /**
   * Stops following. The consultation goes on, and so does a call that this device takes part in: then following stops
   * with the call, unless it is opened again before. Promises of messages not yet sent reject with `ABORTED`; where
   * there is a lasting storage they are kept, and go on when it is opened again.
   */
  close(): Promise<void>;
}
