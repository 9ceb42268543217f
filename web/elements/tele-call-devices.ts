import type { InputDevice, TeleconsultClient } from '@teleconsult/client-sdk/api';
import { css, html, type TemplateResult } from 'lit';
import { roomWords } from '../i18n/room.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { TeleDialog } from './tele-dialog.ts';

const KINDS: readonly InputDevice['kind'][] = ['microphone', 'camera', 'speaker'];

/** With which microphone, camera and speaker the call goes on. */
export class TeleCallDevices extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    client: { attribute: false },
    devices: { state: true },
  };
  declare model: CallModel;
  declare client: TeleconsultClient | null;
  declare private devices: readonly InputDevice[];

  /** What was chosen here; before that, what the tracks say. */
  readonly #chosen = new Map<InputDevice['kind'], string>();

  protected readonly testId = 'call-devices-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      .devices {
        display: grid;
        gap: 14px;
        margin-top: 14px;
      }
      .device {
        display: grid;
        gap: 6px;
      }
      .device > span,
      label {
        font-size: 0.875rem;
        font-weight: 600;
      }
      select {
        width: 100%;
        min-height: 48px;
      }
    `,
  ];

  constructor() {
    super();
    this.client = null;
    this.devices = [];
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [
        model.call.on('devices', (devices) => {
          this.devices = devices;
        }),
        model.changes.subscribe(update),
      ],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(async () => {
      this.devices = (await this.client?.listDevices()) ?? [];
    });
  }

  protected override get heading(): string {
    return roomWords().devices;
  }

  protected override content(): TemplateResult {
    return html`<div class="devices">${KINDS.map((kind) => this.#choice(kind))}</div>`;
  }

  #choice(kind: InputDevice['kind']): TemplateResult {
    const room = roomWords();
    const found = this.devices.filter((device) => device.kind === kind);
    if (found.length === 0)
      return html`<div class="device"><span>${room[kind]}</span><p>${kind === 'speaker' ? room.noSpeakerChoice : room.noneOf}</p></div>`;
    const present = this.#present(kind, found);
    return html`<div class="device">
      <label for=${kind}>${room[kind]}</label>
      <select id=${kind} data-testid=${`call-device-${kind}`} @change=${(event: Event) => void this.#select(kind, event)}>
        ${found.some(({ deviceId }) => deviceId === present) ? null : html`<option value="" selected>${room.notPresent}</option>`}
        ${found.map(
          ({ deviceId, label }, index) =>
            html`<option value=${deviceId} ?selected=${deviceId === present}>${label === '' ? room.unnamed(room[kind], index + 1) : label}</option>`,
        )}
      </select>
    </div>`;
  }

  #present(kind: InputDevice['kind'], found: readonly InputDevice[]): string | null {
    const chosen = this.#chosen.get(kind);
    if (chosen !== undefined) return chosen;
    if (kind === 'speaker')
      return found.some(({ deviceId }) => deviceId === 'default') ? 'default' : (found[0]?.deviceId ?? null);
    return this.model.call.localTracks[kind]?.getSettings().deviceId ?? null;
  }

  async #select(kind: InputDevice['kind'], event: Event): Promise<void> {
    if (!(event.target instanceof HTMLSelectElement) || event.target.value === '') return;
    const deviceId = event.target.value;
    const isSelected = await this.attempt(
      () => this.model.selectDevice({ kind, deviceId }),
      kind === 'speaker' ? undefined : kind,
    );
    // What was before goes on when the new one cannot be had, and the list says so.
    if (isSelected) this.#chosen.set(kind, deviceId);
    else
      event.target.value =
        this.#present(
          kind,
          this.devices.filter((device) => device.kind === kind),
        ) ?? '';
    this.requestUpdate();
  }
}

customElements.define('tele-call-devices', TeleCallDevices);
