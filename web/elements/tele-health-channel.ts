import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { Clip, Records } from '@teleconsult/client-sdk/records';
import type { DictationPurpose, Note } from '@teleconsult/protocol';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import { channelOf } from '../state/channel-model.ts';
import { clipOf } from '../state/clip.ts';
import type { Sdk } from '../state/sdk.ts';
import './tele-lane-player.ts';
import { TeleNotes } from './tele-notes.ts';

/**
 * The doctor's health channel: clips that are recorded, written and published. A microphone that records is never out of
 * sight: closing the dialog pauses it.
 */
export class TeleHealthChannel extends TeleNotes {
  static override properties = {
    ...TeleNotes.properties,
    client: { attribute: false },
    sdk: { attribute: false },
  };
  declare client: TeleconsultClient;
  declare sdk: Sdk;

  protected override readonly testId = 'health-channel-dialog';
  protected override readonly purpose: DictationPurpose = 'health_channel';

  protected override get heading(): string {
    return recordsWords().channel.title;
  }

  protected override get labels() {
    const { none, record, back } = recordsWords().channel;
    return { none, dictate: record, back };
  }

  override connectedCallback(): void {
    const channel = channelOf(this.client, this.sdk);
    channel.show();
    this.model = channel;
    super.connectedCallback();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    channelOf(this.client, this.sdk).rest();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    // The host application has ended it: what is shown is not written in any more.
    if (this.records !== null && this.model.records === null) this.close();
  }

  protected override loaded(records: Records): TemplateResult {
    return html`<p class="meta">${recordsWords().channel.about}</p>
      ${super.loaded(records)}`;
  }

  /** A clip is sound: nothing is published without. */
  protected override writing(): null {
    return null;
  }

  protected override titleOf(note: Note): string {
    return clipOf(note, this.records).title || recordsWords().channel.untitled;
  }

  protected override bodyOf({ current }: Note): string {
    return current.text.trim().split('\n').slice(1).join('\n').trim();
  }

  protected override signed(records: Records, note: Note): TemplateResult {
    const clip = clipOf(note, records);
    const { channel } = recordsWords();
    const title = this.titleOf(note);
    const rest = this.bodyOf(note);
    const isWithdrawn = clip.state === 'withdrawn';
    return html`<article class="card" aria-label=${title} data-testid="clip" data-state=${clip.state}>
      <h3>${title}</h3>
      <span class="badge">${isWithdrawn ? channel.withdrawn : channel.published}</span>
      <p class="meta signed">${isWithdrawn ? null : icons.check(18)}<span>${
        isWithdrawn ? channel.withdrawnText : channel.publishedAt(moment(note.signedAt ?? note.current.at))
      }</span></p>
      ${rest === '' ? null : html`<p class="text">${rest}</p>`} ${this.#player(records, clip)}
    </article>`;
  }

  #player(records: Records, { recording, note, state }: Clip): TemplateResult | null {
    const { audio } = note.current;
    if (state === 'withdrawn' || recording === null || audio === null || !recording.rights.includes('play'))
      return null;
    return html`<tele-lane-player
      .records=${records}
      .recording=${recording}
      .nameOf=${this.model.namer}
      .fromMs=${audio.startMs}
      .toMs=${audio.endMs}
    ></tele-lane-player>`;
  }
}

customElements.define('tele-health-channel', TeleHealthChannel);
