import type { CallView, ConsultationId } from '@teleconsult/protocol';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, type TestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { ghostsIn, type QuietPoint } from './ghosts-check.ts';
import { Device } from './ghosts-device.ts';

/** What can happen to a person between two quiet points. */
export const KINDS = ['drop', 'reload', 'reloadTwice', 'secondTab', 'takeOver', 'vanish'] as const;
export type Kind = (typeof KINDS)[number];

interface Owner {
  readonly personId: string;
  readonly devices: readonly Device[];
}

/** Everybody comes back by themselves; this long only where the machine is very busy. */
const QUIET_WITHIN_MS = 20_000;

/** One call of two people, each of whom owns two devices. */
export class GhostVisit implements AsyncDisposable {
  readonly id: ConsultationId;
  readonly #owners: readonly [Owner, Owner];
  /** Sees what the server says, and is in no call. */
  readonly #observer: RawClient;
  readonly #watched: { mostSeats: number };

  private constructor(
    id: ConsultationId,
    owners: readonly [Owner, Owner],
    observer: RawClient,
    watched: { mostSeats: number },
  ) {
    this.id = id;
    this.#owners = owners;
    this.#observer = observer;
    this.#watched = watched;
  }

  static async begin(app: TestApp): Promise<GhostVisit> {
    const view = await app.createConsultation();
    const { consultationId } = view;
    const people = peopleOf(view);
    const watched = { mostSeats: 0 };
    const onTold = ({ seats }: CallView): void => {
      const each = new Map<string, number>();
      for (const { personId } of seats) each.set(personId, (each.get(personId) ?? 0) + 1);
      watched.mostSeats = Math.max(watched.mostSeats, ...each.values());
    };
    const owner = (personId: string): Owner => ({
      personId,
      devices: ['one', 'two'].map(
        (name) =>
          new Device({
            origin: app.origin,
            personId,
            deviceId: `${personId}-${name}`,
            consultationId,
            onTold,
          }),
      ),
    });
    const owners = [owner(people.patient), owner(people.doctor)] as const;
    await Promise.all(owners.flatMap(({ devices }) => devices).map((device) => device.load()));
    const [patient, doctor] = owners.map(({ devices }) => devices[0]);
    if (patient === undefined || doctor === undefined) throw new Error('no devices');
    await patient.consultation.enter();
    await doctor.consultation.accept();
    const observer = await RawClient.connect(app.origin, personToken(people.doctor));
    const visit = new GhostVisit(consultationId, owners, observer, watched);
    await visit.#call();
    return visit;
  }

  async suffer(kind: Kind, random: () => number, graceMs: number): Promise<void> {
    const owner = this.#owners[random() < 0.5 ? 0 : 1];
    const device = owner.devices.find(({ call }) => call !== null) ?? owner.devices[0];
    const other = owner.devices.find((one) => one !== device);
    if (device === undefined || other === undefined) throw new Error('no device');
    switch (kind) {
      case 'drop':
        device.cutLine();
        if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve));
        device.mendLine();
        return;
      case 'reload':
        await device.lose();
        await device.load();
        return;
      case 'reloadTwice':
        await device.lose();
        // The second page is gone while it comes back.
        await device.begin();
        void device.restore().catch(() => undefined);
        if (random() < 0.7) await new Promise((resolve) => setTimeout(resolve, random() * 60));
        await device.lose();
        await device.load();
        return;
      case 'secondTab':
        // The first page is still there; the server lets one page of a device live.
        await device.load();
        return;
      case 'takeOver':
        await other.shownCall?.accept();
        return;
      case 'vanish':
        device.cutLine();
        await this.#until(
          `${device.personId} to be lost`,
          ({ seats }) =>
            seats.some(({ personId, state }) => personId === device.personId && state === 'left'),
          graceMs + 10_000,
        );
        device.mendLine();
        return;
      default:
        throw new Error(`no such kind: ${String(kind satisfies never)}`);
    }
  }

  /** Waits until both are in the call again and nobody is anywhere twice; answers what was seen then. */
  async becomesQuiet(): Promise<QuietPoint> {
    let seen: QuietPoint | null = null;
    const point = await eventually(
      'both to be in the call once',
      async () => {
        seen = await this.#look();
        const isQuiet =
          this.#owners.every(({ devices }) => devices.every(({ isConnected }) => isConnected)) &&
          seen.seats.filter(({ state }) => state === 'present').length === 2 &&
          ghostsIn(seen).length === 0;
        return isQuiet && seen;
      },
      {
        withinMs: QUIET_WITHIN_MS,
        lastSeen: () => ({ ...seen, ghosts: seen && ghostsIn(seen), devices: this.inWords }),
      },
    );
    this.#watched.mostSeats = 0;
    return point;
  }

  /** How all devices are, for whoever reads why a test failed. */
  get inWords(): readonly string[] {
    return this.#owners.flatMap(({ devices }) => devices.map(({ inWords }) => inWords));
  }

  async #look(): Promise<QuietPoint> {
    const { call } = await this.#observer.request('consultation.watch', { consultationId: this.id });
    return {
      seats: (call?.state === 'ended' ? [] : (call?.seats ?? [])).map(({ personId, deviceId, state }) => ({
        personId,
        deviceId,
        state,
      })),
      inCall: this.#owners.flatMap(({ personId, devices }) =>
        devices.flatMap(({ call: own, deviceId }) => (own === null ? [] : [{ personId, deviceId }])),
      ),
      mostSeatsTold: this.#watched.mostSeats,
    };
  }

  async #until(what: string, isSo: (point: QuietPoint) => boolean, withinMs: number): Promise<void> {
    let seen: QuietPoint | null = null;
    await eventually(
      what,
      async () => {
        seen = await this.#look();
        return isSo(seen);
      },
      { withinMs, lastSeen: () => seen },
    );
  }

  async #call(): Promise<void> {
    const [patient, doctor] = this.#owners.map(({ devices }) => devices[0]);
    if (patient === undefined || doctor === undefined) throw new Error('no devices');
    await doctor.consultation.startCall('video');
    const ringing = await eventually(
      'the call to ring',
      () => (patient.shownCall?.role === 'incoming' ? patient.shownCall : null),
      { lastSeen: () => patient.shownCall?.role },
    );
    await ringing.accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#owners.flatMap(({ devices }) => devices).map((device) => device[Symbol.asyncDispose]()),
    );
    await this.#observer[Symbol.asyncDispose]();
  }
}
