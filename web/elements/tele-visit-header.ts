import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { listed } from '../state/names.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import { TeleElement } from './tele-element.ts';
import './tele-phase.ts';

/** Whom the visit is with, its phase, and the buttons that call. Slots: `before` (back) and `after` (more actions). */
export class TeleVisitHeader extends TeleElement {
  static override properties = { model: { attribute: false }, isCalling: { state: true } };
  declare model: VisitModel;
  declare private isCalling: boolean;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: center;
        gap: 2px;
        min-height: 64px;
        padding: calc(6px + env(safe-area-inset-top)) 8px 6px 14px;
      }
      .who {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 12px;
        min-width: 0;
      }
      .names {
        min-width: 0;
      }
      h1 {
        overflow: hidden;
        font-size: 1.0625rem;
        line-height: 1.35;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .state {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 10px;
        min-height: 22px;
        max-height: 24px;
        overflow: hidden;
      }
      .online {
        display: inline-flex;
        align-items: center;
        gap: 5px;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.5;
      }
      .online::before {
        content: '';
        width: 8px;
        height: 8px;
        border-radius: 50%;
        border: 1.5px solid var(--text-2);
      }
      .online.yes {
        color: var(--ok);
      }
      .online.yes::before {
        border-color: var(--ok);
        background: var(--ok);
      }
      .icon {
        color: var(--primary);
      }
      @media (max-width: 420px) {
        .who {
          gap: 10px;
        }
        tele-avatar {
          --size: 36px;
        }
        /* The doctor's header has a way back and an end, too; the name matters more than the circle. */
        /* Calls can be made, so it is active: the word gives way to whether somebody is there. */
        .doctor.active tele-phase {
          position: absolute;
          clip-path: inset(50%);
        }
        .doctor tele-avatar,
        .active tele-avatar {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.isCalling = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { model } = this;
    const { other, view } = model;
    const name = model.isGroup
      ? listed(model.others.map(({ displayName }) => displayName))
      : (other?.displayName ?? this.words.productName);
    return html`<header>
      <slot name="before"></slot>
      <div class="who ${model.role} ${view.phase}">
        <tele-avatar name=${other?.displayName ?? name}></tele-avatar>
        <div class="names">
          <h1>${name}</h1>
          <div class="state"><tele-phase data-testid="consultation-phase" data-phase=${view.phase} phase=${view.phase}></tele-phase>${this.#presence()}</div>
        </div>
      </div>
      ${(view.phase === 'active' || (model.isFollowedUp && model.self?.role === 'doctor')) && !model.isOut && model.call?.isOngoing !== true ? this.#callButtons() : null}
      <slot name="after"></slot>
    </header>`;
  }

  /** Whether the other person is there now; among several, how many are. */
  #presence(): TemplateResult | null {
    const { model } = this;
    const { other, others } = model;
    if (other === undefined || model.view.phase === 'ended') return null;
    const { people } = this.words;
    const there = others.filter(({ personId }) => model.isOnline(personId)).length;
    const isThere = there > 0;
    const text =
      others.length > 1
        ? `${people.online}: ${there}/${others.length}`
        : isThere
          ? people.online
          : people.offline;
    return html`<span class="online ${isThere ? 'yes' : ''}" data-testid="presence" data-online=${there}>${text}</span>`;
  }

  #callButtons(): TemplateResult {
    const { call } = this.words;
    const isBusy = this.isCalling || this.model.call !== null;
    return html`<button
        class="icon"
        type="button"
        data-testid="call-voice"
        aria-label=${call.startVoice}
        title=${call.startVoice}
        ?disabled=${isBusy}
        @click=${() => void this.#start('voice')}
      >
        ${icons.phone()}
      </button>
      <button
        class="icon"
        type="button"
        data-testid="call-video"
        aria-label=${call.startVideo}
        title=${call.startVideo}
        ?disabled=${isBusy}
        @click=${() => void this.#start('video')}
      >
        ${icons.video(24)}
      </button>`;
  }

  async #start(media: 'voice' | 'video'): Promise<void> {
    if (this.isCalling) return;
    this.isCalling = true;
    await this.attempt(() => this.model.visit.startCall(media));
    this.isCalling = false;
  }
}

customElements.define('tele-visit-header', TeleVisitHeader);
