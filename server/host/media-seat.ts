import type { ConsumerOffer, MediaKind, SfuSeat } from '@teleconsult/media';
import {
  AppError,
  type CallId,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type SeatViewMode,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';

export interface SeatAddress {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

/** What the device wants of one track of another, and what the SFU was told last. */
interface Wish {
  readonly kind: MediaKind;
  flows: boolean;
  layer: number;
  told: { flows: boolean; layer: number };
}

/** The SFU's own beginning: the largest layer there is. */
const LARGEST_LAYER = 2;

/**
 * The media of a seat as its device wants it and as its view allows it. A picture flows when both want it; the
 * smaller of the two layers is forwarded. What the device asked for while the view hid it counts when it is shown.
 */
export class MediaSeat {
  readonly address: SeatAddress;
  readonly sfu: SfuSeat;
  /** By consumer id; the SFU says when a consumer begins and ends. */
  readonly #wishes = new Map<string, Wish>();
  #view: SeatViewMode = 'full';

  constructor(address: SeatAddress, sfu: SfuSeat) {
    this.address = address;
    this.sfu = sfu;
  }

  /** The device may receive these; those it was offered before keep what was wished of them. */
  async offered(consumers: readonly ConsumerOffer[]): Promise<void> {
    for (const { consumerId, kind } of consumers) {
      if (this.#wishes.has(consumerId)) continue;
      const told = { flows: false, layer: LARGEST_LAYER };
      this.#wishes.set(consumerId, { kind, flows: false, layer: LARGEST_LAYER, told });
    }
    await this.#applyAll();
  }

  removed(consumerId: string): void {
    this.#wishes.delete(consumerId);
  }

  /** Asked again for a picture that flows, it begins anew with a key frame. */
  async resume(consumerId: string): Promise<void> {
    const wish = this.#wish(consumerId);
    wish.flows = true;
    wish.told = { ...wish.told, flows: false };
    await this.#apply(consumerId, wish);
  }

  async pause(consumerId: string): Promise<void> {
    const wish = this.#wish(consumerId);
    wish.flows = false;
    await this.#apply(consumerId, wish);
  }

  async setLayer(consumerId: string, spatialLayer: number): Promise<void> {
    const wish = this.#wish(consumerId);
    wish.layer = spatialLayer;
    await this.#apply(consumerId, wish);
  }

  async setView(view: SeatViewMode): Promise<void> {
    if (this.#view === view) return;
    this.#view = view;
    await this.#applyAll();
  }

  async #applyAll(): Promise<void> {
    await Promise.all([...this.#wishes].map(([consumerId, wish]) => this.#apply(consumerId, wish)));
  }

  /**
   * Asks the SFU for what should be and was not asked for yet. It is asked at once and in order, so what was
   * wished last holds, however many wishes are under way.
   */
  async #apply(consumerId: string, wish: Wish): Promise<void> {
    const { told } = wish;
    const allowed = wish.kind === 'audio' ? 'all' : allowedVideo(this.#view);
    const flows = wish.flows && allowed !== 'none';
    const layer = allowed === 'smallest' ? 0 : wish.layer;
    wish.told = { flows, layer };
    const asked: Promise<void>[] = [];
    // The layer first: what begins to flow begins in its size.
    if (layer !== told.layer) asked.push(this.sfu.setPreferredLayer(consumerId, layer));
    if (flows && !told.flows) asked.push(this.sfu.resumeConsumer(consumerId));
    if (!flows && told.flows) asked.push(this.sfu.pauseConsumer(consumerId));
    await Promise.all(asked);
  }

  #wish(consumerId: string): Wish {
    const wish = this.#wishes.get(consumerId);
    if (wish === undefined) throw new AppError('NOT_FOUND', { detail: 'this device receives no such track' });
    return wish;
  }
}

function allowedVideo(view: SeatViewMode): 'all' | 'smallest' | 'none' {
  switch (view) {
    case 'full':
      return 'all';
    case 'floating':
      return 'smallest';
    case 'background':
    case 'audio_only':
      return 'none';
    default:
      return unreachable(view);
  }
}
