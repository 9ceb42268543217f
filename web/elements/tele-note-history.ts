import type { Records } from '@teleconsult/client-sdk/records';
import type { NoteVersion } from '@teleconsult/protocol';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { noteStyle } from '../styles/note.ts';
import { recordsStyle } from '../styles/records.ts';
import { TeleElement } from './tele-element.ts';

/** The versions of a note, newest first, fetched when they are opened. Tells `tele-restore` with the one to take again. */
export class TeleNoteHistory extends TeleElement {
  static override properties = {
    records: { attribute: false },
    noteId: {},
    newest: { type: Number },
    mayRestore: { attribute: false },
    isOpen: { state: true },
    versions: { state: true },
  };
  declare records: Records;
  declare noteId: string;
  /** The number of the newest version: with each new one the list is fetched again. */
  declare newest: number;
  declare mayRestore: boolean;
  declare private isOpen: boolean;
  declare private versions: readonly NoteVersion[] | null;

  static override styles = [common, buttons, recordsStyle, noteStyle];

  constructor() {
    super();
    this.noteId = '';
    this.newest = 1;
    this.mayRestore = false;
    this.isOpen = false;
    this.versions = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (this.isOpen && (changed.has('noteId') || changed.has('newest'))) void this.#load();
  }

  override render() {
    const { notes } = recordsWords();
    return html`<details data-testid="note-history" @toggle=${this.#onToggle}>
      <summary>${notes.history}</summary>
      ${this.versions === null ? html`<p class="meta" role="status">${this.words.loading}</p>` : null}
      <ol class="cards">${[...(this.versions ?? [])].reverse().map((version) => this.#version(version))}</ol>
    </details>`;
  }

  #version(version: NoteVersion): TemplateResult {
    const { notes } = recordsWords();
    return html`<li class="card" data-testid="note-version">
      <h4>${notes.version(version.version, moment(version.at))}</h4>
      <p class="text">${version.text}</p>
      ${version.audio === null ? null : html`<p class="meta">${notes.withDictation}</p>`}
      ${
        this.mayRestore && version.version !== this.newest
          ? html`<div class="acts"><button type="button" data-testid="note-restore" @click=${() => this.tell('tele-restore', version)}>${notes.restore}</button></div>`
          : null
      }
    </li>`;
  }

  readonly #onToggle = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
    if (this.isOpen) void this.#load();
  };

  async #load(): Promise<void> {
    const { noteId } = this;
    await this.attempt(async () => {
      const versions = await this.records.noteHistory(noteId);
      if (noteId === this.noteId) this.versions = versions;
    });
  }
}

customElements.define('tele-note-history', TeleNoteHistory);
