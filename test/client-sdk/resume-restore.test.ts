import { CallId, DeviceId } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { CallRestorer } from '../../client-sdk/resume/call-restorer.ts';
import { KeptCall } from '../../client-sdk/resume/kept-call.ts';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { doctor, minted, patient, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const ticket = (join: number): string => String(join).padStart(32, '0');
const HOUR_MS = 3_600_000;
const lost = { state: 'left', leftReason: 'lost', microphoneOn: true } as const;

describe('a call over a reload', () => {
  it('[SDK194] is found before anything is connected, and goes on in the same seat with what was on', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using before = await browser.loadInCall();
    await before.call.setMicrophone(false);
    browser.scripted.offer('microphone');
    await server.goAway();
    const { consultationId, callId } = browser.scripted.seat;

    await using page = browser.load();
    const restoring = recorded(page.client.on, 'restoring');
    const active = recorded(page.client.on, 'activeCall');
    const restored = page.client.restoreCall();
    await eventually(
      () => page.client.restoring,
      (now) => now !== null,
    );
    expect(page.client.connection).not.toBe('connected');
    expect(page.client.restoring).toEqual({ consultationId, callId, at: expect.any(Number) });
    await server.comeBack();
    const call = await restored;
    expect(call?.id).toBe(callId);
    expect(call?.isRestored).toBe(true);
    expect(call?.role).toBe('answered');
    expect([call?.microphoneOn, call?.cameraOn]).toEqual([false, true]);
    expect(page.media.asked).toEqual([{ audio: false, video: true }]);
    expect(server.payloads('seat.join').at(-1)).toMatchObject({ resumeTicket: ticket(1), takeOver: false });
    expect(page.client.restoring).toBeNull();
    expect(restoring).toEqual([{ consultationId, callId, at: expect.any(Number) }, null]);
    expect(active).toEqual([call]);
    expect(page.client.activeCall).toBe(call);
    expect(before.call.isRestored).toBe(false);
    await eventually(
      () => call?.remoteTracks.length,
      (count) => count === 1,
    );
    // The same object for the app, too.
    expect((await page.client.open(consultationId)).call).toBe(call);
    await browser.keeps({ callId, ticket: ticket(2), microphone: 'off', camera: 'on' });
  });

  it('[SDK194] goes on reload after reload', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _first = await browser.loadInCall();
    await using second = browser.load();
    expect((await second.client.restoreCall())?.microphoneOn).toBe(true);
    await browser.sent(2);
    await using third = browser.load();
    expect((await third.client.restoreCall())?.microphoneOn).toBe(true);
    await browser.sent(3);
    const tickets = server.payloads('seat.join').map(({ resumeTicket }) => resumeTicket);
    expect(tickets).toEqual([undefined, ticket(1), ticket(2)]);
  });

  it('[SDK66] [SDK194] an app that opens the consultation by itself has the call back as well', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await using page = browser.load();
    await page.client.connect();
    const { call } = await page.client.open(browser.thread.id);
    expect(call?.role).toBe('answered');
    await browser.sent(2);
    expect(call?.isRestored).toBe(true);
    expect(page.client.activeCall).toBe(call);
    // Asked for late, it is the same call.
    expect(await page.client.restoreCall()).toBe(call);
    expect(server.payloads('seat.join').length).toBe(2);
  });

  it('[SDK66] news of the call that overtakes the answer to the watch changes nothing of that', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    const { thread, scripted } = browser;
    server.on('consultation.watch', (asked) => {
      server.tell('call.changed', scripted.changeSeat(patient, { state: 'reconnecting' }));
      return { ...thread.snapshot(asked), call: scripted.view };
    });
    await using page = browser.load();
    await page.client.connect();
    const roles: unknown[] = [];
    page.client.on('activeCall', (call) => roles.push(call?.role));
    await page.client.open(thread.id);
    await browser.sent(2);
    expect(roles).toEqual(['answered']);
  });

  it('[SDK195] who was lost for longer comes back as long as the server keeps the way open', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await server.goAway();
    browser.scripted.changeSeat(patient, { ...lost, returnUntil: 9 });
    await using page = browser.load();
    const restored = page.client.restoreCall();
    await server.comeBack();
    expect((await restored)?.microphoneOn).toBe(true);
  });

  it('[SDK195] a page that lived through the absence comes back with its ticket, too', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    await server.goAway();
    browser.scripted.changeSeat(patient, { ...lost, returnUntil: 9 });
    browser.scripted.holdsSeat = false;
    await server.comeBack();
    await browser.sent(2);
    expect(server.payloads('seat.join').at(-1)).toMatchObject({ resumeTicket: ticket(1), takeOver: false });
    expect(page.call.role).toBe('answered');
  });

  it('[SDK196] nothing is restored where nothing is kept: no record, another person, another device, other storage', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    const kept = await browser.kept();
    expect(kept).not.toBeNull();
    for (const options of [
      { storage: createMemoryStorage() },
      { storage: 'memory' },
      { token: tokenFor(doctor), deviceId: 'device-of-doctor' },
      { deviceId: 'another-device' },
    ] as const) {
      await using page = browser.load(options);
      const restoring = recorded(page.client.on, 'restoring');
      expect(await page.client.restoreCall()).toBeNull();
      expect(restoring).toEqual([]);
      expect(page.client.connection).toBe('connected');
    }
    expect(server.payloads('seat.join').length).toBe(1);
    expect(await browser.kept()).toEqual(kept);
  });

  it('[SDK196] without a record the seat of this device is elsewhere, and accepting takes it over', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await using page = browser.load({ storage: 'memory' });
    await page.client.connect();
    const { call } = await page.client.open(browser.thread.id);
    await eventually(
      () => call?.role,
      (role) => role === 'elsewhere',
    );
    expect(page.media.asked).toEqual([]);
    await call?.accept();
    expect(server.payloads('seat.join').at(-1)).toMatchObject({ takeOver: true });
    expect(call?.isRestored).toBe(false);
  });

  const endings: readonly [name: string, happen: (browser: CallBrowser) => void][] = [
    ['the call is over', ({ scripted }) => scripted.change({ state: 'ended', endReason: 'completed' })],
    ['the window has passed', ({ scripted }) => scripted.changeSeat(patient, { ...lost, returnUntil: null })],
    [
      'the call moved to another device',
      ({ scripted }) => scripted.changeSeat(patient, { deviceId: DeviceId.parse('another-device') }),
    ],
    ['another call runs', ({ scripted }) => scripted.change({ callId: CallId.parse(minted('cal')) })],
    [
      'the consultation is not theirs any more',
      ({ server }) => server.refuse('consultation.watch', 'NOT_FOUND'),
    ],
    ['the ticket is refused', ({ server }) => server.refuse('seat.join', 'RESUME_REFUSED')],
    ['the server says that the seat was left', ({ server }) => server.refuse('seat.join', 'WRONG_STATE')],
  ];

  it.each(endings)('[SDK197] answers null and forgets it when meanwhile %s', async (_name, happen) => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await server.goAway();
    happen(browser);
    await using page = browser.load();
    const restoring = recorded(page.client.on, 'restoring');
    const restored = page.client.restoreCall();
    await server.comeBack();
    expect(await restored).toBeNull();
    expect(restoring.map((one) => one === null)).toEqual([false, true]);
    await browser.keeps(null);
    expect(page.client.activeCall).toBeNull();
    expect(page.media.running).toEqual([]);
    // Nobody opened the consultation, so nobody follows it.
    const opened = recorded(page.client.on, 'call');
    expect(await page.client.restoreCall()).toBeNull();
    expect(opened).toEqual([]);
  });

  it('[SDK198] who asks twice at once gets one answer; aborting ends the wait alone', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await using page = browser.load();
    const giveUp = new AbortController();
    const aborted = codeOf(page.client.restoreCall({ signal: giveUp.signal }));
    const [first, second] = [page.client.restoreCall(), page.client.restoreCall()];
    giveUp.abort();
    expect(await aborted).toBe('ABORTED');
    expect(await first).toBe(await second);
    expect(server.payloads('seat.join').length).toBe(2);
    expect(await codeOf(page.client.restoreCall({ signal: giveUp.signal }))).toBe('ABORTED');
  });

  it('[SDK198] it rejects as connecting does, and what is kept stays for the next page', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    server.admit = () => 'UNAUTHENTICATED';
    await using page = browser.load();
    const restoring = recorded(page.client.on, 'restoring');
    expect(await codeOf(page.client.restoreCall())).toBe('UNAUTHENTICATED');
    await eventually(
      () => restoring.at(-1),
      (last) => last === null,
    );
    expect(page.client.restoring).toBeNull();
    await browser.keeps({ ticket: ticket(1) });
  });

  it('[SDK198] an app that cannot give a token yet has its call restored once it can', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    let asked = 0;
    await using page = browser.load({
      token: () => {
        asked += 1;
        if (asked < 3) throw new Error('offline');
        return tokenFor(patient);
      },
    });
    expect((await page.client.restoreCall())?.microphoneOn).toBe(true);
  });

  it('[SDK198] a token that the app never gave is not waited for once another one has connected', async () => {
    const connected = Promise.withResolvers<void>();
    const restorer = new CallRestorer({
      kept: new KeptCall({
        store: { get: async () => undefined, set: async () => {}, delete: async () => {} },
        deviceId: DeviceId.parse('device-under-test'),
        owner: () => null,
      }),
      tokens: { current: () => new Promise<string>(() => {}) },
      life: new Lifetime(),
      connect: () => connected.promise,
      current: () => null,
      resume: async () => null,
      onChange: () => {},
    });
    const restored = restorer.restore();
    connected.resolve();
    expect(await restored).toBeNull();
  });

  it('[SDK192] a ticket that is refused at a restore is a problem once', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    server.refuse('seat.join', 'RESUME_REFUSED');
    await using page = browser.load();
    const codes: string[] = [];
    page.client.on('activeCall', (call) => call?.on('problem', ({ code }) => codes.push(code)));
    expect(await page.client.restoreCall()).toBeNull();
    await page.client.listConsultations();
    expect(codes).toEqual(['RESUME_REFUSED']);
  });

  it('[SDK199] of two pages of a device the newer has the call; the older is closed, told so, and takes nothing along', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using older = await browser.loadInCall();
    const active = recorded(older.client.on, 'activeCall');
    const states = recorded(older.client.on, 'connection');
    await using newer = browser.load();
    const call = await newer.client.restoreCall();
    await eventually(
      () => older.client.connection,
      (state) => state === 'closed',
    );
    expect(states.at(-1)?.error?.detail).toContain('connected elsewhere');
    expect(active).toEqual([null]);
    expect(older.media.running).toEqual([]);
    // Whatever the older one does now, the call is the newer one's.
    await codeOf(older.call.hangUp());
    await codeOf(older.call.setMicrophone(false));
    await older.client.close();
    expect(call?.microphoneOn).toBe(true);
    await browser.keeps({ ticket: ticket(2), microphone: 'on' });
    const asked = new Set(server.received.map(({ name }) => name));
    expect(asked.has('call.hangUp') || asked.has('call.leave')).toBe(false);
  });

  it('[SDK195] a clock that was set back or ran ahead decides nothing', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using pages = new AsyncDisposableStack();
    pages.use(await browser.loadInCall());
    for (const hours of [5, -5]) {
      await browser.rewrite({ at: Date.now() + hours * HOUR_MS });
      expect((await pages.use(browser.load()).client.restoreCall())?.isRestored).toBe(true);
    }
  });

  it.each([{ at: Date.now() - 25 * HOUR_MS }, { ticket: 7 }, { version: 2 }, { microphone: 'loud' }])(
    '[SDK195] a record of another day, or one that makes no sense, is none: %o',
    async (damage) => {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server);
      await using _before = await browser.loadInCall();
      await browser.rewrite(damage);
      await using page = browser.load();
      const restoring = recorded(page.client.on, 'restoring');
      expect(await page.client.restoreCall()).toBeNull();
      expect(restoring).toEqual([]);
      expect((await page.client.open(browser.thread.id)).call?.role).toBe('elsewhere');
    },
  );
});
