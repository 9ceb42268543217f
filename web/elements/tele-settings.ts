import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { Preferences } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import { dialogWords } from '../i18n/dialogs.ts';
import { Follow } from '../state/follow.ts';
import { type PushState, pushState, switchPushOff, switchPushOn } from '../state/push.ts';
import { TeleDialog } from './tele-dialog.ts';

type PushKind = keyof Preferences['push'];

/** What a person chooses for all their devices, and whether this one shows notices. */
export class TeleSettings extends TeleDialog {
  static override properties = {
    client: { attribute: false },
    chosen: { state: true },
    push: { state: true },
    isBusy: { state: true },
  };
  declare client: TeleconsultClient;
  declare private chosen: Preferences | null;
  declare private push: PushState | 'notConfigured' | 'unreachable' | null;
  declare private isBusy: boolean;

  protected readonly testId = 'settings-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      section + section {
        margin-top: 12px;
        padding-top: 10px;
        border-top: 1px solid var(--line);
      }
      .kinds {
        padding-inline-start: 32px;
      }
      .state {
        padding-inline-start: 32px;
        font-size: 0.875rem;
      }
    `,
  ];

  constructor() {
    super();
    this.chosen = null;
    this.push = null;
    this.isBusy = false;
    new Follow<TeleconsultClient>(this, {
      subject: () => this.client,
      subscribe: (client) => [
        client.on('preferences', (preferences) => {
          this.chosen = preferences;
        }),
      ],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  protected override get heading(): string {
    return dialogWords().settings.title;
  }

  protected override content(): TemplateResult {
    const { chosen } = this;
    const words = dialogWords().settings;
    if (chosen === null) return html`<p role="status">${this.words.loading}</p>`;
    return html`<section>
        ${this.#switch('receipts', words.receipts, words.receiptsHint, chosen.readReceipts, (on) => this.#choose({ readReceipts: on }))}
      </section>
      <section>
        ${this.#switch('push', words.push, words.pushHint, this.push === 'on', (on) => this.#switchPush(on), !['on', 'off', 'unreachable'].includes(this.push ?? ''))}
        <p class="state" role="status" data-testid="push-state" data-state=${this.push ?? ''}>${this.#pushText()}</p>
        <div class="kinds">
          ${this.#kind('calls', words.pushCalls)} ${this.#kind('messages', words.pushMessages)}
          ${this.#kind('consultations', words.pushConsultations)}
        </div>
      </section>
      <p class="hint">${words.forAllDevices}</p>`;
  }

  #kind(kind: PushKind, text: string): TemplateResult | null {
    if (this.chosen === null) return null;
    return this.#switch(`push-${kind}`, text, null, this.chosen.push[kind], (on) =>
      this.#choose({ push: { [kind]: on } }),
    );
  }

  #switch(
    id: string,
    text: string,
    hint: string | null,
    isOn: boolean,
    onChange: (on: boolean) => Promise<void>,
    isOff = false,
  ): TemplateResult {
    return html`<label class="option">
      <input
        type="checkbox"
        data-testid=${`setting-${id}`}
        .checked=${isOn}
        ?disabled=${isOff || this.isBusy}
        @change=${(event: Event) => void onChange((event.target as HTMLInputElement).checked)}
      />
      <span>${text}${hint === null ? null : html`<small>${hint}</small>`}</span>
    </label>`;
  }

  #pushText(): string {
    const words = dialogWords().settings;
    switch (this.push) {
      case 'on':
        return words.pushOn;
      case 'off':
        return words.pushOff;
      case 'denied':
        return words.pushDenied;
      case 'unsupported':
        return words.pushUnsupported;
      case 'homeScreen':
        return words.pushHomeScreen;
      case 'notConfigured':
        return words.pushNotConfigured;
      case 'unreachable':
        return words.pushUnreachable;
      case null:
        return '';
      default: {
        const unreachable: never = this.push;
        return unreachable;
      }
    }
  }

  async #load(): Promise<void> {
    this.push = await pushState().catch(() => 'unsupported' as const);
    const isLoaded = await this.attempt(async () => {
      this.chosen = await this.client.preferences();
    });
    if (!isLoaded) this.close();
  }

  async #choose(change: Parameters<TeleconsultClient['setPreferences']>[0]): Promise<void> {
    this.isBusy = true;
    await this.attempt(async () => {
      this.chosen = await this.client.setPreferences(change);
    });
    this.isBusy = false;
  }

  async #switchPush(on: boolean): Promise<void> {
    this.isBusy = true;
    await this.attempt(async () => {
      try {
        await (on ? switchPushOn(this.client) : switchPushOff(this.client));
        this.push = await pushState();
      } catch (error) {
        // These are told in their place, below the switch.
        const code = error instanceof AppError ? error.code : null;
        if (code === 'PERMISSION_DENIED') this.push = 'denied';
        else if (code === 'UNSUPPORTED_BROWSER') this.push = 'unsupported';
        else if (code === 'NOT_CONFIGURED') this.push = 'notConfigured';
        // The server is there, so it is the push service of the browser that is not.
        else if (code === 'DISCONNECTED' && this.client.connection === 'connected') this.push = 'unreachable';
        else throw error;
      }
    });
    this.isBusy = false;
    // The box was ticked by the press; it shows what is so.
    this.requestUpdate();
    const box = this.renderRoot.querySelector<HTMLInputElement>('[data-testid=setting-push]');
    if (box !== null) box.checked = this.push === 'on';
  }
}

customElements.define('tele-settings', TeleSettings);
