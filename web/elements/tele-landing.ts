import { css, html } from 'lit';
import * as icons from '../icons.ts';
import { linksOf } from '../state/landing-links.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-language.ts';

/** What this is, and the two ways in. */
export class TeleLanding extends TeleElement {
  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        min-height: 100%;
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        padding: calc(12px + env(safe-area-inset-top)) 20px 12px;
      }
      .brand {
        display: inline-flex;
        align-items: center;
        gap: 10px;
        color: var(--primary);
        font-weight: 700;
        font-size: 1.0625rem;
      }
      main {
        display: grid;
        align-content: center;
        gap: 32px;
        width: min(880px, 100%);
        margin: 0 auto;
        padding: 24px 20px 72px;
      }
      h1 {
        max-width: 22ch;
        font-size: clamp(1.75rem, 5.2vw, 2.75rem);
        line-height: 1.2;
        letter-spacing: -0.01em;
        text-wrap: balance;
      }
      h1:lang(zh) {
        letter-spacing: 0.01em;
      }
      .lead {
        max-width: 56ch;
        margin-top: 14px;
        color: var(--text-2);
        font-size: 1.125rem;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr));
        gap: 16px;
      }
      .choice {
        display: flex;
        justify-content: flex-start;
        align-items: center;
        gap: 16px;
        width: 100%;
        padding: 22px 20px;
        border-radius: 20px;
        box-shadow: var(--shadow-1);
        font-weight: 400;
        line-height: 1.45;
      }
      .choice:hover {
        border-color: var(--primary);
        background: var(--surface);
      }
      .choice .badge {
        display: grid;
        place-items: center;
        width: 52px;
        height: 52px;
        border-radius: 16px;
        background: var(--primary-soft);
        color: var(--primary);
        flex: none;
      }
      .choice strong {
        display: block;
        font-size: 1.0625rem;
      }
      .choice small {
        color: var(--text-2);
        font-size: 0.9375rem;
      }
      .links {
        display: flex;
        align-items: flex-start;
        gap: 10px;
        color: var(--text-2);
        font-size: 0.9375rem;
      }
      .links svg {
        margin-top: 1px;
        color: var(--primary);
      }
    `,
  ];

  override render() {
    const { landing, productName } = this.words;
    const links = linksOf(location.hash);
    document.title = productName;
    return html`<header>
        <span class="brand">${icons.stethoscope(26)}${productName}</span>
        <tele-language></tele-language>
      </header>
      <main>
        <div>
          <h1>${landing.title}</h1>
          <p class="lead">${landing.lead}</p>
        </div>
        <ul>
          <li>
            <a class="button choice" href=${links.patient}>
              <span class="badge">${icons.person(28)}</span>
              <span><strong>${landing.patient}</strong><small>${landing.patientHint}</small></span>
            </a>
          </li>
          <li>
            <a class="button choice" href=${links.doctor}>
              <span class="badge">${icons.stethoscope(28)}</span>
              <span><strong>${landing.doctor}</strong><small>${landing.doctorHint}</small></span>
            </a>
          </li>
        </ul>
        <p class="links">${icons.shield(20)}<span data-testid="landing-how">${links.isDevelopment ? landing.development : location.hash === '#signin' ? landing.signIn : landing.links}</span></p>
      </main>`;
  }
}

customElements.define('tele-landing', TeleLanding);
