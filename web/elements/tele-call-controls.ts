import type { MediaSource } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
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
  readonly act: () => Promise<unknown>;
}

/** Microphone, camera, voice or video, and the way out. The text says what a press does. */
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
        gap: clamp(4px, 2.5cqi, 20px);
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
      @container call (min-width: 420px) and (min-height: 171px) and (max-height: 400px) {
        .row {
          flex-direction: column;
          gap: 6px;
        }
        button {
          flex: none;
        }
        .text {
          display: none;
        }
      }
      @container call (max-height: 170px) {
        .row {
          gap: 8px;
        }
        button {
          flex: none;
          min-width: 44px;
          min-height: 44px;
        }
        .round {
          width: 44px;
          height: 44px;
        }
        .text,
        .large {
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
    const { testId, icon, text, hint, style } = control;
    return html`<button
      type="button"
      class=${style ?? ''}
      data-testid=${testId}
      title=${hint}
      @click=${() => void this.#act(control)}
    >
      <span class="round">${icon}</span><span class="text">${text}</span>
    </button>`;
  }

  #controls(): readonly Control[] {
    const { call: words } = this.words;
    const { call, view } = this.model;
    const isVideo = view.media === 'video';
    const microphone: Control = call.microphoneOn
      ? {
          testId: 'call-mute',
          icon: icons.microphone(24),
          text: words.mute,
          hint: words.muteHint,
          act: () => call.setMicrophone(false),
        }
      : {
          testId: 'call-mute',
          icon: icons.microphoneOff(24),
          text: words.unmute,
          hint: words.unmuteHint,
          style: 'off',
          device: 'microphone',
          act: () => call.setMicrophone(true),
        };
    const camera: Control = call.cameraOn
      ? {
          testId: 'call-camera',
          icon: icons.video(24),
          text: words.cameraOff,
          hint: words.cameraOffHint,
          style: 'large',
          act: () => call.setCamera(false),
        }
      : {
          testId: 'call-camera',
          icon: icons.videoOff(24),
          text: words.cameraOn,
          hint: words.cameraOnHint,
          style: 'off large',
          device: 'camera',
          act: () => call.setCamera(true),
        };
    const media: Control = {
      testId: 'call-switch-media',
      icon: isVideo ? icons.phone(24) : icons.video(24),
      text: isVideo ? words.toVoice : words.toVideo,
      hint: isVideo ? words.toVoiceHint : words.toVideoHint,
      style: 'large',
      act: () => call.setMedia(isVideo ? 'voice' : 'video'),
    };
    const end: Control = {
      testId: 'call-hangup',
      icon: icons.hangUp(24),
      text: words.hangUp,
      hint: words.hangUp,
      style: 'end',
      act: () => call.hangUp(),
    };
    const canSwitch = view.state === 'live';
    return [microphone, ...(isVideo ? [camera] : []), ...(canSwitch ? [media] : []), end];
  }

  /** One press at a time: a second one before the answer would undo the first. Hanging up never waits. */
  async #act({ testId, device, act }: Control): Promise<void> {
    if (this.isWaiting && testId !== 'call-hangup') return;
    this.isWaiting = true;
    await this.attempt(act, device);
    this.isWaiting = false;
    this.requestUpdate();
  }
}

customElements.define('tele-call-controls', TeleCallControls);
