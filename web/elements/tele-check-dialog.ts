import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { css, html, type TemplateResult } from 'lit';
import './tele-device-check.ts';
import { TeleDialog } from './tele-dialog.ts';

/** Holds the check of camera, microphone and network. Closing it takes the check out, which frees the devices. */
export class TeleCheckDialog extends TeleDialog {
  static override properties = { client: { attribute: false } };
  declare client: TeleconsultClient;

  protected readonly testId = 'check-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      dialog {
        width: min(560px, calc(100vw - 32px));
      }
      @media (max-width: 480px) {
        dialog {
          width: 100%;
        }
      }
    `,
  ];

  protected override get heading(): string {
    return this.words.check.title;
  }

  protected override content(): TemplateResult {
    return html`<tele-device-check .client=${this.client}></tele-device-check>`;
  }
}

customElements.define('tele-check-dialog', TeleCheckDialog);
