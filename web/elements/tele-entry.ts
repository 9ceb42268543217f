import type { MessageEntry } from '@teleconsult/protocol';
import { html, type TemplateResult } from 'lit';
import { moment, timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { bubble } from '../styles/bubble.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-file.ts';
import './tele-picture.ts';
import './tele-voice-player.ts';

/** One message of the thread. */
export class TeleEntry extends TeleElement {
  static override properties = {
    model: { attribute: false },
    entry: { attribute: false },
    group: { type: Boolean, reflect: true },
    own: { type: Boolean, reflect: true },
  };
  declare model: VisitModel;
  declare entry: MessageEntry;
  /** The first of its sender's run: the name stands above it. */
  declare group: boolean;
  declare own: boolean;

  static override styles = [common, bubble];

  override render() {
    const { entry, own } = this;
    const name = this.model.nameOf(entry.by);
    const isMedia = entry.content.type !== 'text';
    return html`
      <p class=${this.group && !own ? 'name' : 'visually-hidden'}>${name}</p>
      <div class="bubble ${isMedia ? 'media' : ''}">
        ${this.#content(name)}
        <div class="foot">
          <time datetime=${new Date(entry.at).toISOString()} title=${moment(entry.at)}>${timeOfDay(entry.at)}</time>
          ${own ? html`${icons.check(14)}<span class="visually-hidden">${this.words.thread.sent}</span>` : null}
        </div>
      </div>
    `;
  }

  #content(name: string): TemplateResult {
    const { content } = this.entry;
    const { blobs } = this.model;
    if (content.type === 'text') return html`<span class="text">${content.text}</span>`;
    const { attachment } = content;
    if (attachment.kind === 'voice')
      return html`<tele-voice-player .blobs=${blobs} .attachment=${attachment} .sender=${name}></tele-voice-player>`;
    const caption = 'caption' in content ? content.caption : undefined;
    const shown =
      attachment.kind === 'image'
        ? html`<tele-picture
            .blobs=${blobs}
            .attachment=${attachment}
            .sender=${name}
            .caption=${caption ?? ''}
          ></tele-picture>`
        : html`<tele-file .blobs=${blobs} .attachment=${attachment}></tele-file>`;
    return html`${shown}${caption === undefined ? null : html`<p class="text">${caption}</p>`}`;
  }
}

customElements.define('tele-entry', TeleEntry);
