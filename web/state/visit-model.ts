import type { Call, Consultation } from '@teleconsult/client-sdk/api';
import type {
  ConsultationView,
  Entry,
  MediaSource,
  Participant,
  ParticipantRole,
  PersonId,
} from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import { duration } from '../i18n/format.ts';
import { messages } from '../i18n/language.ts';
import { speak } from './announcer.ts';
import { AttachmentBlobs } from './attachment-blobs.ts';
import { CallModel } from './call-model.ts';
import { Changes } from './changes.ts';
import { information, type Notice, noticeOf } from './notice.ts';

interface VisitModelOptions {
  readonly visit: Consultation;
  /** Whom this page is made for. */
  readonly role: ParticipantRole;
  /** Whom the token speaks for, where that is known; otherwise whoever has the role. */
  readonly personId: PersonId | null;
  readonly onNotice: (notice: Notice) => void;
}

/** One consultation as the pages show it: its people, its call, its attachments, and what is to be said aloud. */
export class VisitModel {
  readonly visit: Consultation;
  readonly role: ParticipantRole;
  readonly blobs: AttachmentBlobs;
  readonly changes = new Changes();
  /** Messages of the other person that came while the page was hidden. */
  unread = 0;
  /** Text not yet sent, kept while the doctor looks at another consultation. */
  unsentText = '';

  #call: CallModel | null = null;
  #newest: number;
  readonly #personId: PersonId | null;
  readonly #onNotice: (notice: Notice) => void;
  readonly #stops: readonly (() => void)[];

  constructor({ visit, role, personId, onNotice }: VisitModelOptions) {
    this.visit = visit;
    this.role = role;
    this.#personId = personId;
    this.#onNotice = onNotice;
    this.#newest = visit.entries.at(-1)?.sequence ?? 0;
    this.blobs = new AttachmentBlobs((attachmentId, variant, signal) =>
      visit.fetchAttachment(attachmentId, { variant, signal }),
    );
    this.#stops = [
      visit.on('changed', () => this.changes.announce()),
      visit.on('call', (call) => this.#follow(call)),
      visit.on('entries', (entries) => this.#hear(entries)),
    ];
    this.#follow(visit.call);
  }

  get view(): ConsultationView {
    return this.visit.view;
  }

  get call(): CallModel | null {
    return this.#call;
  }

  get self(): Participant | undefined {
    const { participants } = this.view;
    const named = participants.find(({ personId }) => personId === this.#personId);
    return named ?? participants.find(({ role }) => role === this.role);
  }

  get other(): Participant | undefined {
    const { self } = this;
    return this.view.participants.find((participant) => participant !== self);
  }

  isSelf(personId: PersonId | null): boolean {
    return personId !== null && personId === this.self?.personId;
  }

  /** The name to show beside something a person did. */
  nameOf(personId: PersonId | null): string {
    if (this.isSelf(personId)) return messages().you;
    const person = this.view.participants.find((participant) => participant.personId === personId);
    return person?.displayName ?? messages().productName;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#call?.close();
    this.#call = null;
    this.blobs.close();
    await this.visit.close();
  }

  #follow(call: Call | null): void {
    if (call?.view.state === 'ended') call = null;
    if (call === (this.#call?.call ?? null)) {
      this.changes.announce();
      return;
    }
    this.#call?.close();
    const self = this.self?.personId;
    this.#call =
      call === null || self === undefined
        ? null
        : new CallModel({ call, self, onProblem: (error, source) => this.#problem(error, source) });
    // Answering, say, moves the call from the dialog to the panel.
    this.#call?.changes.subscribe(() => this.changes.announce());
    this.changes.announce();
  }

  #hear(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.sequence <= this.#newest) continue;
      this.#newest = entry.sequence;
      if (entry.kind === 'call.ended' && entry.reason !== 'completed' && !this.isSelf(entry.by)) {
        // A notice is spoken, too.
        this.#onNotice(information(messages().call.outcome[entry.reason]));
        continue;
      }
      if (document.hidden && entry.kind === 'message.sent' && !this.isSelf(entry.by)) this.unread += 1;
      const spoken = this.#spoken(entry);
      if (spoken !== null) speak(spoken);
    }
    this.changes.announce();
  }

  /** What a person who does not see the page has to hear of an entry; null for their own doings. */
  #spoken(entry: Entry): string | null {
    const { thread, call } = messages();
    if (entry.kind === 'call.ended')
      return entry.reason === 'completed'
        ? thread.callEnded.completed(duration(entry.durationMs))
        : call.outcome[entry.reason];
    if (this.isSelf(entry.by)) return null;
    const name = this.nameOf(entry.by);
    if (entry.kind === 'consultation.accepted') return thread.accepted(name);
    if (entry.kind === 'consultation.waiting') return thread.waiting(name);
    if (entry.kind === 'consultation.ended') return messages().ended[entry.reason];
    if (entry.kind === 'call.answered') return thread.answered(name);
    if (entry.kind === 'call.mediaChanged') return thread.mediaChanged[entry.media];
    if (entry.kind !== 'message.sent') return null;
    const { content } = entry;
    if (content.type === 'text') return thread.saidText(name, content.text);
    if (content.type === 'image') return thread.saidPicture(name);
    if (content.type === 'voice' && content.attachment.kind === 'voice')
      return thread.saidVoice(name, duration(content.attachment.durationMs));
    if (content.type === 'file' && content.attachment.kind === 'file')
      return thread.saidFile(name, content.attachment.fileName);
    return null;
  }

  #problem(error: AppError, source: MediaSource | null): void {
    const notice = noticeOf(error, source);
    if (notice !== null) this.#onNotice(notice);
  }
}
