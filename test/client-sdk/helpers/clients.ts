import {
  type ClientOptions,
  createTeleconsultClient,
  type Subscribe,
  type TeleconsultClient,
} from '@teleconsult/client-sdk';
import { patient, tokenFor } from './samples.ts';
import type { ScriptedServer } from './scripted-server.ts';

/** A client that is closed at the end of the test. Reconnection attempts follow each other at once. */
export function clientOf(
  server: ScriptedServer,
  options: Partial<ClientOptions> = {},
): TeleconsultClient & AsyncDisposable {
  const client = createTeleconsultClient({
    url: server.url,
    token: tokenFor(patient),
    deviceId: 'device-under-test',
    requestTimeoutMs: 2_000,
    reconnect: () => 5,
    ...options,
  });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** Everything of one event that was told from now on, in order. */
export function recorded<Events, K extends keyof Events & string>(
  on: Subscribe<Events>,
  event: K,
): Events[K][] {
  const told: Events[K][] = [];
  on(event, (payload) => told.push(payload));
  return told;
}
