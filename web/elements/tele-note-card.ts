import type { Records } from '@teleconsult/client-sdk/records';
import type { Note, NoteAudio, NoteVersion } from '@teleconsult/protocol';
import { MAX_NOTE_LENGTH } from '@teleconsult/protocol/limits';
import { html, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import type { RecordsPlace } from '../state/records-place.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { fields } from '../styles/fields.ts';
import { noteStyle } from '../styles/note.ts';
import { recordsStyle } from '../styles/records.ts';
import { TeleElement } from './tele-element.ts';
import './tele-lane-player.ts';
import './tele-note-history.ts';

/** A signed note with what was added to it. Its author adds here. Tells `tele-dictate` to add by voice. */
export class TeleNoteCard extends TeleElement {
  static override properties = {
    model: { attribute: false },
    records: { attribute: false },
    note: { attribute: false },
    mayDictate: { attribute: false },
    addedAudio: { attribute: false },
    isAdding: { state: true },
    isBusy: { state: true },
  };
  declare model: RecordsPlace;
  declare records: Records;
  declare note: Note;
  declare mayDictate: boolean;
  /** A dictation that was made to be added. */
  declare addedAudio: NoteAudio | null;
  declare private isAdding: boolean;
  declare private isBusy: boolean;

  #text = '';

  static override styles = [common, buttons, fields, recordsStyle, noteStyle];

  constructor() {
    super();
    this.mayDictate = true;
    this.addedAudio = null;
    this.isAdding = false;
    this.isBusy = false;
    // A dictation may become known after its note.
    new Follow<Records>(this, {
      subject: () => this.records,
      subscribe: (records, update) => [records.on('recordings', update)],
    });
  }

  override render() {
    const { note, model } = this;
    const { notes } = recordsWords();
    const signed = notes.signed(model.nameOf(note.author), moment(note.signedAt ?? note.current.at));
    const mayAdd = model.isSelf(note.author);
    const isAdding = this.isAdding || this.addedAudio !== null;
    return html`<article class="card" aria-label=${`${notes.kind[note.purpose]}. ${signed}`} data-testid="signed-note">
      <h3>${notes.kind[note.purpose]}</h3>
      <p class="meta signed">${icons.check(18)}<span>${signed}</span></p>
      ${this.#version(note.current)}
      ${
        model.self?.role === 'doctor' && note.current.version > 1
          ? html`<tele-note-history .records=${this.records} noteId=${note.noteId} newest=${note.current.version}></tele-note-history>`
          : null
      }
      ${note.additions.map(
        (addition) => html`<div class="addition" data-testid="note-addition">
          <p class="meta">${notes.addition(model.nameOf(addition.by), moment(addition.at))}</p>
          ${this.#version(addition)}
        </div>`,
      )}
      ${mayAdd && isAdding ? this.#form() : null}
      ${
        mayAdd && !isAdding
          ? html`<div class="acts"><button type="button" data-testid="note-add" @click=${() => {
              this.isAdding = true;
            }}>${icons.plus(20)}${notes.add}</button></div>`
          : null
      }
    </article>`;
  }

  #version({ text, audio }: Pick<NoteVersion, 'text' | 'audio'>): TemplateResult {
    return html`${text === '' ? null : html`<p class="text">${text}</p>`} ${audio === null ? null : this.#player(audio)}`;
  }

  #player(audio: NoteAudio): TemplateResult {
    const recording = this.records.recordings.find(({ recordingId }) => recordingId === audio.recordingId);
    if (recording === undefined || !recording.rights.includes('play') || recording.state === 'erased')
      return html`<p class="meta">${recordsWords().notes.withDictation}</p>`;
    return html`<tele-lane-player .records=${this.records} .recording=${recording} .nameOf=${this.model.namer} .fromMs=${audio.startMs} .toMs=${audio.endMs}></tele-lane-player>`;
  }

  #form(): TemplateResult {
    const { notes } = recordsWords();
    return html`<div class="audio" data-testid="note-add-form">
      <div class="field">
        <label for="addition">${notes.addLabel}</label>
        <textarea
          id="addition"
          data-testid="note-add-text"
          maxlength=${MAX_NOTE_LENGTH}
          aria-describedby="addition-hint"
          @input=${(event: Event) => {
            this.#text = (event.target as HTMLTextAreaElement).value;
            this.requestUpdate();
          }}
        ></textarea>
        <span class="hint" id="addition-hint">${notes.addHint}</span>
      </div>
      ${this.addedAudio === null ? null : this.#player(this.addedAudio)}
      <div class="acts end">
        <button type="button" @click=${() => this.#cancel()}>${this.words.cancel}</button>
        <button type="button" data-testid="note-add-dictate" ?disabled=${!this.mayDictate} @click=${() => this.tell('tele-dictate', this.note.noteId)}>
          ${icons.microphone(20)}${notes.dictateHere}
        </button>
        <button type="button" class="primary" data-testid="note-add-confirm" ?disabled=${this.isBusy || (this.#text.trim() === '' && this.addedAudio === null)} @click=${() => void this.#add()}>
          ${notes.addConfirm}
        </button>
      </div>
    </div>`;
  }

  #cancel(): void {
    this.isAdding = false;
    this.#text = '';
    if (this.addedAudio !== null) this.tell('tele-added');
  }

  async #add(): Promise<void> {
    this.isBusy = true;
    const content = { text: this.#text.trim(), audio: this.addedAudio };
    if (await this.attempt(() => this.records.addToNote(this.note.noteId, content))) {
      this.isAdding = false;
      this.#text = '';
      this.tell('tele-added');
    }
    this.isBusy = false;
  }
}

customElements.define('tele-note-card', TeleNoteCard);
