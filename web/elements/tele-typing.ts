import type { TypingActivity } from '@teleconsult/protocol';
import { css, html } from 'lit';
import { Follow } from '../state/follow.ts';
import { listed } from '../state/names.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** Who types or records right now. It keeps its height, so that nothing moves when somebody begins. */
export class TeleTyping extends TeleElement {
  static override properties = { model: { attribute: false } };
  declare model: VisitModel;

  static override styles = [
    common,
    css`
      :host {
        display: block;
        max-width: 800px;
        min-height: 22px;
        margin: 0 auto;
        padding: 0 16px;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 22px;
      }
      p {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      i {
        display: inline-block;
        width: 5px;
        height: 5px;
        margin-inline-end: 3px;
        border-radius: 50%;
        background: currentColor;
        animation: blink 1.2s infinite;
      }
      i:nth-child(2) {
        animation-delay: 0.2s;
      }
      i:nth-child(3) {
        margin-inline-end: 7px;
        animation-delay: 0.4s;
      }
      @keyframes blink {
        50% {
          opacity: 0.2;
        }
      }
    `,
  ];

  constructor() {
    super();
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.visit.on('typing', update)],
    });
  }

  override render() {
    const sentence = this.#sentence('recording') ?? this.#sentence('typing');
    if (sentence === null) return null;
    return html`<p data-testid="typing"><span aria-hidden="true"><i></i><i></i><i></i></span>${sentence}</p>`;
  }

  #sentence(activity: Exclude<TypingActivity, 'none'>): string | null {
    const names = this.model.visit.typing
      .filter((person) => person.activity === activity)
      .map(({ personId }) => this.model.nameOf(personId));
    if (names.length === 0) return null;
    const words = this.words.thread;
    const many = activity === 'typing' ? words.typingMany : words.recordingMany;
    return names.length === 1 ? words[activity](listed(names)) : many(listed(names));
  }
}

customElements.define('tele-typing', TeleTyping);
