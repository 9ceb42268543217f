import { AppError, DeviceId, type RequestName } from '@teleconsult/protocol';
import { Emitter } from '../../../client-sdk/events.ts';
import type { NetworkNews } from '../../../client-sdk/network-hints.ts';
import { defaultReconnectPolicy } from '../../../client-sdk/reconnect-policy.ts';
import type { Signalling } from '../../../client-sdk/requests.ts';
import { Faults } from '../../../client-sdk/simulation/faults.ts';
import { patient } from './samples.ts';

/** A connection without a network: what is asked is written down, and answered as the test says. */
export class FakeSignalling implements Signalling {
  readonly deviceId = DeviceId.parse('device-under-test');
  readonly personId = patient;
  readonly asked: { readonly name: RequestName; readonly payload: object }[] = [];
  connected = true;
  reconnect = defaultReconnectPolicy;
  readonly faults = new Faults();
  answer: (name: RequestName, payload: object) => unknown = () => ({});
  readonly #events = new Emitter<{ connected: undefined; network: NetworkNews }>();

  readonly request: Signalling['request'] = async (name, payload) => {
    if (!this.connected) throw new AppError('DISCONNECTED');
    this.asked.push({ name, payload });
    return (await this.answer(name, payload)) as never;
  };

  payloads(name: RequestName): readonly object[] {
    return this.asked.filter((one) => one.name === name).map(({ payload }) => payload);
  }

  async untilConnected(): Promise<void> {
    if (this.connected) return;
    await new Promise<void>((resolve) => this.#events.on('connected', () => resolve()));
  }

  onConnected(listener: () => void): () => void {
    return this.#events.on('connected', listener);
  }

  comeBack(): void {
    this.connected = true;
    this.#events.emit('connected', undefined);
  }

  onNetwork(listener: (news: NetworkNews) => void): () => void {
    return this.#events.on('network', listener);
  }

  tellNetwork(news: NetworkNews): void {
    this.#events.emit('network', news);
  }

  networkIsBack(): void {}

  probe(): void {}
}
