import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { css, html, type TemplateResult } from 'lit';
import type { CallModel } from '../state/call-model.ts';
import './tele-call-leave.ts';
import { TeleElement } from './tele-element.ts';

export type CallDialogName = 'more' | 'people' | 'devices' | 'quality' | 'leave';

/** Their code is fetched when they are opened. The way out of the call never has to be. */
const loaders: Readonly<Record<CallDialogName, () => Promise<unknown>>> = {
  more: () => import('./tele-call-more.ts'),
  people: () => import('./tele-call-people.ts'),
  devices: () => import('./tele-call-devices.ts'),
  quality: () => import('./tele-quality.ts'),
  leave: async () => undefined,
};

/** Shows one dialog of the call at a time. One may lead to another. */
export class TeleCallDialogs extends TeleElement {
  static override properties = {
    model: { attribute: false },
    client: { attribute: false },
    shown: { state: true },
  };
  declare model: CallModel;
  declare client: TeleconsultClient | null;
  declare private shown: CallDialogName | null;

  static override styles = css`
    :host {
      position: absolute;
    }
  `;

  constructor() {
    super();
    this.client = null;
    this.shown = null;
  }

  async open(name: CallDialogName): Promise<void> {
    if (await this.fetched(loaders[name])) this.shown = name;
  }

  override render() {
    return html`<div @tele-close=${this.#onClose} @tele-call-dialog=${this.#onDialog}>${this.#dialog()}</div>`;
  }

  #dialog(): TemplateResult | null {
    const { shown, model, client } = this;
    // Taken over by another device, or over: nothing in here applies any more.
    if (!model.isOngoing || model.status === 'elsewhere') return null;
    switch (shown) {
      case null:
        return null;
      case 'more':
        return html`<tele-call-more .model=${model}></tele-call-more>`;
      case 'people':
        return html`<tele-call-people .model=${model}></tele-call-people>`;
      case 'devices':
        return html`<tele-call-devices .model=${model} .client=${client}></tele-call-devices>`;
      case 'quality':
        return html`<tele-quality .model=${model}></tele-quality>`;
      case 'leave':
        return html`<tele-call-leave .model=${model}></tele-call-leave>`;
      default:
        return unreachable(shown);
    }
  }

  readonly #onClose = (event: Event): void => {
    event.stopPropagation();
    this.shown = null;
  };

  readonly #onDialog = (event: CustomEvent<CallDialogName>): void => {
    event.stopPropagation();
    this.shown = null;
    void this.open(event.detail);
  };
}

customElements.define('tele-call-dialogs', TeleCallDialogs);
