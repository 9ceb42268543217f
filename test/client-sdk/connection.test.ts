import { AppError, createTeleconsultClient } from '@teleconsult/client-sdk';
import { PROTOCOL_VERSION } from '@teleconsult/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenSource } from '../../client-sdk/token-source.ts';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { patient, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

describe('connecting', () => {
  it('[SDK1] the client presents protocol, token and device, and is connected when the server accepts', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server);
    expect(client.connection).toBe('idle');
    expect(client.personId).toBeNull();
    const states = recorded(client.on, 'connection');
    await client.connect();
    expect(client.connection).toBe('connected');
    expect(client.personId).toBe(patient);
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    expect(server.handshakes).toEqual([
      { protocol: PROTOCOL_VERSION, token: tokenFor(patient), deviceId: 'device-under-test' },
    ]);
  });

  it.each(['UNAUTHENTICATED', 'PROTOCOL_UNSUPPORTED', 'FORBIDDEN'] as const)(
    '[SDK2] a handshake refused with %s is final: the client closes with the error and tries no more',
    async (code) => {
      await using server = await ScriptedServer.start();
      server.admit = () => code;
      await using client = clientOf(server);
      const states = recorded(client.on, 'connection');
      expect(await codeOf(client.connect())).toBe(code);
      expect(client.connection).toBe('closed');
      expect(states.at(-1)).toMatchObject({ state: 'closed', error: { code, requestId: 'request-1' } });
      expect(await codeOf(client.connect())).toBe(code);
      expect(await codeOf(client.open('any'))).toBe(code);
      expect(server.handshakes.length).toBe(1);
    },
  );

  it('[SDK3] an expired token is asked for anew at once', async () => {
    await using server = await ScriptedServer.start();
    server.admit = ({ token }) => (token === tokenFor(patient, 'expired') ? 'TOKEN_EXPIRED' : null);
    const tokens = [tokenFor(patient, 'expired'), tokenFor(patient)];
    await using client = clientOf(server, {
      token: () => Promise.resolve(tokens.shift() ?? ''),
      reconnect: () => 60_000,
    });
    await client.connect();
    expect(server.handshakes.length).toBe(2);
  });

  it('[SDK3] a token function that keeps answering expired tokens is asked again after a back-off, not in a storm', async () => {
    await using server = await ScriptedServer.start();
    server.admit = () => (server.handshakes.length <= 4 ? 'TOKEN_EXPIRED' : null);
    const attempts: number[] = [];
    await using client = clientOf(server, {
      token: () => tokenFor(patient),
      reconnect: (attempt) => {
        attempts.push(attempt);
        return 1;
      },
    });
    await client.connect();
    expect(server.handshakes.length).toBe(5);
    expect(attempts).toEqual([1, 2]);
  });

  it('[SDK3] with a fixed token, expiry is final', async () => {
    await using server = await ScriptedServer.start();
    server.admit = () => 'TOKEN_EXPIRED';
    await using client = clientOf(server);
    expect(await codeOf(client.connect())).toBe('TOKEN_EXPIRED');
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK3] when the server ends a session because the token expired, the client returns with a fresh one', async () => {
    await using server = await ScriptedServer.start();
    let asked = 0;
    await using client = clientOf(server, { token: () => tokenFor(patient, `token-${(asked += 1)}`) });
    await client.connect();
    server.tell('session.ending', { reason: 'token_expired' });
    server.disconnectAll();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 2,
    );
    expect(server.handshakes[1]?.token).toBe(tokenFor(patient, 'token-2'));
  });

  it('[SDK3] a token function that never answers is asked again after a minute, not before', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => void vi.restoreAllMocks());
    const answers = [new Promise<string>(() => {}), Promise.resolve(tokenFor(patient))];
    let asked = 0;
    const tokens = new TokenSource(() => answers[asked++] ?? '');
    void tokens.renew();
    now = 59_000;
    void tokens.renew();
    expect(asked).toBe(1);
    now = 61_000;
    expect(await tokens.renew()).toBe(tokenFor(patient));
    expect(asked).toBe(2);
  });

  it('[SDK3] a token function that fails is tried again', async () => {
    await using server = await ScriptedServer.start();
    let asked = 0;
    const token = () => {
      asked += 1;
      if (asked < 3) throw new Error('offline');
      return tokenFor(patient);
    };
    await using client = clientOf(server, { token });
    const states = recorded(client.on, 'connection');
    await client.connect();
    expect(states.map(({ error }) => error?.code)).toEqual([
      undefined,
      'DISCONNECTED',
      'DISCONNECTED',
      undefined,
    ]);
  });

  it('[SDK4] a lost connection is made anew, whoever ended it', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server);
    await client.connect();
    server.disconnectAll();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 2,
    );
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    server.cutAll();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 3,
    );
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
  });

  it('[SDK4] it goes on trying while the server is away', async () => {
    await using server = await ScriptedServer.start();
    const attempts: number[] = [];
    await using client = clientOf(server, {
      reconnect: (attempt) => {
        attempts.push(attempt);
        return 2;
      },
    });
    await client.connect();
    await server.goAway();
    await eventually(
      () => attempts.length,
      (count) => count >= 5,
    );
    expect(client.connection).toBe('connecting');
    await server.comeBack();
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    expect(attempts.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
  });

  it('[SDK4] a client replaced by another of the same device closes instead of fighting for the place', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server);
    await client.connect();
    const states = recorded(client.on, 'connection');
    server.tell('session.ending', { reason: 'replaced' });
    server.disconnectAll();
    await eventually(
      () => client.connection,
      (state) => state === 'closed',
    );
    expect(states).toMatchObject([{ state: 'closed', error: { code: 'DISCONNECTED' } }]);
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK6] reconnectHint tries at once, whatever is left of the back-off', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { reconnect: () => 60_000 });
    await client.connect();
    server.disconnectAll();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    client.reconnectHint();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 2,
    );
  });

  it('[SDK6] the browser saying that it is online tries at once', async () => {
    await using server = await ScriptedServer.start();
    const window = new EventTarget();
    Reflect.set(globalThis, 'window', window);
    try {
      await using client = clientOf(server, { reconnect: () => 60_000 });
      await client.connect();
      server.disconnectAll();
      await eventually(
        () => client.connection,
        (state) => state === 'connecting',
      );
      window.dispatchEvent(new Event('online'));
      await eventually(
        () => server.handshakes.length,
        (count) => count === 2,
      );
    } finally {
      Reflect.deleteProperty(globalThis, 'window');
    }
  });

  it('[SDK7] requests reject with the code of the server, TIMEOUT, DISCONNECTED or ABORTED', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { requestTimeoutMs: 300 });
    expect(await codeOf(client.listConsultations())).toBe('DISCONNECTED');
    await client.connect();
    server.once('consultation.list', () => {
      throw new AppError('RATE_LIMITED');
    });
    expect(await codeOf(client.listConsultations())).toBe('RATE_LIMITED');
    server.once('consultation.list', () => 'silence');
    const lost = client.listConsultations();
    await eventually(
      () => server.payloads('consultation.list').length,
      (count) => count === 2,
    );
    server.cutAll();
    expect(await codeOf(lost)).toBe('DISCONNECTED');
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    const abort = new AbortController();
    server.once('consultation.list', () => 'silence');
    const aborted = client.listConsultations({ signal: abort.signal });
    abort.abort();
    expect(await codeOf(aborted)).toBe('ABORTED');
    expect(await codeOf(client.listConsultations({ signal: AbortSignal.abort() }))).toBe('ABORTED');
    await eventually(
      () => server.payloads('consultation.list').length,
      (count) => count === 3,
    );
    server.once('consultation.list', () => 'silence');
    expect(await codeOf(client.listConsultations())).toBe('TIMEOUT');
  });

  it('[SDK8] a connection that stopped answering is given up and made anew', {
    timeout: 15_000,
  }, async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { requestTimeoutMs: 200 });
    await client.connect();
    server.on('consultation.list', () => 'silence');
    server.on('session.ping', () => 'silence');
    // The time-out of the request raises the question, and the probe answers it.
    expect(await codeOf(client.listConsultations())).toBe('TIMEOUT');
    await eventually(
      () => server.handshakes.length,
      (count) => count === 2,
    );
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    server.on('consultation.list', () => ({ consultations: [], unread: [], queue: [], hasMore: false }));
    await client.listConsultations();
  });

  it('[SDK8] a connection that answers slowly once, but lives, is kept', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server, { requestTimeoutMs: 200 });
    await client.connect();
    server.once('consultation.list', () => 'silence');
    expect(await codeOf(client.listConsultations())).toBe('TIMEOUT');
    await eventually(
      () => server.payloads('session.ping').length,
      (count) => count === 1,
    );
    await client.listConsultations();
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK1] aborting connect ends the wait', async () => {
    await using server = await ScriptedServer.start();
    await server.goAway();
    await using client = clientOf(server);
    const abort = new AbortController();
    const connecting = client.connect({ signal: abort.signal });
    abort.abort();
    expect(await codeOf(connecting)).toBe('ABORTED');
    await server.comeBack();
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
  });

  it('[SDK9] a device keeps its id in the storage of the browser; one that the app gives must have the right shape', async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const make = (deviceId?: string) =>
      createTeleconsultClient({
        url: 'http://localhost',
        token: 'x',
        ...(deviceId !== undefined && { deviceId }),
      });
    expect(make().deviceId).not.toBe(make().deviceId);
    Reflect.set(globalThis, 'localStorage', storage);
    try {
      const first = make().deviceId;
      expect(first).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
      expect(make().deviceId).toBe(first);
      expect(make('given-device').deviceId).toBe('given-device');
      storage.getItem = () => {
        throw new Error('denied');
      };
      expect(make().deviceId).not.toBe(first);
    } finally {
      Reflect.deleteProperty(globalThis, 'localStorage');
    }
    expect(() => make('no spaces allowed')).toThrow(AppError);
  });
});
