import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NetworkNews, watchNetwork } from '../../client-sdk/network-hints.ts';
import { clientOf } from './helpers/clients.ts';
import { eventually } from './helpers/eventually.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** What of a browser the SDK listens to. */
class FakePage {
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  readonly navigator = {
    onLine: true,
    connection: Object.assign(new EventTarget(), { type: 'wifi' as string | undefined }),
  };

  install(): void {
    for (const name of ['window', 'document', 'navigator'] as const)
      Object.defineProperty(globalThis, name, { value: this[name], configurable: true, writable: true });
  }

  goOffline(): void {
    this.navigator.onLine = false;
    this.window.dispatchEvent(new Event('offline'));
  }

  goOnline(): void {
    this.navigator.onLine = true;
    this.window.dispatchEvent(new Event('online'));
  }

  becomes(type: string): void {
    this.navigator.connection.type = type;
    this.navigator.connection.dispatchEvent(new Event('change'));
  }
}

const saved = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
let page: FakePage;

beforeEach(() => {
  page = new FakePage();
  page.install();
});

afterEach(() => {
  for (const name of ['window', 'document'] as const) Reflect.deleteProperty(globalThis, name);
  if (saved !== undefined) Object.defineProperty(globalThis, 'navigator', saved);
});

/** A call on this device whose media flows. */
async function inCall(server: ScriptedServer, options: Parameters<typeof opened>[2] = {}) {
  const here = await opened(server, {}, options);
  here.media.connectsByItself = true;
  here.scripted.offer('microphone');
  here.scripted.showInSnapshots();
  const call = await ringing(here);
  await call.accept();
  await eventually(
    () => [call.path, call.remoteTracks.length] as const,
    ([path, tracks]) => path === 'connected' && tracks === 1,
  );
  await here.client.listConsultations();
  return { ...here, call };
}

describe('what the browser says of the network', () => {
  it('[SDK223] online after offline, and another kind of network, are changes; the rest are hints', () => {
    const news: NetworkNews[] = [];
    const stop = watchNetwork((one) => news.push(one));
    const told = (act: () => void): NetworkNews[] => {
      news.length = 0;
      act();
      return [...news];
    };
    expect(told(() => page.goOffline())).toEqual(['gone']);
    expect(told(() => page.goOnline())).toEqual(['changed']);
    expect(told(() => page.goOnline())).toEqual(['back']);
    expect(told(() => page.becomes('cellular'))).toEqual(['changed']);
    // Only an estimate of the speed.
    expect(told(() => page.becomes('cellular'))).toEqual(['back']);
    expect(told(() => page.becomes('none'))).toEqual(['gone']);
    expect(told(() => page.becomes('wifi'))).toEqual(['changed']);
    expect(told(() => page.document.dispatchEvent(new Event('visibilitychange')))).toEqual(['back']);
    page.document.visibilityState = 'hidden';
    expect(told(() => page.document.dispatchEvent(new Event('visibilitychange')))).toEqual([]);
    stop();
    expect(told(() => page.goOffline())).toEqual([]);
  });

  it('[SDK223] on computers, where the kind of network is not told, a change of estimates is no change of the network', () => {
    page.navigator.connection.type = undefined;
    const news: NetworkNews[] = [];
    watchNetwork((one) => news.push(one));
    page.navigator.connection.dispatchEvent(new Event('change'));
    expect(news).toEqual(['back']);
  });
});

describe('a call in a network that changes', () => {
  it('[SDK223] both directions get new ICE credentials at once, while the browser still calls them connected', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server, {
      reconnect: { connectionDelayMs: () => 5, iceRestartDelayMs: () => 60_000 },
    });
    await using _ = client;
    page.becomes('cellular');
    await eventually(
      () => media.transports.map(({ iceRestarts }) => iceRestarts),
      ([send, receive]) => send === 1 && receive === 1,
    );
    expect(call.path).toBe('connected');
    expect(server.payloads('seat.join').length).toBe(1);
    // The connection is asked whether it lives, and does.
    await eventually(
      () => server.payloads('session.ping').length,
      (count) => count > 0,
    );
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK223] when the connection is gone with the former network, the restart follows the new one at once', async () => {
    await using server = await ScriptedServer.start();
    const { client, media } = await inCall(server, {
      reconnect: { connectionDelayMs: () => 60_000, iceRestartDelayMs: () => 60_000 },
    });
    await using _ = client;
    server.on('session.ping', () => 'silence');
    server.on('seat.restartIce', () => 'silence');
    page.goOffline();
    server.cutAll();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    here(server);
    const startedAt = performance.now();
    page.goOnline();
    await eventually(
      () => media.transports.map(({ iceRestarts }) => iceRestarts),
      ([send, receive]) => send === 1 && receive === 1,
    );
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(server.handshakes.length).toBe(2);
  });

  it('[SDK223] a change of estimates leaves media that flows alone', async () => {
    await using server = await ScriptedServer.start();
    const { client, media } = await inCall(server);
    await using _ = client;
    page.navigator.connection.dispatchEvent(new Event('change'));
    client.reconnectHint();
    await eventually(
      () => server.payloads('session.ping').length,
      (count) => count > 0,
    );
    await client.listConsultations();
    expect(media.transports.map(({ iceRestarts }) => iceRestarts)).toEqual([0, 0]);
  });

  it('[SDK224] reconnectHint ends the wait before an ICE restart', async () => {
    await using server = await ScriptedServer.start();
    const { client, media, call } = await inCall(server, {
      reconnect: { connectionDelayMs: () => 5, iceRestartDelayMs: () => 60_000 },
    });
    await using _ = client;
    media.current.send.handler.setConnectionState('disconnected');
    await client.listConsultations();
    expect(call.path).toBe('interrupted');
    expect(server.payloads('seat.restartIce').length).toBe(0);
    client.reconnectHint();
    await eventually(
      () => media.current.send.iceRestarts,
      (count) => count === 1,
    );
  });

  it('[SDK225] a path that is disconnected gets new credentials within half a second', async () => {
    await using server = await ScriptedServer.start();
    const { client, media } = await inCall(server);
    await using _ = client;
    const startedAt = performance.now();
    media.current.receive.handler.setConnectionState('disconnected');
    await eventually(
      () => server.payloads('seat.restartIce').length,
      (count) => count === 1,
    );
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('a browser that says it is offline', () => {
  it('[SDK229] attempts go on at a slower pace, for it may be wrong, and online ends the wait', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { reconnect: () => 1 });
    await client.connect();
    page.goOffline();
    await server.goAway();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    await server.comeBack();
    server.admit = () => 'INTERNAL';
    // The first attempt is made whatever the browser says; the next one waits five seconds.
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    const startedAt = performance.now();
    page.goOnline();
    server.admit = () => null;
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('[SDK229] a browser that is wrong about it costs five seconds, not the call', {
    timeout: 20_000,
  }, async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { reconnect: () => 1 });
    await client.connect();
    page.goOffline();
    let attempts = 0;
    server.admit = () => {
      attempts += 1;
      return attempts < 3 ? 'INTERNAL' : null;
    };
    const startedAt = performance.now();
    server.cutAll();
    await eventually(
      () => [client.connection, attempts] as const,
      ([state, count]) => state === 'connected' && count === 3,
      15_000,
    );
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(4_900);
    expect(tookMs).toBeLessThan(12_000);
  });
});

/** The server answers again. */
function here(server: ScriptedServer): void {
  server.on('session.ping', () => ({ at: 1 }));
  server.on('seat.restartIce', () => ({
    iceParameters: { usernameFragment: 'new', password: 'credentials', iceLite: true },
  }));
}
