import type { MediaSource } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, nothing, type TemplateResult } from 'lit';
import { roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import { type ShortcutKey, shortcutsOn } from '../state/call-shortcuts.ts';
import { Follow } from '../state/follow.ts';
import { failure } from '../state/notice.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

interface Control {
  readonly testId: string;
  readonly icon: TemplateResult;
  readonly text: string;
  readonly hint: string;
  readonly style?: string;
  /** The device that the act may switch on. */
  readonly device?: MediaSource;
  readonly key?: ShortcutKey;
  /** It opens a dialog, which is not waited for. */
  readonly opens?: boolean;
  readonly act: () => Promise<unknown>;
}

/** Where the browser has no screen to share (most phones), the button is not there. */
const canShare = (): boolean => typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/**
 * Microphone, camera, voice or video, screen, and the way out. The text says what a press does. Tells `tele-call-dialog` for
 * what opens one.
 */
export class TeleCallControls extends TeleElement {
  static override properties = { model: { attribute: false }, isWaiting: { state: true } };
  declare model: CallModel;
  declare private isWaiting: boolean;

  static override styles = [
    common,
    css`
      :host {
        display: block;
      }
      .row {
        display: flex;
        justify-content: center;
        gap: clamp(2px, 1.6cqi, 20px);
      }
      button {
        display: grid;
        flex: 0 1 76px;
        justify-items: center;
        gap: 6px;
        min-width: 56px;
        min-height: 56px;
        padding: 0;
        border: 0;
        border-radius: 14px;
        background: none;
        color: var(--stage-text);
        font: 500 0.75rem / 1.3 var(--font);
        cursor: pointer;
        -webkit-tap-highlight-color: transparent;
        touch-action: manipulation;
      }
      .round {
        display: grid;
        place-items: center;
        width: 54px;
        height: 54px;
        border-radius: 50%;
        background: var(--stage-3);
        transition: filter 120ms;
      }
      button:hover .round {
        filter: brightness(1.15);
      }
      .off .round {
        background: #eef5f6;
        color: #16252c;
      }
      .end .round {
        background: #c5352b;
        color: #fff;
      }
      button:focus-visible {
        outline: none;
      }
      button:focus-visible .round {
        outline: 3px solid #8ab8ff;
        outline-offset: 3px;
      }
      /* Six of them, the last of which hangs up, fit into 320 px. */
      @container call (max-width: 372px) {
        button {
          align-content: start;
          min-width: 44px;
        }
        .round {
          width: 46px;
          height: 46px;
        }
      }
      @container call (min-width: 420px) and (max-height: 400px) {
        .row {
          display: grid;
          grid-template-columns: auto auto;
          gap: 4px 6px;
        }
        button {
          flex: none;
        }
        .text {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.isWaiting = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    return html`<div class="row">${this.#controls().map((control) => this.#button(control))}</div>`;
  }

  #button(control: Control): TemplateResult {
    const { testId, icon, text, hint, style, key, opens } = control;
    const shortcut = key !== undefined && shortcutsOn() ? key.toUpperCase() : null;
    return html`<button
      type="button"
      class=${style ?? ''}
      data-testid=${testId}
      title=${shortcut === null ? hint : roomWords().key(hint, shortcut)}
      aria-keyshortcuts=${shortcut ?? nothing}
      aria-haspopup=${opens ? 'dialog' : nothing}
      @click=${() => void this.#act(control)}
    >
      <span class="round">${icon}</span><span class="text">${text}</span>
    </button>`;
  }

  /** Does what the key stands for; false when there is nothing for it to do. */
  press(key: ShortcutKey): boolean {
    const control = this.#controls().find((candidate) => candidate.key === key);
    if (control === undefined || this.model.status === 'elsewhere') return false;
    void this.#act(control);
    return true;
  }

  #controls(): readonly Control[] {
    const { view } = this.model;
    const isVideo = view.media === 'video';
    const isLive = view.state === 'live';
    const shares = isVideo && isLive && (canShare() || this.model.call.screenOn);
    return [
      this.#microphone(),
      ...(isVideo ? [this.#camera()] : []),
      ...(shares ? [this.#screen()] : []),
      ...(isLive ? [this.#media(isVideo)] : []),
      ...(isLive ? [this.#more()] : []),
      this.#end(),
    ];
  }

  #microphone(): Control {
    const { call: words } = this.words;
    const { call } = this.model;
    const shared = { testId: 'call-mute', key: 'm' } as const;
    if (call.microphoneOn)
      return {
        ...shared,
        icon: icons.microphone(24),
        text: words.mute,
        hint: words.muteHint,
        act: () => call.setMicrophone(false),
      };
    return {
      ...shared,
      icon: icons.microphoneOff(24),
      text: words.unmute,
      hint: words.unmuteHint,
      style: 'off',
      device: 'microphone',
      act: () => call.setMicrophone(true),
    };
  }

  #camera(): Control {
    const { call: words } = this.words;
    const { call } = this.model;
    const shared = { testId: 'call-camera', key: 'v' } as const;
    if (call.cameraOn)
      return {
        ...shared,
        icon: icons.video(24),
        text: words.cameraOff,
        hint: words.cameraOffHint,
        act: () => call.setCamera(false),
      };
    return {
      ...shared,
      icon: icons.videoOff(24),
      text: words.cameraOn,
      hint: words.cameraOnHint,
      style: 'off',
      device: 'camera',
      act: () => call.setCamera(true),
    };
  }

  #screen(): Control {
    const room = roomWords();
    const { screenOn } = this.model.call;
    return {
      testId: 'call-screen-share',
      key: 's',
      icon: screenOn ? icons.screenOff(24) : icons.screen(24),
      text: screenOn ? room.stopSharing : room.shareScreen,
      hint: screenOn ? room.stopSharingHint : room.shareScreenHint,
      ...(screenOn ? { style: 'off' } : {}),
      act: () => (screenOn ? this.model.call.setScreen(false) : this.#share()),
    };
  }

  #media(isVideo: boolean): Control {
    const { call: words } = this.words;
    return {
      testId: 'call-switch-media',
      icon: isVideo ? icons.phone(24) : icons.video(24),
      text: isVideo ? words.toVoice : words.toVideo,
      hint: isVideo ? words.toVoiceHint : words.toVideoHint,
      act: () => this.model.call.setMedia(isVideo ? 'voice' : 'video'),
    };
  }

  #more(): Control {
    const room = roomWords();
    return {
      testId: 'call-more',
      icon: icons.more(24),
      text: room.more,
      hint: room.moreHint,
      opens: true,
      act: async () => this.tell('tele-call-dialog', 'more'),
    };
  }

  /** With two, leaving is ending. With more, one leaves alone, and who may end it for all is asked. */
  #end(): Control {
    const { call: words } = this.words;
    const { model } = this;
    const shared = { testId: 'call-hangup', icon: icons.hangUp(24), style: 'end' } as const;
    if (!model.isGroup)
      return { ...shared, text: words.hangUp, hint: words.hangUp, act: () => model.call.hangUp() };
    if (!model.mayEndForAll)
      return { ...shared, text: words.leave, hint: words.leaveHint, act: () => model.call.leave() };
    return {
      ...shared,
      text: words.leave,
      hint: words.leave,
      opens: true,
      act: async () => this.tell('tele-call-dialog', 'leave'),
    };
  }

  /** Closing the browser's picker without a choice is no failure. */
  async #share(): Promise<void> {
    const sharing = this.model.screen;
    if (sharing !== null && !sharing.isSelf) {
      const name = this.model.people.find(({ personId }) => personId === sharing.personId)?.name ?? '';
      this.notify(failure(roomWords().screenTaken(name)));
      return;
    }
    try {
      await this.model.call.setScreen(true);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'PERMISSION_DENIED') throw error;
    }
  }

  /** One press at a time: a second one before the answer would undo the first. Hanging up never waits. */
  async #act({ testId, device, opens, act }: Control): Promise<void> {
    const waits = testId !== 'call-hangup' && opens !== true;
    if (this.isWaiting && waits) return;
    if (waits) this.isWaiting = true;
    await this.attempt(act, device);
    if (waits) this.isWaiting = false;
    this.requestUpdate();
  }
}

customElements.define('tele-call-controls', TeleCallControls);
