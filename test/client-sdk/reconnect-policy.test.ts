import { AppError, type ClientOptions, type RetryContext } from '@teleconsult/client-sdk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askedOf, atLeastAsAsked, harmlessDelay } from '../../client-sdk/backoff.ts';
import { defaultReconnectPolicy, reconnectPolicyOf } from '../../client-sdk/reconnect-policy.ts';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { patient, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const lost: RetryContext = { attempt: 1, elapsedMs: 0, error: null };
const policyOf = (choice: unknown) => reconnectPolicyOf(choice as ClientOptions['reconnect']);

describe('the policy of coming back', () => {
  const reported: unknown[] = [];

  beforeEach(() => {
    reported.length = 0;
    Reflect.set(globalThis, 'reportError', (error: unknown) => reported.push(error));
  });
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'reportError');
  });

  it('[SDK220] what an app leaves out stays, and a function replaces the waits between connections alone', () => {
    const partial = policyOf({ rebuildDelayMs: () => 7 });
    expect(partial.rebuildDelayMs(lost)).toBe(7);
    expect(partial.iceRestartDelayMs(lost)).toBe(defaultReconnectPolicy.iceRestartDelayMs(lost));
    const simple = policyOf((attempt: number) => attempt * 10);
    expect(simple.connectionDelayMs({ ...lost, attempt: 3 })).toBe(30);
    expect(simple.iceRestartDelayMs(lost)).toBe(300);
    expect(policyOf(undefined).iceRestartDelayMs({ ...lost, attempt: 4 })).toBeNull();
  });

  it('[SDK221] nonsense makes neither a storm nor an endless wait; what throws or answers no number is as if left out', () => {
    const usual = defaultReconnectPolicy.iceRestartDelayMs(lost);
    for (const [answer, delayMs] of [
      [-5, 0],
      [10 ** 9, 60_000],
      [Number.POSITIVE_INFINITY, 60_000],
      [null, null],
      [Number.NaN, usual],
      [undefined, usual],
      ['100', usual],
      [Promise.resolve(100), usual],
    ] as const)
      expect(policyOf({ iceRestartDelayMs: () => answer }).iceRestartDelayMs(lost)).toBe(delayMs);
    const broken = policyOf({
      iceRestartDelayMs: () => {
        throw new Error('a bug of the app');
      },
    });
    expect(broken.iceRestartDelayMs(lost)).toBe(usual);
    expect(reported.map(String)).toEqual(['Error: a bug of the app']);
  });

  it('[SDK221] whatever a policy answers is null or from 0 to a minute', () => {
    fc.assert(
      fc.property(fc.anything(), (answer) => {
        const delayMs = harmlessDelay(answer, () => 1);
        expect(delayMs === null || (delayMs >= 0 && delayMs <= 60_000)).toBe(true);
      }),
    );
  });

  it('[SDK222] in the first minute attempts follow each other within 1.5 s, later within 5 s', () => {
    const longest = (elapsedMs: number) =>
      Math.max(
        ...Array.from({ length: 2_000 }, (_, index) =>
          Number(
            defaultReconnectPolicy.connectionDelayMs({ attempt: (index % 20) + 1, elapsedMs, error: null }),
          ),
        ),
      );
    expect(longest(59_000)).toBeLessThanOrEqual(1_500);
    const late = longest(61_000);
    expect(late).toBeLessThanOrEqual(5_000);
    expect(late).toBeGreaterThan(3_000);
  });

  it('[SDK222] a media worker that died is replaced at once; what failed again waits', () => {
    const error = new AppError('MEDIA_UNAVAILABLE');
    expect(defaultReconnectPolicy.rebuildDelayMs({ attempt: 1, elapsedMs: 0, error })).toBe(0);
    const again = Array.from({ length: 100 }, () =>
      Number(defaultReconnectPolicy.rebuildDelayMs({ attempt: 3, elapsedMs: 0, error })),
    );
    expect(Math.max(...again)).toBeGreaterThan(250);
  });

  it('[SDK226] what the server asks for is the least wait, spread by a fifth, and a minute at most', () => {
    const busy = new AppError('OVERLOADED', { retryAfterMs: 1_000 });
    expect(atLeastAsAsked(10, busy, () => 0)).toBe(1_000);
    expect(atLeastAsAsked(10, busy, () => 0.999)).toBeCloseTo(1_200, -1);
    expect(atLeastAsAsked(5_000, busy, () => 0.5)).toBe(5_000);
    expect(atLeastAsAsked(10, null, () => 0.5)).toBe(10);
    expect(askedOf(new AppError('OVERLOADED', { retryAfterMs: 10 ** 9 }))).toBe(60_000);
    expect(askedOf(new AppError('OVERLOADED', { retryAfterMs: Number.NaN }))).toBe(0);
    expect(askedOf(new AppError('OVERLOADED', { retryAfterMs: -1 }))).toBe(0);
  });
});

describe('a client with a policy of its own', () => {
  it('[SDK220] the policy is told which attempt it is, how long ago the loss was, and why', async () => {
    await using server = await ScriptedServer.start();
    server.admit = () => (server.handshakes.length <= 3 ? 'INTERNAL' : null);
    const contexts: RetryContext[] = [];
    await using client = clientOf(server, {
      reconnect: {
        connectionDelayMs: (context) => {
          contexts.push(context);
          return 1;
        },
      },
    });
    await client.connect();
    expect(contexts.map(({ attempt, error }) => [attempt, error?.code])).toEqual([
      [1, 'INTERNAL'],
      [2, 'INTERNAL'],
      [3, 'INTERNAL'],
    ]);
    const elapsed = contexts.map(({ elapsedMs }) => elapsedMs);
    expect(elapsed).toEqual([...elapsed].sort((a, b) => a - b));
    server.cutAll();
    await eventually(
      () => contexts.at(-1),
      (context) => context?.error?.code === 'DISCONNECTED' && context.elapsedMs < 1_000,
    );
  });

  it('[SDK220] giving up connecting closes the client with the last error', async () => {
    await using server = await ScriptedServer.start();
    server.admit = () => 'STORAGE_UNAVAILABLE';
    await using client = clientOf(server, {
      reconnect: { connectionDelayMs: ({ attempt }) => (attempt > 2 ? null : 1) },
    });
    const states = recorded(client.on, 'connection');
    expect(await codeOf(client.connect())).toBe('STORAGE_UNAVAILABLE');
    expect(states.at(-1)).toMatchObject({ state: 'closed', error: { code: 'STORAGE_UNAVAILABLE' } });
    expect(server.handshakes.length).toBe(3);
  });

  it('[SDK226] a server that is overloaded is left alone for as long as it asks, whatever policy and app say', async () => {
    await using server = await ScriptedServer.start();
    server.admit = () => (server.handshakes.length <= 1 ? 'OVERLOADED' : null);
    server.retryAfterMs = 500;
    await using client = clientOf(server, { reconnect: () => 0 });
    const startedAt = performance.now();
    const connected = client.connect();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 1,
    );
    client.reconnectHint();
    await connected;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500);
    expect(server.handshakes.length).toBe(2);
  });

  it('[SDK220] giving up rebuilding leaves the seat, as a refusal of the server does', async () => {
    await using server = await ScriptedServer.start();
    const contexts: RetryContext[] = [];
    const here = await opened(
      server,
      {},
      {
        reconnect: {
          connectionDelayMs: () => 5,
          rebuildDelayMs: (context) => {
            contexts.push(context);
            return context.attempt > 1 ? null : 0;
          },
        },
      },
    );
    await using client = here.client;
    const call = await ringing(here);
    await call.accept();
    const problems = recorded(call.on, 'problem');
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
    await client.listConsultations();
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => problems.length,
      (count) => count === 1,
    );
    expect(contexts.map(({ attempt, error }) => [attempt, error?.code])).toEqual([
      [1, 'MEDIA_UNAVAILABLE'],
      [2, 'MEDIA_UNAVAILABLE'],
    ]);
    expect(problems[0]?.code).toBe('MEDIA_UNAVAILABLE');
    expect(client.activeCall).toBeNull();
    expect(here.media.running).toEqual([]);
    expect(server.payloads('seat.join').length).toBe(2);
  });

  it('[SDK224] reconnectHint ends the wait before media is built anew', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(
      server,
      {},
      { reconnect: { connectionDelayMs: () => 5, rebuildDelayMs: () => 60_000 } },
    );
    await using client = here.client;
    const call = await ringing(here);
    await call.accept();
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => call.path,
      (path) => path === 'interrupted',
    );
    expect(server.payloads('seat.join').length).toBe(1);
    client.reconnectHint();
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
  });

  it('[SDK227] an app that cannot give a fresh token, because its own request hangs, does not keep the client away', async () => {
    await using server = await ScriptedServer.start();
    let asked = 0;
    await using client = clientOf(server, {
      media: new FakeMedia(),
      token: () => {
        asked += 1;
        return asked === 1 ? tokenFor(patient) : new Promise<string>(() => {});
      },
    });
    await client.connect();
    server.cutAll();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    const startedAt = performance.now();
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(asked).toBe(2);
  });

  it('[SDK227] nor does an app whose token function fails: the latest token does as long as the server takes it', async () => {
    await using server = await ScriptedServer.start();
    let asked = 0;
    await using client = clientOf(server, {
      token: () => {
        asked += 1;
        if (asked > 1) throw new Error('the app’s own server is down');
        return tokenFor(patient);
      },
    });
    await client.connect();
    server.cutAll();
    await eventually(
      () => server.handshakes.length,
      (count) => count === 2,
    );
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
    expect(server.handshakes[1]?.token).toBe(tokenFor(patient));
  });

  it('[SDK228] an attempt that got lost on its way is overtaken by a fresh one', async () => {
    await using server = await ScriptedServer.start();
    let opening = 0;
    // As a packet that a network lost: the first attempt is never answered.
    server.filterUpgrades(() => {
      opening += 1;
      return opening > 1;
    });
    await using client = clientOf(server, { requestTimeoutMs: 8_000 });
    const startedAt = performance.now();
    await client.connect();
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(opening).toBe(2);
    // The server hears of this device once.
    expect(server.handshakes.length).toBe(1);
  });
});
