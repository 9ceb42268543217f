import type { RoomCloseReason, Sfu, SfuRoom, SfuSeat } from '@teleconsult/media';
import {
  AppError,
  type CheckId,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import { MAX_CHECK_MS } from '@teleconsult/protocol/limits';
import { guarded } from '../host/media-errors.ts';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { TurnCredentials } from '../turn/turn-credentials.ts';
import { OpeningLimit } from './opening-limit.ts';

export interface CheckedDevice {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
  /** Set when its token is good for one consultation: then it is a device of its own. */
  readonly onlyConsultation?: ConsultationId | null;
}

export interface NetworkChecksParts {
  readonly sfu: Sfu;
  readonly turn: Pick<TurnCredentials, 'forPerson'>;
  readonly ids: Pick<IdGenerator, 'checkId'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Each takes a room with two seats on a media worker; calls come first. */
const MAX_CHECKS = 200;

type CheckEnd = 'closed' | 'replaced' | 'timed_out' | 'device_lost' | 'media_lost' | 'shutting_down';

/** The two ends of a loop: what `sender` sends comes back through `receiver`. Both are the same device. */
interface Loop {
  readonly room: SfuRoom;
  readonly sender: SfuSeat;
  readonly receiver: SfuSeat;
}

interface Check {
  readonly checkId: CheckId;
  readonly deviceKey: string;
  readonly until: number;
  readonly timer: NodeJS.Timeout;
  /** null while the media is being opened: nobody else knows the check's id by then. */
  loop: Loop | null;
  end: CheckEnd | null;
}

/**
 * Network checks before a call: a room of the device's own, in which it hears itself. It takes the way a call
 * would take, through the same workers, ports and relays, and reaches nobody. Nothing of a check is stored.
 */
export class NetworkChecks {
  readonly #parts: NetworkChecksParts;
  readonly #openings: OpeningLimit;
  /** By device: one check each. */
  readonly #checks = new Map<string, Check>();
  #closed = false;

  constructor(parts: NetworkChecksParts) {
    this.#parts = parts;
    this.#openings = new OpeningLimit(parts.clock);
  }

  get size(): number {
    return this.#checks.size;
  }

  /**
   * Ends the device's former check. Throws `RATE_LIMITED`, and `MEDIA_UNAVAILABLE` when the server has as many
   * checks as it takes or no media worker.
   */
  async open(device: CheckedDevice): Promise<RequestResult<'check.open'>> {
    const { sfu, turn } = this.#parts;
    if (this.#closed) throw new AppError('SHUTTING_DOWN');
    this.#openings.count(device.personId);
    const check = this.#begin(device);
    try {
      const loop = await guarded(() => this.#openLoop(check));
      const { checkId, until } = check;
      return {
        checkId,
        routerRtpCapabilities: sfu.capabilities,
        send: loop.sender.send,
        receive: loop.receiver.receive,
        iceServers: turn.forPerson(device.personId),
        until,
      };
    } catch (error) {
      this.#end(check, 'media_lost');
      throw error;
    }
  }

  async connectTransport(
    device: CheckedDevice,
    { checkId, direction, dtlsParameters }: RequestPayload<'check.connectTransport'>,
  ): Promise<void> {
    const { sender, receiver } = this.#loop(device, checkId);
    const seat = direction === 'send' ? sender : receiver;
    await guarded(() => seat.connectTransport(direction, dtlsParameters));
  }

  async produce(
    device: CheckedDevice,
    { checkId, source, kind, rtpParameters }: RequestPayload<'check.produce'>,
  ): Promise<RequestResult<'check.produce'>> {
    const { sender } = this.#loop(device, checkId);
    return guarded(() => sender.produce({ source, kind, rtpParameters, paused: false }));
  }

  /** May be asked again once more is sent; what flows already goes on. */
  async consume(
    device: CheckedDevice,
    { checkId, rtpCapabilities }: RequestPayload<'check.consume'>,
  ): Promise<RequestResult<'check.consume'>> {
    const { receiver } = this.#loop(device, checkId);
    return guarded(async () => {
      const consumers = await receiver.setCapabilities(rtpCapabilities);
      await Promise.all(consumers.map(({ consumerId }) => receiver.resumeConsumer(consumerId)));
      return { consumers };
    });
  }

  async close(device: CheckedDevice, checkId: CheckId): Promise<void> {
    this.#end(this.#checkOf(device, checkId), 'closed');
  }

  /** The device is gone: its check ends. */
  handleDeviceLost(device: CheckedDevice): void {
    const check = this.#checks.get(keyOf(device));
    if (check !== undefined) this.#end(check, 'device_lost');
  }

  /** Ends all checks and takes no more. May be called twice. */
  closeAll(): void {
    this.#closed = true;
    for (const check of [...this.#checks.values()]) this.#end(check, 'shutting_down');
  }

  /** Takes the device's place and one of the server's before anything is awaited. */
  #begin(device: CheckedDevice): Check {
    const deviceKey = keyOf(device);
    const former = this.#checks.get(deviceKey);
    if (former !== undefined) this.#end(former, 'replaced');
    if (this.#checks.size >= MAX_CHECKS)
      throw new AppError('MEDIA_UNAVAILABLE', { detail: 'too many network checks are running' });
    const timer = setTimeout(() => this.#end(check, 'timed_out'), MAX_CHECK_MS);
    timer.unref();
    const check: Check = {
      checkId: this.#parts.ids.checkId(),
      deviceKey,
      until: this.#parts.clock() + MAX_CHECK_MS,
      timer,
      loop: null,
      end: null,
    };
    this.#checks.set(deviceKey, check);
    return check;
  }

  async #openLoop(check: Check): Promise<Loop> {
    const room = await this.#parts.sfu.openRoom({
      onClosed: (reason: RoomCloseReason) => {
        if (reason === 'worker_died') this.#end(check, 'media_lost');
      },
    });
    try {
      // What the two are told is that they see each other, which their device knows.
      const onEvent = (): void => undefined;
      const sender = await room.openSeat({ seatId: 'sender', onEvent });
      const receiver = await room.openSeat({ seatId: 'receiver', onEvent });
      if (check.end !== null) throw endedBefore(check.end);
      check.loop = { room, sender, receiver };
      return check.loop;
    } catch (error) {
      room.close();
      throw error;
    }
  }

  #end(check: Check, why: CheckEnd): void {
    if (check.end !== null) return;
    check.end = why;
    clearTimeout(check.timer);
    if (this.#checks.get(check.deviceKey) === check) this.#checks.delete(check.deviceKey);
    check.loop?.room.close();
    this.#parts.log.info('check.ended', { reason: why });
  }

  #loop(device: CheckedDevice, checkId: CheckId): Loop {
    const { loop } = this.#checkOf(device, checkId);
    if (loop === null) throw notFound();
    return loop;
  }

  #checkOf(device: CheckedDevice, checkId: CheckId): Check {
    const check = this.#checks.get(keyOf(device));
    if (check?.checkId !== checkId) throw notFound();
    return check;
  }
}

/** A space occurs in no id. */
const keyOf = ({ personId, deviceId, onlyConsultation }: CheckedDevice): string =>
  `${personId} ${deviceId} ${onlyConsultation ?? ''}`;

const notFound = (): AppError =>
  new AppError('NOT_FOUND', { detail: 'there is no such check of this device' });

/** The check ended while its media was being opened. */
function endedBefore(why: CheckEnd): AppError {
  if (why === 'replaced')
    return new AppError('WRONG_STATE', { detail: 'a newer check of this device took its place' });
  return new AppError(why === 'shutting_down' ? 'SHUTTING_DOWN' : 'MEDIA_UNAVAILABLE');
}
