import type { OutgoingDraft } from '@teleconsult/client-sdk/api';
import type { MessageEntry } from '@teleconsult/protocol';
import { MAX_TEXT_LENGTH } from '@teleconsult/protocol/limits';
import { html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { byteSize } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { failure } from '../state/notice.ts';
import { draftsOf, type PendingAttachment, pending, refusal } from '../state/pending-attachment.ts';
import { quoteOf } from '../state/quote.ts';
import type { Sdk } from '../state/sdk.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { composer } from '../styles/composer.ts';
import './tele-attachment-tray.ts';
import './tele-file-picker.ts';
import type { Picked } from './tele-file-picker.ts';
import './tele-typing.ts';
import { TeleElement } from './tele-element.ts';

/** The counter appears this many characters before the limit. */
const COUNTER_FROM = 300;

/** Where a message is made: text, pictures, files, a voice message. */
export class TeleComposer extends TeleElement {
  static override properties = {
    model: { attribute: false },
    sdk: { attribute: false },
    attachments: { state: true },
    isRecording: { state: true },
    voiceOff: { state: true },
  };
  declare model: VisitModel;
  declare sdk: Sdk;
  declare private attachments: readonly PendingAttachment[];
  declare private isRecording: boolean;
  /** Why voice messages cannot be made, in words; null while they can. */
  declare private voiceOff: string | null;

  #answered: MessageEntry | null = null;

  static override styles = [common, buttons, composer];

  constructor() {
    super();
    this.attachments = [];
    this.isRecording = false;
    this.voiceOff = null;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [
        model.changes.subscribe(() => {
          // Who chose a message to answer wants to write.
          if (model.replyTo !== null && model.replyTo !== this.#answered) this.focusText();
          this.#answered = model.replyTo;
          update();
        }),
      ],
    });
  }

  /** Takes pictures and files dropped on the visit. */
  add(files: Iterable<File>, as: 'image' | 'file' | 'either'): void {
    for (const file of files) {
      const attachment = pending(file, as);
      const refused = refusal(attachment);
      const words = this.words.composer;
      if (refused === null) this.attachments = [...this.attachments, attachment];
      else
        this.notify(
          failure(
            refused.reason === 'empty'
              ? words.emptyFile(attachment.fileName)
              : words.tooLarge(attachment.fileName, byteSize(refused.limitBytes)),
          ),
        );
    }
    this.focusText();
  }

  focusText(): void {
    this.#text?.focus();
  }

  override render() {
    return html`<tele-typing .model=${this.model}></tele-typing>
      ${this.voiceOff === null ? null : this.#voiceOff(this.voiceOff)}
      <div
        class="box"
        @tele-recorded=${(event: CustomEvent<Blob>) => this.#sendVoice(event.detail)}
        @tele-recording-cancelled=${() => this.#endRecording(null)}
        @tele-recording-refused=${(event: CustomEvent<string>) => this.#endRecording(event.detail)}
        @tele-picked=${(event: CustomEvent<Picked>) => this.add(event.detail.files, event.detail.as)}
        @tele-remove=${(event: CustomEvent<number>) => this.#remove(event.detail)}
      >
        ${this.#reply()}
        ${this.isRecording ? html`<tele-voice-recorder .sdk=${this.sdk}></tele-voice-recorder>` : this.#form()}
      </div>`;
  }

  protected override updated(): void {
    const text = this.#text;
    if (text === null) return;
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight}px`;
  }

  #reply(): TemplateResult | null {
    const { replyTo } = this.model;
    if (replyTo === null) return null;
    const { thread } = this.words;
    const name = this.model.nameOf(replyTo.by);
    return html`<div class="reply" data-testid="reply-preview">
      ${icons.reply(18)}
      <p><strong>${thread.replyTo(name)}</strong><span>${quoteOf(replyTo.content)}</span></p>
      <button class="icon" type="button" data-testid="reply-cancel" aria-label=${thread.stopReply} @click=${this.#stopReply}>
        ${icons.close(18)}
      </button>
    </div>`;
  }

  #form(): TemplateResult {
    const words = this.words.composer;
    const text = this.model.visit.draft;
    const left = MAX_TEXT_LENGTH - text.length;
    const hasAttachments = this.attachments.length > 0;
    return html`<form @submit=${this.#onSubmit}>
      ${hasAttachments ? html`<tele-attachment-tray .attachments=${this.attachments}></tele-attachment-tray>` : null}
      <textarea
        data-testid="text-input"
        rows="1"
        enterkeyhint="send"
        aria-label=${words.label}
        aria-describedby="counter"
        placeholder=${hasAttachments ? words.caption : words.placeholder}
        .value=${live(text)}
        @input=${this.#onInput}
        @keydown=${this.#onKey}
        @paste=${this.#onPaste}
      ></textarea>
      <div class="tools">
        <tele-file-picker as="image" test-id="picture-input" label=${words.picture} .icon=${icons.picture()}></tele-file-picker>
        <tele-file-picker
          class="camera"
          as="image"
          camera
          test-id="camera-input"
          label=${words.camera}
          .icon=${icons.camera()}
        ></tele-file-picker>
        <tele-file-picker as="file" test-id="file-input" label=${words.file} .icon=${icons.paperclip()}></tele-file-picker>
        <span id="counter" class="counter ${left < 0 ? 'over' : ''}">${this.#counter(left)}</span>
        <button class="icon" type="button" data-testid="voice-record" aria-label=${words.record} title=${words.record} @click=${() => void this.#record()}>
          ${icons.microphone()}
        </button>
        <button
          class="icon primary"
          type="submit"
          data-testid="send"
          aria-label=${words.send}
          title=${words.send}
          ?disabled=${!this.#canSend}
        >
          ${icons.send()}
        </button>
      </div>
    </form>`;
  }

  #voiceOff(reason: string): TemplateResult {
    return html`<div class="off" role="alert" data-testid="voice-off">
      ${icons.microphoneOff(20)}
      <p>${reason}</p>
      <button class="icon" type="button" aria-label=${this.words.close} @click=${() => this.#endRecording(null)}>
        ${icons.close(18)}
      </button>
    </div>`;
  }

  #counter(left: number): string {
    const words = this.words.composer;
    if (left < 0) return words.tooLong(-left);
    return left <= COUNTER_FROM ? words.remaining(left) : '';
  }

  get #canSend(): boolean {
    const draft = this.model.visit.draft.trim();
    if (draft.length > MAX_TEXT_LENGTH) return false;
    return draft !== '' || this.attachments.length > 0;
  }

  get #text(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector('textarea');
  }

  readonly #onInput = (event: Event): void => {
    const { value } = event.target as HTMLTextAreaElement;
    const { visit } = this.model;
    visit.setDraft(value);
    visit.setTyping(value === '' ? 'none' : 'typing');
    this.requestUpdate();
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && this.model.replyTo !== null) {
      event.preventDefault();
      this.#stopReply();
      return;
    }
    // Enter that picks a candidate of an input method belongs to the input method; Safari says so by code 229 only.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  };

  readonly #stopReply = (): void => {
    this.model.answer(null);
    this.focusText();
  };

  readonly #onPaste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.add(files, 'either');
  };

  readonly #onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    this.#send();
    this.focusText();
  };

  #send(): void {
    if (!this.#canSend) return;
    const { visit } = this.model;
    const drafts = draftsOf(this.attachments, visit.draft);
    this.attachments = [];
    visit.setDraft('');
    visit.setTyping('none');
    // A refusal stays in the outbox with its reason, where it can be sent again.
    for (const [index, draft] of drafts.entries()) this.#queue(draft, index === 0);
    this.model.answer(null);
    this.requestUpdate();
  }

  /** A message that answers another one says so once, in the first of what is sent together. */
  #queue(draft: OutgoingDraft, isFirst: boolean): void {
    const { replyTo, visit } = this.model;
    const options = isFirst && replyTo !== null ? { replyTo: replyTo.sequence } : {};
    void visit.send(draft, options).catch(() => undefined);
  }

  readonly #record = async (): Promise<void> => {
    this.voiceOff = null;
    if (!(await this.fetched(() => import('./tele-voice-recorder.ts')))) return;
    this.isRecording = true;
    this.model.visit.setTyping('recording');
  };

  #sendVoice(data: Blob): void {
    this.#endRecording(null);
    this.#queue({ type: 'voice', data }, true);
    this.model.answer(null);
  }

  #endRecording(voiceOff: string | null): void {
    const wasRecording = this.isRecording;
    this.isRecording = false;
    this.voiceOff = voiceOff;
    if (!wasRecording) return;
    this.model.visit.setTyping('none');
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>('[data-testid=voice-record]')?.focus(),
    );
  }

  #remove(id: number): void {
    this.attachments = this.attachments.filter((attachment) => attachment.id !== id);
    this.focusText();
  }
}

customElements.define('tele-composer', TeleComposer);
