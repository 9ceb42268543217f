import type { Sfu } from '@teleconsult/media';
import {
  AppError,
  type CheckId,
  type DeviceId,
  type PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { TurnCredentials } from '../turn/turn-credentials.ts';

export interface CheckedDevice {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

export interface NetworkChecksParts {
  readonly sfu: Sfu;
  readonly turn: TurnCredentials;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly log: Log;
}

/** Network checks before a call: a room of the device's own, in which it hears itself. */
export class NetworkChecks {
  readonly #parts: NetworkChecksParts;

  constructor(parts: NetworkChecksParts) {
    this.#parts = parts;
  }

  async open(_device: CheckedDevice): Promise<RequestResult<'check.open'>> {
    throw new AppError('NOT_CONFIGURED', { detail: String(this.#parts.clock() > 0) });
  }

  async connectTransport(
    _device: CheckedDevice,
    _payload: RequestPayload<'check.connectTransport'>,
  ): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }

  async produce(
    _device: CheckedDevice,
    _payload: RequestPayload<'check.produce'>,
  ): Promise<RequestResult<'check.produce'>> {
    throw new AppError('NOT_CONFIGURED');
  }

  async consume(
    _device: CheckedDevice,
    _payload: RequestPayload<'check.consume'>,
  ): Promise<RequestResult<'check.consume'>> {
    throw new AppError('NOT_CONFIGURED');
  }

  async close(_device: CheckedDevice, _checkId: CheckId): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }

  /** The device is gone: its check ends. */
  handleDeviceLost(_device: CheckedDevice): void {}

  /** Ends all checks. May be called twice. */
  closeAll(): void {}
}
