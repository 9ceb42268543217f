import type { Colleague, TeleconsultClient } from '@teleconsult/client-sdk/api';
import { css, html, type TemplateResult } from 'lit';
import { dialogWords } from '../i18n/dialogs.ts';
import { timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { failure, information } from '../state/notice.ts';
import { personRows } from '../styles/person-rows.ts';
import './tele-avatar.ts';
import { TeleDialog } from './tele-dialog.ts';

/** Another look is taken this often while the dialog is open: doctors come and go. */
const LOOK_MS = 20_000;
const LOCATE = { maximumAge: 60_000, timeout: 15_000, enableHighAccuracy: false } as const;

type Near =
  | { readonly name: 'hidden' }
  | { readonly name: 'locating' }
  | { readonly name: 'shown'; readonly until: number };

/** Finds a colleague to talk to: by a code, or near by after an explicit consent. */
export class TeleColleagues extends TeleDialog {
  static override properties = {
    client: { attribute: false },
    near: { state: true },
    found: { state: true },
    isBusy: { state: true },
  };
  declare client: TeleconsultClient;
  declare private near: Near;
  declare private found: readonly Colleague[] | null;
  declare private isBusy: boolean;

  protected readonly testId = 'colleagues-dialog';
  #looking: ReturnType<typeof setInterval> | null = null;

  static override styles = [
    ...TeleDialog.styles,
    personRows,
    css`
      section + section {
        margin-top: 20px;
        padding-top: 16px;
        border-top: 1px solid var(--line);
      }
      h3 {
        font-size: 1rem;
        line-height: 1.45;
      }
      section > button,
      .row {
        margin-top: 12px;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 10px;
      }
    `,
  ];

  constructor() {
    super();
    this.near = { name: 'hidden' };
    this.found = null;
    this.isBusy = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopLooking();
    // Whoever closes this no longer looks, and is seen no longer than that.
    if (this.near.name === 'shown') void this.client.hideNearby().catch(() => undefined);
  }

  protected override get heading(): string {
    return dialogWords().colleagues.title;
  }

  protected override content(): TemplateResult {
    const words = dialogWords().colleagues;
    return html`<section>
        <h3>${words.byCode}</h3>
        <p>${words.byCodeHint}</p>
        <button type="button" class="primary" data-testid="colleague-invite" @click=${() => this.tell('tele-dialog', 'inviteColleague')}>
          ${icons.invite(20)}${dialogWords().invite.colleagueTitle}
        </button>
      </section>
      <section aria-live="polite">
        <h3>${words.near}</h3>
        ${this.near.name === 'shown' ? this.#shown(this.near.until) : this.#consent()}
      </section>`;
  }

  #consent(): TemplateResult {
    const words = dialogWords().colleagues;
    const isLocating = this.near.name === 'locating';
    return html`<p data-testid="nearby-consent">${words.consent}</p>
      <button type="button" data-testid="nearby-agree" ?disabled=${isLocating} @click=${() => void this.#show()}>
        ${isLocating ? words.looking : words.agree}
      </button>`;
  }

  #shown(until: number): TemplateResult {
    const words = dialogWords().colleagues;
    const { found } = this;
    return html`<p>${words.shownUntil(timeOfDay(until))}</p>
      ${
        found === null
          ? html`<p>${words.looking}</p>`
          : found.length === 0
            ? html`<p data-testid="nearby-nobody">${words.nobody}</p>`
            : html`<ul>${found.map((colleague) => html`<li>${this.#colleague(colleague)}</li>`)}</ul>`
      }
      <div class="row">
        <button type="button" data-testid="nearby-refresh" @click=${() => void this.#look()}>${icons.retry(18)}${words.refresh}</button>
        <button type="button" data-testid="nearby-hide" @click=${() => void this.#hide()}>${words.hide}</button>
      </div>`;
  }

  #colleague({ personId, displayName, withinKm }: Colleague): TemplateResult {
    const words = dialogWords().colleagues;
    return html`<tele-avatar name=${displayName}></tele-avatar>
      <span class="who"><strong>${displayName}</strong><small>${words.within(withinKm)}</small></span>
      <button
        type="button"
        class="primary"
        data-testid="nearby-ask"
        aria-label=${words.ask(displayName)}
        ?disabled=${this.isBusy}
        @click=${() => void this.#ask(personId, displayName)}
      >
        ${words.askShort}
      </button>`;
  }

  async #show(): Promise<void> {
    this.near = { name: 'locating' };
    const position = await this.#locate();
    if (position === null) {
      this.near = { name: 'hidden' };
      return;
    }
    const { latitude, longitude } = position.coords;
    const isShown = await this.attempt(async () => {
      const { until } = await this.client.showNearby({ latitude, longitude });
      this.near = { name: 'shown', until };
    });
    if (!isShown) {
      this.near = { name: 'hidden' };
      return;
    }
    await this.#look();
    if (this.isConnected) this.#looking ??= setInterval(() => void this.#look(), LOOK_MS);
  }

  async #locate(): Promise<GeolocationPosition | null> {
    const words = dialogWords().colleagues;
    try {
      return await new Promise((resolve, reject) =>
        navigator.geolocation.getCurrentPosition(resolve, reject, LOCATE),
      );
    } catch (error) {
      const isDenied = error instanceof GeolocationPositionError && error.code === error.PERMISSION_DENIED;
      this.notify(failure(isDenied ? words.locationDenied : words.locationFailed));
      return null;
    }
  }

  async #look(): Promise<void> {
    if (this.near.name !== 'shown') return;
    if (this.near.until <= Date.now()) {
      // Ten minutes are over: being seen again needs consent again.
      this.#stopLooking();
      this.near = { name: 'hidden' };
      return;
    }
    const isFound = await this.attempt(async () => {
      this.found = await this.client.listNearby();
    });
    if (!isFound) this.#stopLooking();
  }

  async #hide(): Promise<void> {
    this.#stopLooking();
    this.near = { name: 'hidden' };
    this.found = null;
    await this.attempt(() => this.client.hideNearby());
  }

  async #ask(personId: string, displayName: string): Promise<void> {
    this.isBusy = true;
    const isAsked = await this.attempt(async () => {
      const view = await this.client.requestColleague(personId);
      this.tell('tele-choose', view.consultationId);
    });
    this.isBusy = false;
    if (!isAsked) return;
    this.notify(information(dialogWords().colleagues.asked(displayName)));
    this.close();
  }

  #stopLooking(): void {
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#looking = null;
  }
}

customElements.define('tele-colleagues', TeleColleagues);
