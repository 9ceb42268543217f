import type { Records } from '@teleconsult/client-sdk/records';
import type { RecordingFile, RecordingView } from '@teleconsult/protocol';
import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { byteSize, day, duration, percent, timeOfDay } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { speak } from '../state/announcer.ts';
import { listed } from '../state/names.ts';
import { type RecordingSummary, summaryOf } from '../state/recording-summary.ts';
import './tele-lane-player.ts';
import { TeleRecordsDialog } from './tele-records-dialog.ts';

/** The recordings of a visit: what each is and how it stands, and for those who may the player, the files, and erasing. */
export class TeleRecordings extends TeleRecordsDialog {
  static override properties = {
    ...TeleRecordsDialog.properties,
    playedId: { state: true },
    busyId: { state: true },
  };
  declare private playedId: string | null;
  declare private busyId: string | null;

  protected readonly testId = 'recordings-dialog';

  constructor() {
    super();
    this.playedId = null;
    this.busyId = null;
  }

  protected override get heading(): string {
    return recordsWords().list.title;
  }

  protected override loaded(records: Records): TemplateResult {
    const { recordings } = records;
    if (recordings.length === 0) return html`<p data-testid="no-recordings">${recordsWords().list.none}</p>`;
    return html`<ul class="cards">
      ${repeat(
        recordings,
        ({ recordingId }) => recordingId,
        (recording) => this.#card(records, recording),
      )}
    </ul>`;
  }

  #card(records: Records, recording: RecordingView): TemplateResult {
    const { list } = recordsWords();
    const summary = summaryOf(recording);
    const { recordingId, purpose, followUpId, startedAt, rights } = recording;
    const isPlayed = this.playedId === recordingId && summary.isPlayable;
    const kind =
      purpose === 'consultation' && followUpId !== null ? list.followUpCall : list.purpose[purpose];
    const title = `${kind} · ${day(startedAt)} ${timeOfDay(startedAt)}`;
    const mayPlay = rights.includes('play') && summary.isPlayable;
    return html`<li class="card" data-testid="recording" data-state=${summary.state}>
      <h3>${title}</h3>
      <p class="meta">
        ${[
          ...(summary.lengthMs === 0 ? [] : [duration(summary.lengthMs)]),
          (purpose === 'consultation' || purpose === 'phone_call') && summary.people.length > 0
            ? list.people(listed(summary.people.map((personId) => this.model.nameOf(personId))))
            : list.by(this.model.nameOf(recording.startedBy)),
        ].join(' · ')}
      </p>
      ${this.#state(summary)}
      ${summary.losses.map(
        ({ reason, at }) =>
          html`<p class="told" data-testid="recording-loss">${icons.alert(18)}<span>${list.truncated[reason](timeOfDay(at))}</span></p>`,
      )}
      ${isPlayed ? html`<tele-lane-player .records=${records} .recording=${recording} .nameOf=${this.model.namer}></tele-lane-player>` : null}
      ${isPlayed && rights.includes('download') ? this.#downloads(records, recording) : null}
      <div class="acts">
        ${
          mayPlay
            ? html`<button type="button" class=${isPlayed ? '' : 'primary'} data-testid="recording-listen" aria-expanded=${isPlayed ? 'true' : 'false'} @click=${() => {
                this.playedId = isPlayed ? null : recordingId;
              }}>
                ${isPlayed ? icons.close(20) : icons.play(20)}${isPlayed ? list.hide : summary.hasPicture ? list.watch : list.listen}
              </button>`
            : null
        }
        ${
          rights.includes('delete') && (summary.state === 'ready' || summary.state === 'sealing')
            ? html`<button type="button" class="quiet warn-text" data-testid="recording-erase" aria-label=${`${list.erase}: ${title}`} ?disabled=${this.busyId === recordingId} @click=${() => void this.#erase(records, recordingId)}>
                ${marks.trash(20)}${list.erase}
              </button>`
            : null
        }
      </div>
    </li>`;
  }

  #state({ state }: RecordingSummary): TemplateResult {
    const { list } = recordsWords();
    const style = { running: 'now', sealing: 'warn', ready: 'well', erased: '' }[state];
    return html`<span class="badge ${style}" data-testid="recording-state">${list[state]}</span>`;
  }

  #downloads(records: Records, recording: RecordingView): TemplateResult {
    const { list } = recordsWords();
    const { composition, files, recordingId } = recording;
    const name = (file: RecordingFile): string => {
      const same = files.filter(
        ({ personId, source }) => personId === file.personId && source === file.source,
      );
      const part = same.length > 1 ? ` ${list.part(same.indexOf(file) + 1)}` : '';
      return list.downloadLane(this.model.nameOf(file.personId), `${list.sources[file.source]}${part}`);
    };
    const whole = files.filter(({ state }) => state !== 'growing');
    return html`<div class="acts">
        ${whole.map(
          (file) =>
            html`<button type="button" data-testid="recording-download" @click=${() => void this.#download(records, recording, file)}>
              ${icons.download(18)}${name(file)} (${byteSize(file.byteSize)})
            </button>`,
        )}
        ${
          composition.state === 'ready'
            ? html`<button type="button" class="primary" data-testid="recording-download-one" @click=${() => void this.#download(records, recording, composition)}>
                ${icons.download(18)}${list.oneFile} (${byteSize(composition.byteSize)})
              </button>`
            : null
        }
        ${
          composition.state === 'none' || composition.state === 'failed'
            ? html`<button type="button" data-testid="recording-compose" title=${list.composeHint} ?disabled=${this.busyId === recordingId} @click=${() => void this.#compose(records, recordingId)}>
                ${list.compose}
              </button>`
            : null
        }
      </div>
      ${this.#composition(recording)}`;
  }

  #composition({ composition }: RecordingView): TemplateResult | null {
    const { list } = recordsWords();
    switch (composition.state) {
      case 'none':
        return html`<p class="meta">${list.composeHint}</p>`;
      case 'waiting':
        return html`<p class="meta" role="status" data-testid="composition">${list.composeWaiting}</p>`;
      case 'working':
        return html`<p class="meta" role="status" data-testid="composition">${list.composing(percent(composition.progress))}</p>
          <progress max="1" value=${composition.progress} aria-label=${list.compose}></progress>`;
      case 'failed':
        return html`<p class="told" role="alert" data-testid="composition">${icons.alert(18)}<span>${list.composeFailed[composition.reason]}</span></p>`;
      case 'ready':
        return null;
      default: {
        const unreachable: never = composition;
        return unreachable;
      }
    }
  }

  async #compose(records: Records, recordingId: string): Promise<void> {
    this.busyId = recordingId;
    await this.attempt(() => records.compose(recordingId));
    this.busyId = null;
  }

  /** The browser takes it from there; the link is good for minutes, and a download that began goes on. */
  async #download(
    records: Records,
    recording: RecordingView,
    file: Pick<RecordingFile, 'fileId'>,
  ): Promise<void> {
    await this.attempt(async () => {
      const { url } = await records.link(file, recording, 'download');
      const anchor = document.createElement('a');
      anchor.href = url;
      anchor.download = '';
      anchor.click();
    });
  }

  async #erase(records: Records, recordingId: string): Promise<void> {
    const { list } = recordsWords();
    const isSure = await this.confirmed({
      title: list.eraseTitle,
      text: list.eraseText,
      confirm: list.eraseConfirm,
      back: list.keep,
      testId: 'recording-erase-confirm',
    });
    if (!isSure) return;
    this.busyId = recordingId;
    if (await this.attempt(() => records.erase(recordingId))) {
      speak(list.eraseDone);
      if (this.playedId === recordingId) this.playedId = null;
    }
    this.busyId = null;
  }
}

customElements.define('tele-recordings', TeleRecordings);
