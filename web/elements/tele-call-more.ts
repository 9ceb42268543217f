import { css, html, type TemplateResult } from 'lit';
import { recordsWords } from '../i18n/records.ts';
import { type RoomWords, roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { canBlur, isBlurred } from '../state/call-blur.ts';
import type { CallModel } from '../state/call-model.ts';
import { type ShortcutKey, setShortcuts, shortcutsOn } from '../state/call-shortcuts.ts';
import { Follow } from '../state/follow.ts';
import { menu } from '../styles/menu.ts';
import type { CallDialogName } from './tele-call-dialogs.ts';
import { TeleDialog } from './tele-dialog.ts';

const KEYS: readonly ShortcutKey[] = ['m', 'v', 's'];

/** What else can be done in a call: people, devices, the connection, sound only, blur, keys. */
export class TeleCallMore extends TeleDialog {
  static override properties = { model: { attribute: false } };
  declare model: CallModel;

  protected readonly testId = 'call-more-dialog';

  static override styles = [
    ...TeleDialog.styles,
    menu,
    css`
      .keys {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 12px;
        margin: 4px 0 0 48px;
        color: var(--text-2);
        font-size: 0.875rem;
      }
      kbd {
        padding: 0 8px;
        border: 1px solid var(--line-strong);
        border-radius: 6px;
        font: 600 0.8125rem/1.6 var(--font);
      }
      .item small {
        display: block;
        font-size: 0.8125rem;
        line-height: 1.4;
      }
      .item .switch {
        flex: none;
        width: 40px;
        height: 24px;
        padding: 3px;
        border-radius: 999px;
        background: var(--line-strong);
      }
      .item .switch::after {
        content: '';
        display: block;
        width: 18px;
        height: 18px;
        border-radius: 50%;
        background: var(--surface);
        transition: transform 120ms;
      }
      .item[aria-checked='true'] .switch {
        background: var(--primary);
      }
      .item[aria-checked='true'] .switch::after {
        transform: translateX(16px);
      }
      @media (hover: none) and (pointer: coarse) {
        .of-keys {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  protected override get heading(): string {
    return roomWords().more;
  }

  protected override content(): TemplateResult {
    const room = roomWords();
    const { call, view } = this.model;
    const isVideo = view.media === 'video';
    return html`<ul class="items">
        ${this.#record()} ${this.#opens('people', room.people, icons.people())} ${this.#opens('devices', room.devices, icons.headset())}
        ${this.#opens('quality', room.quality, icons.signal())}
        ${
          isVideo
            ? this.#switch({
                testId: 'call-audio-only-switch',
                icon: icons.videoOff(),
                text: room.audioOnly,
                hint: room.audioOnlyHint,
                on: call.audioOnly.on,
                act: (on) => void this.attempt(() => call.setAudioOnly(on)),
              })
            : null
        }
        ${isVideo && canBlur(call.localTracks.camera) ? this.#blur(room) : null}
      </ul>
      <div class="of-keys">${this.#keys(room)}</div>`;
  }

  /** Only the doctor asks, and not while it is asked or recorded already: the strip in the call has the rest. */
  #record(): TemplateResult | null {
    const { model } = this;
    if (!model.isDoctor || model.recording !== null || model.view.state !== 'live') return null;
    const { call } = recordsWords();
    const record = async (): Promise<void> => {
      this.close();
      await this.attempt(() => model.record('start'));
    };
    return html`<li>
      <button type="button" class="item" data-testid="call-record" @click=${() => void record()}>
        ${marks.record()}<span>${call.start}<small>${call.startHint}</small></span>
      </button>
    </li>`;
  }

  #opens(name: CallDialogName, text: string, icon: TemplateResult): TemplateResult {
    return html`<li>
      <button type="button" class="item" data-testid=${`call-open-${name}`} @click=${() => this.tell('tele-call-dialog', name)}>
        ${icon}<span>${text}</span>
      </button>
    </li>`;
  }

  #blur(room: RoomWords): TemplateResult {
    const { model } = this;
    return this.#switch({
      testId: 'call-blur',
      icon: icons.blur(),
      text: room.blur,
      on: isBlurred(model.call.localTracks.camera),
      act: (on) =>
        void this.attempt(async () => {
          await model.call.setBackgroundBlur(on);
          this.requestUpdate();
        }),
    });
  }

  #keys(room: RoomWords): TemplateResult {
    const row = this.#switch({
      testId: 'call-shortcuts',
      icon: icons.keyboard(),
      text: room.shortcuts,
      hint: room.shortcutsHint,
      on: shortcutsOn(),
      act: (on) => {
        setShortcuts(on);
        // The tooltips of the controls name the keys.
        this.model.changes.announce();
      },
    });
    return html`<ul class="items">${row}</ul>
      <dl class="keys">
        ${KEYS.map((key) => html`<dt><kbd>${key.toUpperCase()}</kbd></dt><dd>${room.shortcut[key]}</dd>`)}
      </dl>`;
  }

  #switch({
    testId,
    icon,
    text,
    hint,
    on,
    act,
  }: {
    readonly testId: string;
    readonly icon: TemplateResult;
    readonly text: string;
    readonly hint?: string;
    readonly on: boolean;
    readonly act: (on: boolean) => void;
  }): TemplateResult {
    return html`<li>
      <button type="button" class="item" role="switch" aria-checked=${on ? 'true' : 'false'} data-testid=${testId} @click=${() => act(!on)}>
        ${icon}<span>${text}${hint === undefined ? null : html`<small>${hint}</small>`}</span><span class="switch"></span>
      </button>
    </li>`;
  }
}

customElements.define('tele-call-more', TeleCallMore);
