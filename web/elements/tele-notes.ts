import type { Dictation, Records } from '@teleconsult/client-sdk/records';
import type { DictationPurpose, Note, NoteAudio, RecordingView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { day, duration, timeOfDay } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { beginDictation, type DictationTarget, finishDictation } from '../state/dictation-flow.ts';
import { timelineFor } from '../state/lane-timeline.ts';
import { looseDictations } from '../state/loose-dictations.ts';
import { failure } from '../state/notice.ts';
import './tele-dictation.ts';
import './tele-note-card.ts';
import './tele-note-editor.ts';
import { TeleRecordsDialog } from './tele-records-dialog.ts';

/** The notes of a visit: signed ones for everybody, drafts and dictations for the doctor. */
export class TeleNotes extends TeleRecordsDialog {
  static override properties = {
    ...TeleRecordsDialog.properties,
    editedId: { state: true },
    added: { state: true },
    isBusy: { state: true },
    placed: { state: true },
  };
  declare private editedId: string | null;
  /** What was dictated to be added to a signed note. */
  declare private added: { readonly noteId: string; readonly audio: NoteAudio } | null;
  declare private isBusy: boolean;
  /** Dictations that stand in earlier versions, or that are being brought into a note. */
  declare private placed: ReadonlySet<string> | null;

  protected readonly testId: string = 'notes-dialog';
  /** What is begun here, but for what belongs to a follow-up. */
  protected readonly purpose: DictationPurpose = 'summary';

  constructor() {
    super();
    this.editedId = null;
    this.added = null;
    this.isBusy = false;
    this.placed = null;
  }

  protected override get heading(): string {
    return recordsWords().notes.title;
  }

  protected get labels(): { readonly none: string; readonly dictate: string; readonly back: string } {
    const { notes } = recordsWords();
    const none = this.model.self?.role === 'doctor' ? notes.none : notes.nonePatient;
    return { none, dictate: notes.dictate, back: notes.back };
  }

  /** Of a note that is still written. */
  protected titleOf({ purpose }: Note): string {
    return recordsWords().notes.kind[purpose];
  }

  /** What is written, but for what is its title. */
  protected bodyOf({ current }: Note): string {
    return current.text;
  }

  protected override loaded(records: Records): TemplateResult {
    const edited = records.notes.find(({ noteId, state }) => noteId === this.editedId && state === 'draft');
    const isDoctor = this.model.self?.role === 'doctor';
    return html`${isDoctor ? this.#dictations(records) : null}
      ${edited === undefined ? this.#list(records, isDoctor) : this.#editor(records, edited)}`;
  }

  #dictations(records: Records): TemplateResult {
    const shown = records.dictations.filter(({ state }) => state !== 'finished');
    return html`<div class="cards" @tele-finish=${(event: CustomEvent<Dictation>) => void this.#finish(records, event.detail)}>
      ${repeat(
        shown,
        ({ id }) => id,
        (dictation) =>
          html`<tele-dictation .dictation=${dictation} .isOffline=${!this.model.isConnected}></tele-dictation>`,
      )}
    </div>`;
  }

  #list(records: Records, isDoctor: boolean): TemplateResult {
    const loose = isDoctor ? this.#loose(records) : [];
    const isNone = records.notes.length === 0 && loose.length === 0 && this.model.dictation === null;
    return html`${isNone ? html`<p data-testid="no-notes">${this.labels.none}</p>` : null}
      ${isDoctor ? this.#begin(records) : null}
      <div class="cards" @tele-added=${() => {
        this.added = null;
      }}>
        ${loose.map((recording) => this.#looseCard(records, recording))}
        ${repeat(
          [...records.notes].reverse(),
          ({ noteId }) => noteId,
          (note) => (note.state === 'draft' ? this.#draft(note) : this.signed(records, note)),
        )}
      </div>`;
  }

  #begin(records: Records): TemplateResult {
    const begin = (): void => void this.#dictate(records, this.purpose, { kind: 'newNote' });
    return html`<div class="acts">
      <button type="button" class="primary" data-testid="dictate" ?disabled=${this.isBusy || !this.#mayDictate} @click=${begin}>
        ${icons.microphone(20)}${this.labels.dictate}
      </button>
      ${this.writing(records)}
    </div>`;
  }

  /** Beginning a note without a word dictated. */
  protected writing(records: Records): TemplateResult | null {
    const write = (): void => void this.#write(records);
    return html`<button type="button" data-testid="write-note" ?disabled=${this.isBusy} @click=${write}>
      ${marks.pen(20)}${recordsWords().notes.write}
    </button>`;
  }

  #draft(note: Note): TemplateResult {
    const { notes } = recordsWords();
    return html`<article class="card" data-testid="draft-note">
      <h3>${this.titleOf(note)}</h3>
      <span class="badge">${notes.draft}</span>
      <p class="text">${this.bodyOf(note).slice(0, 200)}</p>
      ${note.current.audio === null ? null : html`<p class="meta">${notes.withDictation}</p>`}
      <div class="acts">
        <button type="button" class="primary" data-testid="note-edit" @click=${() => {
          this.editedId = note.noteId;
        }}>${marks.pen(20)}${notes.edit}</button>
      </div>
    </article>`;
  }

  protected signed(records: Records, note: Note): TemplateResult {
    return html`<tele-note-card
      .model=${this.model}
      .records=${records}
      .note=${note}
      .mayDictate=${this.#mayDictate}
      .addedAudio=${this.added?.noteId === note.noteId ? this.added.audio : null}
      @tele-dictate=${() => void this.#dictate(records, note.purpose, { kind: 'addition', noteId: note.noteId }, note.followUpId)}
    ></tele-note-card>`;
  }

  #editor(records: Records, note: Note): TemplateResult {
    const back = (): void => {
      this.editedId = null;
    };
    return html`<div class="acts"><button type="button" class="quiet" data-testid="notes-back" @click=${back}>${icons.back(20)}${this.labels.back}</button></div>
      <tele-note-editor
        .model=${this.model}
        .records=${records}
        .note=${note}
        .mayDictate=${this.#mayDictate}
        @tele-dictate=${() => void this.#dictate(records, note.purpose, { kind: 'draft', noteId: note.noteId }, note.followUpId)}
        @tele-signed=${back}
        @tele-discarded=${back}
      ></tele-note-editor>`;
  }

  #looseCard(records: Records, recording: RecordingView): TemplateResult {
    const { notes } = recordsWords();
    const when = `${day(recording.startedAt)} ${timeOfDay(recording.startedAt)}`;
    return html`<article class="card" data-testid="loose-dictation">
      <h3>${notes.loose}</h3>
      <p class="meta">${notes.looseText(when, duration(timelineFor(recording).lengthMs))}</p>
      <div class="acts">
        <button type="button" class="primary" data-testid="make-note" ?disabled=${this.isBusy} @click=${() => void this.#makeNote(records, recording)}>${notes.makeNote}</button>
      </div>
    </article>`;
  }

  get #mayDictate(): boolean {
    return !this.model.isDictating;
  }

  /** A dictation of an earlier version is no loose one: versions are looked at before any is called so. */
  #loose(records: Records): readonly RecordingView[] {
    const self = this.model.self?.personId;
    const { recordings, notes } = records;
    const history = this.placed ?? new Set<string>();
    const found = looseDictations({ recordings, notes, history, self });
    if (found.length === 0 || this.placed !== null) return found;
    void this.#learnVersions(records);
    return [];
  }

  async #learnVersions(records: Records): Promise<void> {
    const placed = new Set<string>();
    this.placed = placed;
    const versioned = records.notes.filter(
      ({ author, current }) => this.model.isSelf(author) && current.version > 1,
    );
    await this.attempt(async () => {
      for (const { noteId } of versioned)
        for (const { audio } of await records.noteHistory(noteId))
          if (audio !== null) placed.add(audio.recordingId);
    });
    this.placed = new Set(placed);
  }

  async #dictate(
    records: Records,
    purpose: DictationPurpose,
    target: DictationTarget,
    followUpId: string | null = null,
  ): Promise<void> {
    this.isBusy = true;
    try {
      await beginDictation(records, purpose, { target, followUpId });
    } catch (error) {
      const told = this.#refusal(error);
      if (told === null) await this.attempt(() => Promise.reject(error));
      else this.notify(failure(told));
    }
    this.isBusy = false;
  }

  #refusal(error: unknown): string | null {
    const { dictation } = recordsWords();
    switch (error instanceof AppError ? error.code : null) {
      case 'PERMISSION_DENIED':
        return dictation.denied;
      case 'DEVICE_UNAVAILABLE':
        return dictation.unavailable;
      case 'UNSUPPORTED_BROWSER':
        return dictation.unsupported;
      case 'STORAGE_FULL':
        return dictation.full;
      case 'WRONG_STATE':
        return dictation.stoppedBy;
      default:
        return null;
    }
  }

  async #finish(records: Records, dictation: Dictation): Promise<void> {
    await this.attempt(async () => {
      const finished = await finishDictation(records, dictation);
      if (finished === null) return;
      if (finished.kind === 'note') this.editedId = finished.noteId;
      else this.added = finished;
    });
  }

  async #write(records: Records): Promise<void> {
    this.isBusy = true;
    await this.attempt(async () => {
      const note = await records.createNote({ purpose: this.purpose, text: '', audio: null });
      this.editedId = note.noteId;
    });
    this.isBusy = false;
  }

  async #makeNote(records: Records, { recordingId, purpose, followUpId }: RecordingView): Promise<void> {
    if (purpose === 'consultation' || purpose === 'phone_call') return;
    this.isBusy = true;
    await this.attempt(async () => {
      const audio = { recordingId, startMs: 0, endMs: null };
      const of = followUpId === null ? {} : { followUpId };
      this.editedId = (await records.createNote({ purpose, ...of, text: '', audio })).noteId;
    });
    this.isBusy = false;
  }
}

customElements.define('tele-notes', TeleNotes);
