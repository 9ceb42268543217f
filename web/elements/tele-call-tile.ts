import type { RemoteTrack } from '@teleconsult/client-sdk/api';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { type RoomWords, roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import type { CallPerson } from '../state/call-people.ts';
import { presenceWords } from '../state/presence-words.ts';
import { callTile } from '../styles/call-panel-tile.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import { TeleElement } from './tele-element.ts';
import './tele-quality-icon.ts';
import './tele-video.ts';

/** Gone without leaving: the last picture stays, frozen. */
const isAway = ({ presence }: CallPerson): boolean => presence === 'reconnecting' || presence === 'lost';

/** One person of the call: picture, telephone or initials, name and role, and what is the matter with them, in words. */
export class TeleCallTile extends TeleElement {
  static override properties = { person: { attribute: false } };
  declare person: CallPerson;

  /** The last picture, to be shown frozen while the person comes back. */
  #last: RemoteTrack | null = null;

  static override styles = [common, callTile];

  override render() {
    const { person } = this;
    const room = roomWords();
    const isFrozen = isAway(person);
    const presence = presenceWords(person);
    return html`<div
      class="tile ${person.presence} ${person.isSpeaking ? 'speaking' : ''}"
      role="group"
      aria-label=${this.#inWords(room)}
    >
      ${this.#picture(isFrozen)}
      ${presence === null ? null : html`<p class="presence">${presence}</p>`}
      <div class="caption" aria-hidden="true">
        ${person.isMuted ? html`<span class="muted">${icons.microphoneOff(16)}</span>` : null}
        ${person.phone === 'holds' ? html`<span>${icons.phone(14)}</span>` : null}
        <span class="name">${person.name}</span>
        ${person.role === null ? null : html`<span class="role">${this.words.role[person.role]}</span>`}
        ${person.quality === null || person.quality === 'good' ? null : html`<tele-quality-icon level=${person.quality}></tele-quality-icon>`}
      </div>
    </div>`;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('person')) return;
    if (this.person.camera !== null) this.#last = this.person.camera;
    else if (!isAway(this.person)) this.#last = null;
  }

  #picture(isFrozen: boolean): TemplateResult {
    const { person, words } = this;
    if (person.isSelf && person.ownCamera !== null)
      return html`<tele-video class="own" test-id="local-video" .track=${person.ownCamera} label=${words.call.localVideo}></tele-video>`;
    const shown = person.camera ?? (isFrozen ? this.#last : null);
    if (person.phone === 'holds')
      return html`<div class="nobody by-phone" data-testid="tile-by-phone">
        <span class="handset">${icons.phone(40)}</span><span class="how">${roomWords().byPhone}</span>
      </div>`;
    if (shown === null)
      return html`<div class="nobody"><tele-avatar name=${person.name}></tele-avatar></div>`;
    return html`<tele-video
      class=${isFrozen ? 'frozen' : ''}
      test-id="remote-video"
      .track=${shown.track}
      .remote=${shown}
      label=${words.call.remoteVideo(person.name)}
    ></tele-video>`;
  }

  /** The caption and the marks in one sentence, for screen readers. */
  #inWords(room: RoomWords): string {
    const { person, words } = this;
    const presence = presenceWords(person);
    return [
      person.name,
      ...(person.role === null ? [] : [words.role[person.role]]),
      ...(person.phone === 'holds' ? [room.byPhone] : []),
      ...(presence === null ? [] : [presence]),
      ...(person.isMuted ? [room.muted] : []),
      ...(person.isCameraOff ? [room.cameraIsOff] : []),
      ...(person.isSpeaking ? [room.speaking] : []),
      ...(person.quality === null ? [] : [room.level[person.quality]]),
    ].join(', ');
  }
}

customElements.define('tele-call-tile', TeleCallTile);
