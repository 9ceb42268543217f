import type { FormAttachmentPurpose } from '@teleconsult/protocol';
import { MAX_FORM_ATTACHMENTS } from '@teleconsult/protocol/limits';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { byteSize } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { BlobUrl } from '../state/blob-url.ts';
import { type FormPicture, isPicture } from '../state/form-answers.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

export interface PickedForForm {
  readonly purpose: FormAttachmentPurpose;
  readonly files: readonly File[];
}

interface Asked {
  readonly purpose: FormAttachmentPurpose;
  /** Which camera the phone opens: the face is taken by the person themselves. */
  readonly camera: 'user' | 'environment';
}

const ASKED: readonly Asked[] = [
  { purpose: 'tongue', camera: 'user' },
  { purpose: 'face', camera: 'user' },
  { purpose: 'affected_area', camera: 'environment' },
  { purpose: 'report', camera: 'environment' },
  { purpose: 'record', camera: 'environment' },
  { purpose: 'other', camera: 'environment' },
];

/** Pictures and documents of the form, by what they show. Tells `tele-form-picked` and `tele-form-removed` (its id). */
export class TeleFormPictures extends TeleElement {
  static override properties = { pictures: { attribute: false } };
  declare pictures: readonly FormPicture[];

  readonly #previews = new Map<string, BlobUrl>();

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        margin-top: 20px;
      }
      h3 {
        font-size: 0.9375rem;
      }
      .hint {
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      .asked {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 8px;
        padding: 10px 0;
        border-bottom: 1px solid var(--line);
      }
      .what {
        flex: 1 1 110px;
        font-size: 0.9375rem;
      }
      .pick {
        position: relative;
        padding: 0 14px;
        font-size: 0.875rem;
      }
      .pick:focus-within {
        outline: 3px solid var(--focus);
        outline-offset: 2px;
      }
      input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: pointer;
      }
      /* A mouse has no camera to point. */
      .camera {
        display: none;
      }
      @media (pointer: coarse) {
        .camera {
          display: inline-flex;
        }
      }
      ul {
        display: flex;
        flex: 1 1 100%;
        flex-wrap: wrap;
        gap: 10px;
      }
      ul:empty {
        display: none;
      }
      li {
        position: relative;
        height: 84px;
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--surface-2);
        overflow: hidden;
      }
      img {
        display: block;
        width: 84px;
        height: 100%;
        object-fit: cover;
      }
      .file {
        display: flex;
        align-items: center;
        gap: 8px;
        max-width: 220px;
        height: 100%;
        padding: 0 46px 0 12px;
        font-size: 0.8125rem;
        line-height: 1.35;
        overflow-wrap: anywhere;
      }
      li button {
        position: absolute;
        top: 0;
        right: 0;
        width: 44px;
        padding: 0;
        border: 0;
        background: none;
      }
      li button:hover:not(:disabled) {
        background: none;
      }
      li button span {
        display: grid;
        place-items: center;
        width: 26px;
        height: 26px;
        border-radius: 50%;
        background: var(--text);
        color: var(--surface);
      }
    `,
  ];

  constructor() {
    super();
    this.pictures = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate('pictures');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const preview of this.#previews.values()) preview.clear();
    this.#previews.clear();
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const held = new Set(this.pictures.map(({ id }) => id));
    for (const [id, preview] of this.#previews)
      if (!held.has(id)) {
        preview.clear();
        this.#previews.delete(id);
      }
    for (const { id, data } of this.pictures) {
      if (!isPicture(data) || this.#previews.has(id)) continue;
      const preview = new BlobUrl();
      preview.show(data);
      this.#previews.set(id, preview);
    }
  }

  override render() {
    const words = this.words.form;
    return html`<div role="group" aria-labelledby="pictures">
      <h3 id="pictures" tabindex="-1">${words.pictures}</h3>
      <p class="hint">${words.picturesHint(MAX_FORM_ATTACHMENTS)}</p>
      ${ASKED.map((asked) => this.#asked(asked))}
    </div>`;
  }

  #asked({ purpose, camera }: Asked): TemplateResult {
    const words = this.words.form;
    const what = words.purposes[purpose];
    const isDocument = purpose === 'report' || purpose === 'record' || purpose === 'other';
    return html`<div class="asked">
      <span class="what">${what}</span>
      <label class="button pick camera">
        ${icons.camera(18)}${words.takeShort}
        <input
          type="file"
          accept="image/*"
          capture=${camera}
          data-testid=${`form-take-${purpose}`}
          aria-label=${words.take(what)}
          @change=${(event: Event) => this.#picked(event, purpose)}
        />
      </label>
      <label class="button pick">
        ${isDocument ? icons.paperclip(18) : icons.picture(18)}${words.pickShort}
        <input
          type="file"
          multiple
          accept=${isDocument ? 'image/*,application/pdf' : 'image/*'}
          data-testid=${`form-pick-${purpose}`}
          aria-label=${words.pick(what)}
          @change=${(event: Event) => this.#picked(event, purpose)}
        />
      </label>
      <ul aria-label=${what}>
        ${repeat(
          this.pictures.filter((picture) => picture.purpose === purpose),
          ({ id }) => id,
          (picture) => html`<li>${this.#chosen(picture, what)}</li>`,
        )}
      </ul>
    </div>`;
  }

  #chosen({ id, data, fileName }: FormPicture, what: string): TemplateResult {
    const url = this.#previews.get(id)?.value ?? null;
    return html`${
      url === null
        ? html`<div class="file">${icons.file(20)}<span>${fileName}<br />${byteSize(data.size)}</span></div>`
        : html`<img alt=${fileName} src=${url} />`
    }
      <button
        type="button"
        aria-label=${this.words.form.remove(`${what}, ${fileName}`)}
        @click=${() => this.tell('tele-form-removed', id)}
      >
        <span>${icons.close(15)}</span>
      </button>`;
  }

  #picked(event: Event, purpose: FormAttachmentPurpose): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // The same picture may be chosen again after it was removed.
    input.value = '';
    if (files.length > 0) this.tell('tele-form-picked', { purpose, files } satisfies PickedForForm);
  }
}

customElements.define('tele-form-pictures', TeleFormPictures);
