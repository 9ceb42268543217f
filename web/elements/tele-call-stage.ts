import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import type { CallPerson } from '../state/call-people.ts';
import { Follow } from '../state/follow.ts';
import { callStage } from '../styles/call-panel-stage.ts';
import { common } from '../styles/common.ts';
import './tele-call-tile.ts';
import { TeleElement } from './tele-element.ts';
import './tele-video.ts';

/**
 * Everybody in the call. Two: the other person large, oneself small. More: a grid, and on phones the speaker large. A
 * shared screen is large with the people beside it.
 */
export class TeleCallStage extends TeleElement {
  static override properties = { model: { attribute: false } };
  declare model: CallModel;

  static override styles = [common, callStage];

  constructor() {
    super();
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { model } = this;
    const { people, screen } = model;
    const shares = screen !== null && !screen.isSelf;
    const layout = model.isGroup ? 'group' : 'duo';
    return html`<div class="stage ${layout} ${shares ? 'shares' : ''}" data-testid="call-stage" data-layout=${shares ? 'screen' : layout}>
      ${shares ? this.#screen() : null}
      <div class="people n${Math.min(people.length, 8)}" role="list" aria-label=${roomWords().people}>
        ${repeat(
          people,
          ({ personId }) => personId,
          (person) => this.#tile(person),
        )}
      </div>
      ${this.#chips(people)}
    </div>`;
  }

  #tile(person: CallPerson): TemplateResult {
    const isMain = person.personId === this.model.mainPersonId;
    const hasPicture = person.camera !== null || person.ownCamera !== null;
    return html`<div
      class="place ${person.isSelf ? 'self' : 'other'} ${isMain ? 'main' : ''} ${hasPicture ? '' : 'without-picture'}"
      role="listitem"
      data-testid="call-tile"
      data-person=${person.personId}
      data-presence=${person.presence}
      data-speaking=${person.isSpeaking ? '1' : '0'}
      data-muted=${person.isMuted ? '1' : '0'}
      data-quality=${person.quality ?? ''}
    >
      <tele-call-tile .person=${person}></tele-call-tile>
    </div>`;
  }

  #screen(): TemplateResult | null {
    const { screen, people } = this.model;
    if (screen === null) return null;
    const room = roomWords();
    const name = people.find(({ personId }) => personId === screen.personId)?.name ?? '';
    return html`<figure class="screen" data-testid="call-screen" data-person=${screen.personId}>
      ${
        screen.remote === null
          ? html`<p>${room.screenComing(name)}</p>`
          : html`<tele-video test-id="screen-video" .track=${screen.remote.track} .remote=${screen.remote} label=${room.screenOf(name)}></tele-video>`
      }
      <figcaption>${icons.screen(16)}${room.screenOf(name)}</figcaption>
    </figure>`;
  }

  /** What is the matter, in words. With more than two, the tiles say it of the others. */
  #chips(people: readonly CallPerson[]): TemplateResult {
    const { model, words } = this;
    const { call } = words;
    const other = model.isGroup ? undefined : people.find(({ isSelf }) => !isSelf);
    const isThere = model.view.state === 'live' && other?.presence === 'present';
    const mutedBy = model.mutedByName;
    const youMuted = mutedBy === null ? call.youMuted : call.mutedBy(mutedBy);
    return html`<ul class="chips">
      ${isThere && other.isMuted ? html`<li>${icons.microphoneOff(16)}${call.otherMuted(other.name)}</li>` : null}
      ${isThere && other.isCameraOff && !model.call.audioOnly.on ? html`<li>${icons.videoOff(16)}${call.otherCameraOff(other.name)}</li>` : null}
      ${model.call.microphoneOn ? null : html`<li data-testid="you-muted" data-by=${mutedBy === null ? 'self' : 'other'}>${icons.microphoneOff(16)}${youMuted}</li>`}
      ${model.call.screenOn ? html`<li data-testid="you-share">${icons.screen(16)}${roomWords().yourScreen}</li>` : null}
      ${this.#audioOnly()}
    </ul>`;
  }

  #audioOnly(): TemplateResult | null {
    const { on, reason } = this.model.call.audioOnly;
    if (!on) return null;
    const { audioOnly } = this.words.call;
    return html`<li data-testid="call-audio-only" data-reason=${reason ?? 'chosen'}>
      ${icons.videoOff(16)}${reason === 'network' ? audioOnly.network : audioOnly.chosen}
    </li>`;
  }
}

customElements.define('tele-call-stage', TeleCallStage);
