/** Seats of one room acting at random and at once, beside a model of what every device should end up with. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import {
  type ConsumerOffer,
  type MediaSource,
  type PhoneSeat,
  type RtpCapabilities,
  SfuError,
  type SfuRoom,
  type SfuSeat,
} from '../../media/index.ts';
import { camera, microphone, screen } from './sfu.fixtures.ts';

const SEAT_IDS = ['patient', 'doctor', 'interpreter'] as const;
const anySeatId = fc.constantFrom(...SEAT_IDS);
const anySource = fc.constantFrom<MediaSource>('microphone', 'camera', 'screen');

const TRACKS = { microphone, camera, screen } as const;

export const anyAct = fc.oneof(
  fc.record({ type: fc.constant('open' as const), seatId: anySeatId }),
  fc.record({ type: fc.constant('phone' as const), seatId: anySeatId }),
  fc.record({ type: fc.constant('close' as const), seatId: anySeatId }),
  fc.record({ type: fc.constant('listen' as const), seatId: anySeatId }),
  fc.record({
    type: fc.constant('produce' as const),
    seatId: anySeatId,
    source: anySource,
    paused: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('pause' as const),
    seatId: anySeatId,
    source: anySource,
    paused: fc.boolean(),
  }),
  // Time passes: the event loop turns once, or all that was asked is answered.
  { weight: 3, arbitrary: fc.record({ type: fc.constant('turn' as const) }) },
  fc.record({ type: fc.constant('answers' as const) }),
);
export type Act = typeof anyAct extends fc.Arbitrary<infer T> ? T : never;

/** A device and the seat it was given. */
class Device {
  readonly seatId: string;
  readonly seat: Promise<SfuSeat>;
  readonly #offers = new Map<string, ConsumerOffer>();
  /** Events that make no sense to a device. Kept, since what a listener throws goes nowhere. */
  readonly faults: string[] = [];
  listens = false;

  constructor(room: SfuRoom, seatId: string) {
    this.seatId = seatId;
    this.seat = room.openSeat({
      seatId,
      onEvent: (event) => {
        if (event.type === 'consumerAdded') this.#add(event.consumer);
        if (event.type === 'consumerRemoved') this.#remove(event.consumerId);
        if (event.type === 'consumerPaused') this.#pause(event.consumerId, event.paused);
      },
    });
  }

  async listen(capabilities: RtpCapabilities): Promise<void> {
    this.listens = true;
    const offers = await (await this.seat).setCapabilities(capabilities);
    const known = new Set(this.#offers.keys());
    for (const offer of offers) this.#offers.set(offer.consumerId, offer);
    const answered = new Set(offers.map((offer) => offer.consumerId));
    for (const id of known) if (!answered.has(id)) this.faults.push('an answer left a known consumer out');
  }

  get shown(): readonly string[] {
    return [...this.#offers.values()].map(({ from, source, producerPaused }) =>
      described({ from, source, paused: producerPaused }),
    );
  }

  #add(offer: ConsumerOffer): void {
    if (this.#offers.has(offer.consumerId)) this.faults.push('a consumer was added twice');
    this.#offers.set(offer.consumerId, offer);
  }

  #remove(consumerId: string): void {
    if (!this.#offers.delete(consumerId)) this.faults.push('a consumer was removed before it was offered');
  }

  #pause(consumerId: string, producerPaused: boolean): void {
    const offer = this.#offers.get(consumerId);
    if (offer === undefined) this.faults.push('a consumer was paused before it was offered');
    else this.#offers.set(consumerId, { ...offer, producerPaused });
  }
}

interface Stage {
  readonly room: SfuRoom;
  readonly capabilities: RtpCapabilities;
}

/** What each listening device shows at the end, what the others send, both by seat id, and what went wrong. */
export async function perform(acts: readonly Act[], { room, capabilities }: Stage) {
  const devices = new Map<string, Device>();
  const everyDevice: Device[] = [];
  const phones = new Map<string, Promise<PhoneSeat>>();
  const sends = new Map<string, Map<MediaSource, boolean>>();
  const underWay: Promise<unknown>[] = [];
  // A seat that closes refuses what is still under way; anything else is a finding.
  const start = (call: Promise<unknown>) => {
    underWay.push(
      call.catch((error: unknown) => {
        if (!(error instanceof SfuError && error.reason === 'seat_closed')) throw error;
      }),
    );
  };

  for (const act of acts) {
    if (act.type === 'turn') {
      await nextTurn();
      continue;
    }
    if (act.type === 'answers') {
      await Promise.all(underWay);
      continue;
    }
    if (act.type === 'open') {
      phones.delete(act.seatId);
      const device = new Device(room, act.seatId);
      devices.set(act.seatId, device);
      everyDevice.push(device);
      sends.set(act.seatId, new Map());
      start(device.seat);
      continue;
    }
    if (act.type === 'phone') {
      devices.delete(act.seatId);
      const phone = openPhone(room, act.seatId);
      phones.set(act.seatId, phone);
      sends.set(act.seatId, new Map([['microphone', false]]));
      start(phone);
      continue;
    }
    const phone = phones.get(act.seatId);
    if (phone !== undefined) {
      if (act.type === 'close') {
        phones.delete(act.seatId);
        sends.delete(act.seatId);
        start(phone.then((seat) => seat.close()));
      } else if (act.type === 'pause') {
        if (act.source === 'microphone') sends.get(act.seatId)?.set('microphone', act.paused);
        start(phone.then((seat) => seat.setSourcePaused(act.source, act.paused)));
      }
      continue;
    }
    const device = devices.get(act.seatId);
    const sending = sends.get(act.seatId);
    if (device === undefined || sending === undefined) continue;
    switch (act.type) {
      case 'close':
        devices.delete(act.seatId);
        sends.delete(act.seatId);
        start(device.seat.then((seat) => seat.close()));
        break;
      case 'listen':
        start(device.listen(capabilities));
        break;
      case 'produce': {
        const track = TRACKS[act.source]();
        sending.set(act.source, act.paused);
        start(device.seat.then((seat) => seat.produce({ ...track, paused: act.paused })));
        break;
      }
      case 'pause':
        if (sending.has(act.source)) sending.set(act.source, act.paused);
        start(device.seat.then((seat) => seat.setSourcePaused(act.source, act.paused)));
        break;
      default:
        act satisfies never;
    }
  }
  await Promise.all(underWay);

  const listening = [...devices.values()].filter((device) => device.listens);
  const shown = Object.fromEntries(listening.map((device) => [device.seatId, device.shown.toSorted()]));
  const sent = Object.fromEntries(
    listening.map((device) => {
      const others = [...sends].filter(([from]) => from !== device.seatId);
      const tracks = others.flatMap(([from, sources]) =>
        [...sources].map(([source, paused]) => described({ from, source, paused })),
      );
      return [device.seatId, tracks.toSorted()];
    }),
  );
  return { shown, sent, faults: everyDevice.flatMap((device) => device.faults) };
}

function described({ from, source, paused }: { from: string; source: string; paused: boolean }): string {
  return `${from}'s ${source}${paused ? ', paused' : ''}`;
}

function openPhone(room: SfuRoom, seatId: string): Promise<PhoneSeat> {
  const remote = { host: '127.0.0.1', port: 9 };
  return room.openPhoneSeat({ seatId, codec: 8, remote, ssrc: 7, onEvent: () => undefined });
}
