import type { QualitySample } from '@teleconsult/client-sdk/api';
import { html, svg, type TemplateResult } from 'lit';
import { locale } from '../i18n/language.ts';
import { type RoomWords, roomWords } from '../i18n/room.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { GRAPH, type Graph, graphOf, tableOf } from '../state/quality-graph.ts';
import { Ticker } from '../state/ticker.ts';
import { qualityDialog } from '../styles/call-panel-quality.ts';
import { TeleDialog } from './tele-dialog.ts';
import './tele-quality-icon.ts';

const REDRAW_MS = 2_000;

/** The least heights of the scales: below these, all is well. */
const CEILING = { rttMs: 200, lossPercent: 5, kbps: 500 } as const;

/** A number as the reader's language writes it; at most one digit behind the point. */
const number = (value: number): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);

const share = (value: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 1 }).format(value / 100);

/** How this device's connection was over the last two minutes: in words, as graphs, and as a table. */
export class TeleQuality extends TeleDialog {
  static override properties = { model: { attribute: false } };
  declare model: CallModel;

  protected readonly testId = 'quality-dialog';

  static override styles = [...TeleDialog.styles, qualityDialog];

  constructor() {
    super();
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    // The graph moves on when nothing is measured, too.
    new Ticker(this, { everyMs: REDRAW_MS, running: () => true });
  }

  protected override get heading(): string {
    return roomWords().qualityTitle;
  }

  protected override content(): TemplateResult {
    const room = roomWords();
    const samples = this.model.call.quality;
    const last = samples.at(-1);
    if (last === undefined) return html`<p>${room.noSamples}</p>`;
    return html`<p class="now" data-testid="quality-now" data-level=${last.level}>
        <tele-quality-icon level=${last.level}></tele-quality-icon><strong>${room.qualityNow[last.level]}</strong>
      </p>
      <p class="way">${room.network[last.networkType]} · ${room.path[last.path]}</p>
      ${last.limitedBy === 'none' ? null : html`<p>${room.limitedBy[last.limitedBy]}</p>`}
      ${this.#graphs(samples, room)} ${this.#table(samples, room)}`;
  }

  #graphs(samples: readonly QualitySample[], room: RoomWords): TemplateResult {
    const now = Date.now();
    const ms = (value: number) => room.ms(number(value));
    const kbps = (value: number) => room.kbps(number(value));
    const { rttMs, lossPercent } = CEILING;
    const rtt = graphOf(samples, { pick: (sample) => sample.rttMs, ceiling: rttMs, now });
    const loss = graphOf(samples, { pick: (sample) => sample.lossPercent, ceiling: lossPercent, now });
    const sent = graphOf(samples, { pick: (sample) => sample.sendKbps, ceiling: CEILING.kbps, now });
    const received = graphOf(samples, { pick: (sample) => sample.receiveKbps, ceiling: CEILING.kbps, now });
    return html`<div class="graphs">
      ${this.#graph(room.rtt, rtt, ms)} ${this.#graph(room.loss, loss, share)}
      ${this.#graph(room.sent, sent, kbps)} ${this.#graph(room.received, received, kbps)}
    </div>`;
  }

  #graph(what: string, { line, latest, most }: Graph, words: (value: number) => string): TemplateResult {
    const room = roomWords();
    const now = latest === null ? room.unknown : words(latest);
    const label = room.graph(what, now, most === null ? room.unknown : words(most));
    return html`<figure>
      <figcaption><span>${what}</span><strong>${now}</strong></figcaption>
      <svg role="img" aria-label=${label} viewBox="0 -2 ${GRAPH.width} ${GRAPH.height + 4}" preserveAspectRatio="none" data-testid="quality-graph">
        ${svg`<path class="base" d="M0 ${GRAPH.height}H${GRAPH.width}"></path><path class="line" d=${line}></path>`}
      </svg>
    </figure>`;
  }

  #table(samples: readonly QualitySample[], room: RoomWords): TemplateResult {
    const now = Date.now();
    const cell = (value: number | null, words: (value: number) => string) =>
      value === null ? '–' : words(value);
    return html`<details>
      <summary>${room.table}</summary>
      <table data-testid="quality-table">
        <thead>
          <tr>
            <th scope="col">${room.when}</th>
            <th scope="col">${room.rtt}</th>
            <th scope="col">${room.loss}</th>
            <th scope="col">${room.sent}</th>
            <th scope="col">${room.received}</th>
          </tr>
        </thead>
        <tbody>
          ${tableOf(samples, now).map(
            (sample) => html`<tr>
              <th scope="row">${room.secondsAgo(number(Math.round((now - sample.at) / 1000)))}</th>
              <td>${cell(sample.rttMs, (value) => room.ms(number(value)))}</td>
              <td>${cell(sample.lossPercent, share)}</td>
              <td>${cell(sample.sendKbps, (value) => room.kbps(number(value)))}</td>
              <td>${cell(sample.receiveKbps, (value) => room.kbps(number(value)))}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
  }
}

customElements.define('tele-quality', TeleQuality);
