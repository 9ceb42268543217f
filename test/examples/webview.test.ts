import { expect, test } from 'vitest';
import { type HostChannel, joinHost } from '../../examples/webview/bridge.ts';
import { type FromHost, parseFromHost, type ToHost } from '../../examples/webview/host-messages.ts';
import { eventually } from '../client-sdk/helpers/eventually.ts';
import { answered, opened } from '../client-sdk/helpers/opened-call.ts';
import { ScriptedServer } from '../client-sdk/helpers/scripted-server.ts';

/** The native app, as the page sees it. */
class ScriptedHost implements HostChannel {
  readonly told: ToHost[] = [];
  readonly #listeners = new Set<(message: string) => void>();

  postMessage(message: string): void {
    this.told.push(JSON.parse(message) as ToHost);
  }

  onMessage(listener: (message: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(message: FromHost): void {
    this.sayText(JSON.stringify(message));
  }

  sayText(message: string): void {
    for (const listener of this.#listeners) listener(message);
  }
}

test('[EX4] the bridge of a WebView passes phone calls, views and buttons on to the call, and tells the native app its state', async () => {
  await using server = await ScriptedServer.start();
  const here = await opened(server, { media: 'video' });
  await using client = here.client;
  const host = new ScriptedHost();
  const part = joinHost(client, host);
  expect(host.told).toEqual([
    { type: 'connection', state: 'connected' },
    { type: 'call', state: 'none', microphoneOn: false },
  ]);
  const call = await answered(here, server);
  await eventually(
    () => host.told.at(-1),
    (last) => last?.type === 'call' && last.state === 'video' && last.microphoneOn,
  );

  host.say({ type: 'interrupted', on: true });
  await eventually(
    () => server.payloads('seat.setInterrupted').map(({ interrupted }) => interrupted),
    (said) => said.join() === 'true',
  );
  host.say({ type: 'view', view: 'background' });
  await eventually(
    () => server.payloads('seat.setView').map(({ view }) => view),
    (said) => said.join() === 'background',
  );
  host.say({ type: 'microphone', on: false });
  await eventually(
    () => call.microphoneOn,
    (on) => !on,
  );
  host.say({ type: 'hangUp' });
  await eventually(
    () => host.told.at(-1),
    (last) => last?.type === 'call' && last.state === 'none',
  );
  await eventually(
    () => server.payloads('call.hangUp').length,
    (count) => count === 1,
  );

  part();
  const before = host.told.length;
  host.say({ type: 'network' });
  here.scripted.ring();
  await client.listConsultations();
  expect(host.told.length).toBe(before);
});

test('[EX4] what a native app says in other words does nothing', async () => {
  await using server = await ScriptedServer.start();
  const here = await opened(server, { media: 'voice' });
  await using client = here.client;
  const call = await answered(here, server);
  const host = new ScriptedHost();
  joinHost(client, host);
  const nonsense = [
    '',
    'null',
    '[]',
    '{"type":"hangup"}',
    '{"type":"view","view":"gone"}',
    '{"type":"view"}',
    '{"type":"microphone","on":"false"}',
    '{"type":"interrupted"}',
  ];
  for (const text of nonsense) {
    expect(parseFromHost(text)).toBeNull();
    host.sayText(text);
  }
  await client.listConsultations();
  expect(call.microphoneOn).toBe(true);
  expect(server.payloads('seat.setView')).toEqual([]);
  expect(server.payloads('call.hangUp')).toEqual([]);
});
