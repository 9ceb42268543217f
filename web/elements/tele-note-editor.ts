import type { Records } from '@teleconsult/client-sdk/records';
import type { Note, NoteVersion, RecordingView } from '@teleconsult/protocol';
import { MAX_NOTE_LENGTH } from '@teleconsult/protocol/limits';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { timeOfDay } from '../i18n/format.ts';
import { type RecordsWords, recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { speak } from '../state/announcer.ts';
import { Follow } from '../state/follow.ts';
import { timelineFor } from '../state/lane-timeline.ts';
import { NoteDraft } from '../state/note-draft.ts';
import type { RecordsPlace } from '../state/records-place.ts';
import { audioOf, type Trim, trimOf } from '../state/trim.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { fields } from '../styles/fields.ts';
import { noteStyle } from '../styles/note.ts';
import { recordsStyle } from '../styles/records.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleElement } from './tele-element.ts';
import './tele-lane-player.ts';
import './tele-note-history.ts';
import './tele-trim.ts';

const REMAINING_SHOWN = 500;

/**
 * A draft: the dictation to listen to and trim, the text beside it, its earlier versions, and signing. Tells `tele-dictate`
 * to record again, `tele-signed`, and `tele-discarded`.
 */
export class TeleNoteEditor extends TeleElement {
  static override properties = {
    model: { attribute: false },
    records: { attribute: false },
    note: { attribute: false },
    mayDictate: { attribute: false },
    isBusy: { state: true },
  };
  declare model: RecordsPlace;
  declare records: Records;
  declare note: Note;
  /** No other dictation runs on this device. */
  declare mayDictate: boolean;
  declare private isBusy: boolean;

  #draft: NoteDraft | null = null;
  #stop: (() => void) | null = null;

  static override styles = [common, buttons, fields, recordsStyle, noteStyle];

  constructor() {
    super();
    this.mayDictate = true;
    this.isBusy = false;
    // A dictation may become known after its note.
    new Follow<Records>(this, {
      subject: () => this.records,
      subscribe: (records, update) => [records.on('recordings', update)],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#onVisibility);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#closeDraft();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const isOther = this.#draft !== null && this.#draft.note.noteId !== this.note.noteId;
    if (changed.has('note') && isOther) this.#closeDraft();
    if (this.#draft !== null) return;
    this.#draft = new NoteDraft(this.records, this.note);
    this.#stop = this.#draft.changes.subscribe(() => this.requestUpdate());
  }

  /** A page that is left or put away may not come back. */
  readonly #onVisibility = (): void => {
    if (document.hidden) void this.#draft?.save();
  };

  #closeDraft(): void {
    this.#draft?.close();
    this.#stop?.();
    this.#draft = null;
  }

  override render() {
    const draft = this.#draft;
    if (draft === null) return null;
    const { notes } = recordsWords();
    return html`<div class="editor" data-testid="note-editor">
        <div class="head">
          <h3>${notes.kind[this.note.purpose]}</h3>
          <span class="badge">${notes.draft}</span>
          <span class="saved ${draft.state}" role="status" data-testid="note-saved" data-state=${draft.state}>${this.#savedWords(draft)}</span>
        </div>
        ${draft.theirs === null ? null : this.#conflict(draft, draft.theirs)} ${this.#audio(draft)}
        <div class="field">
          <label for="text">${this.#signing.text}</label>
          <textarea
            id="text"
            data-testid="note-text"
            maxlength=${MAX_NOTE_LENGTH}
            aria-describedby="text-hint"
            .value=${live(draft.text)}
            @input=${(event: Event) => draft.edit({ text: (event.target as HTMLTextAreaElement).value })}
            @blur=${() => void draft.save()}
          ></textarea>
          <span class="hint" id="text-hint">${this.#signing.textHint} ${
            MAX_NOTE_LENGTH - draft.text.length < REMAINING_SHOWN
              ? notes.remaining(MAX_NOTE_LENGTH - draft.text.length)
              : ''
          }</span>
        </div>
        ${this.#history(draft)}
        <div class="acts end">
          <button type="button" class="quiet warn-text" data-testid="note-discard" ?disabled=${this.isBusy} @click=${() => void this.#discard()}>
            ${marks.trash(20)}${notes.discard}
          </button>
          <button type="button" class="primary" data-testid="note-sign" ?disabled=${this.isBusy || draft.state === 'conflict'} @click=${() => void this.#sign(draft)}>
            ${icons.check(20)}${this.#signing.sign}
          </button>
        </div>
      </div>
      <tele-confirm></tele-confirm>`;
  }

  #savedWords(draft: NoteDraft): string {
    const { notes } = recordsWords();
    switch (draft.state) {
      case 'saved':
        return draft.savedAt === null ? '' : notes.savedAt(timeOfDay(draft.savedAt));
      case 'unsaved':
        return notes.unsaved;
      case 'saving':
        return notes.saving;
      case 'failed':
        return notes.saveFailed;
      case 'conflict':
        return notes.unsaved;
      default: {
        const unreachable: never = draft.state;
        return unreachable;
      }
    }
  }

  #conflict(draft: NoteDraft, theirs: Note): TemplateResult {
    const { notes } = recordsWords();
    const mayGoOn = theirs.state === 'draft';
    const part = (name: string, text: string, hasAudio: boolean): TemplateResult => html`<div class="side">
      <h4>${name}</h4>
      <p class="text">${text}</p>
      ${hasAudio ? html`<p class="meta">${notes.withDictation}</p>` : null}
    </div>`;
    return html`<div class="meeting" role="alert" data-testid="note-conflict">
      <p class="told">${icons.alert(18)}<span>${notes.conflict}</span></p>
      <div class="sides">${part(notes.mine, draft.text, draft.audio !== null)} ${part(notes.theirs, theirs.current.text, theirs.current.audio !== null)}</div>
      <div class="acts">
        ${
          mayGoOn
            ? html`<button type="button" data-testid="conflict-mine" @click=${() => void draft.resolve('mine')}>${notes.keepMine}</button>
              <button type="button" data-testid="conflict-theirs" @click=${() => void draft.resolve('theirs')}>${notes.takeTheirs}</button>
              <button type="button" class="primary" data-testid="conflict-both" @click=${() => void draft.resolve('both')}>${notes.joinBoth}</button>`
            : html`<button type="button" data-testid="conflict-theirs" @click=${() => this.tell('tele-signed')}>${notes.takeTheirs}</button>`
        }
      </div>
    </div>`;
  }

  #audio(draft: NoteDraft): TemplateResult {
    const { notes } = recordsWords();
    const { audio } = draft;
    const recording = this.records.recordings.find(({ recordingId }) => recordingId === audio?.recordingId);
    const mic = icons.microphone(20);
    if (audio === null || recording === undefined)
      return html`<div class="audio">
        <span class="label">${notes.audio}</span>
        <p class="meta">${audio === null ? notes.noAudio : notes.withDictation}</p>
        <div class="acts">
          <button type="button" data-testid="note-dictate" ?disabled=${!this.mayDictate} @click=${() => this.#dictate(draft)}>${mic}${notes.dictateHere}</button>
        </div>
      </div>`;
    const { lengthMs } = timelineFor(recording);
    const trim = trimOf(audio, lengthMs);
    return html`<div class="audio">
      <span class="label">${notes.audio}</span>
      <tele-lane-player .records=${this.records} .recording=${recording} .nameOf=${this.model.namer} .fromMs=${trim.startMs} .toMs=${trim.endMs}></tele-lane-player>
      <tele-trim .trim=${trim} .lengthMs=${lengthMs} @tele-trim=${(event: CustomEvent<Trim>) => this.#cut(draft, { recording, trim: event.detail, lengthMs })}></tele-trim>
      <div class="acts">
        <button type="button" data-testid="note-dictate" title=${notes.reRecordHint} ?disabled=${!this.mayDictate} @click=${() => this.#dictate(draft)}>${mic}${notes.reRecord}</button>
        <button type="button" class="quiet" data-testid="note-remove-audio" @click=${() => draft.edit({ audio: null })}>${notes.removeAudio}</button>
      </div>
      <p class="meta">${notes.reRecordHint}</p>
    </div>`;
  }

  #cut(
    draft: NoteDraft,
    {
      recording,
      trim,
      lengthMs,
    }: { readonly recording: RecordingView; readonly trim: Trim; readonly lengthMs: number },
  ): void {
    draft.edit({ audio: audioOf(recording.recordingId, trim, lengthMs) });
  }

  #history(draft: NoteDraft): TemplateResult | null {
    const { noteId, current } = draft.note;
    if (current.version < 2) return null;
    return html`<tele-note-history
      .records=${this.records}
      noteId=${noteId}
      newest=${current.version}
      .mayRestore=${true}
      @tele-restore=${({ detail: { text, audio } }: CustomEvent<NoteVersion>) => draft.edit({ text, audio })}
    ></tele-note-history>`;
  }

  /** What is written goes first: the dictation becomes the version after it. */
  #dictate(draft: NoteDraft): void {
    void draft.save().then(() => this.tell('tele-dictate', this.note.noteId));
  }

  get #isClip(): boolean {
    return this.note.purpose === 'health_channel';
  }

  /** A clip is published by signing it. */
  get #signing(): RecordsWords['channel']['signing'] {
    const { notes, channel } = recordsWords();
    return this.#isClip ? channel.signing : notes;
  }

  async #sign(draft: NoteDraft): Promise<void> {
    const words = this.#signing;
    const isEmpty = this.#isClip ? draft.audio === null : draft.isEmpty;
    if (isEmpty) {
      this.notify({ tone: 'error', text: words.signEmpty });
      return;
    }
    const isSure = await this.#confirmed(
      { title: words.signTitle, text: words.signText, confirm: words.signConfirm },
      'note-sign-confirm',
    );
    if (!isSure) return;
    this.isBusy = true;
    await draft.save();
    if (draft.state === 'saved' && (await this.attempt(() => this.records.signNote(draft.note)))) {
      speak(words.signedNow);
      this.tell('tele-signed');
    }
    this.isBusy = false;
  }

  async #discard(): Promise<void> {
    const { notes } = recordsWords();
    const isSure = await this.#confirmed(
      { title: notes.discardTitle, text: notes.discardText, confirm: notes.discardConfirm },
      'note-discard-confirm',
    );
    if (!isSure) return;
    this.isBusy = true;
    if (await this.attempt(() => this.records.discardNote(this.note.noteId))) this.tell('tele-discarded');
    this.isBusy = false;
  }

  async #confirmed(
    asked: { readonly title: string; readonly text: string; readonly confirm: string },
    testId: string,
  ): Promise<boolean> {
    const confirm = this.renderRoot.querySelector<TeleConfirm>('tele-confirm');
    const answer = await confirm?.ask({ ...asked, back: recordsWords().notes.goOn, testId });
    return typeof answer === 'string';
  }
}

customElements.define('tele-note-editor', TeleNoteEditor);
