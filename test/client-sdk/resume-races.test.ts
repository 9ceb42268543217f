import { AppError, DeviceId } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedCall } from './helpers/scripted-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

const rings = { state: 'ringing' } as const;

async function asked(server: ScriptedServer, name: Parameters<ScriptedServer['payloads']>[0]): Promise<void> {
  await eventually(
    () => server.payloads(name).length,
    (count) => count > 0,
  );
}

describe('a reload at an awkward moment', () => {
  it('[SDK204] a caller whose page is reloaded while it rings goes on ringing, without a ticket', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    browser.thread.call = () => null;
    server.on('seat.join', () => 'silence');
    await using before = browser.load();
    await before.client.connect();
    const consultation = await before.client.open(browser.thread.id);
    const call = await consultation.startCall('video');
    await asked(server, 'seat.join');
    await browser.keeps({ callId: call.id, ticket: null, microphone: 'on', camera: 'on' });

    browser.scripted.showInSnapshots();
    browser.scripted.answerSeats();
    await using page = browser.load();
    const restored = await page.client.restoreCall();
    expect([restored?.role, restored?.isRestored]).toEqual(['caller', true]);
    expect([restored?.microphoneOn, restored?.cameraOn]).toEqual([true, true]);
    const [first, second] = server.payloads('seat.join');
    expect(first?.resumeTicket ?? second?.resumeTicket).toBeUndefined();
    expect(second?.takeOver).toBe(false);
  });

  it('[SDK204] a page that is reloaded after it has answered, before it heard so, is in the call', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, rings);
    await using before = browser.load();
    await before.client.connect();
    const { call } = await before.client.open(browser.thread.id);
    server.once('call.accept', (_call, { handshake }) => {
      browser.scripted.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      browser.scripted.change({ state: 'connecting', ringUntil: null, answeredAt: 2 });
      return 'silence';
    });
    void call?.accept().catch(() => {});
    await asked(server, 'call.accept');
    await using page = browser.load();
    const restored = await page.client.restoreCall();
    expect([restored?.role, restored?.microphoneOn]).toEqual(['answered', true]);
    expect(server.payloads('call.accept').length).toBe(1);
  });

  it('[SDK204] an answer that never arrived leaves the call ringing after the reload', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, rings);
    await using before = browser.load();
    await before.client.connect();
    const { call } = await before.client.open(browser.thread.id);
    server.on('call.accept', () => 'silence');
    void call?.accept().catch(() => {});
    await asked(server, 'call.accept');
    await browser.keeps({ ticket: null });
    await using page = browser.load();
    expect(await page.client.restoreCall()).toBeNull();
    await browser.keeps(null);
    expect((await page.client.open(browser.thread.id)).call?.role).toBe('incoming');
    expect(page.media.asked).toEqual([]);
  });

  it('[SDK204] an answer that was lost with the connection alone goes on when there is one, and was not restored', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, rings);
    await using page = browser.load();
    await page.client.connect();
    const { call } = await page.client.open(browser.thread.id);
    server.once('call.accept', (_call, { handshake }) => {
      browser.scripted.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      browser.scripted.change({ state: 'connecting', ringUntil: null, answeredAt: 2 });
      server.cutAll();
      return 'silence';
    });
    expect(await codeOf(call?.accept() ?? Promise.resolve())).toBe('DISCONNECTED');
    await browser.sent(1);
    expect([call?.role, call?.isRestored]).toEqual(['answered', false]);
  });

  it('[SDK204] so does a call whose beginning was not heard', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    browser.thread.call = () => null;
    await using page = browser.load();
    await page.client.connect();
    const consultation = await page.client.open(browser.thread.id);
    const roles = recorded(consultation.on, 'call');
    server.once('call.start', (_payload, { handshake }) => {
      browser.scripted.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      browser.scripted.change({ startedBy: patient });
      browser.scripted.showInSnapshots();
      server.cutAll();
      return 'silence';
    });
    expect(await codeOf(consultation.startCall('voice'))).toBe('DISCONNECTED');
    await browser.sent(1);
    expect(consultation.call?.role).toBe('caller');
    expect(roles.length).toBeGreaterThan(0);
  });

  it('[SDK217] an answer or a beginning that comes too late, over a connection that lasts, goes on by itself', async () => {
    for (const isEarly of [true, false]) {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server, rings);
      await using page = browser.load({ requestTimeoutMs: 100 });
      await page.client.connect();
      const { call } = await page.client.open(browser.thread.id);
      const begin = () => {
        browser.scripted.changeSeat(patient, {
          state: 'connecting',
          deviceId: DeviceId.parse('device-under-test'),
        });
        browser.scripted.tell({ state: 'connecting', ringUntil: null, answeredAt: 2 });
      };
      server.once('call.accept', () => {
        if (isEarly) begin();
        return 'silence';
      });
      expect(await codeOf(call?.accept() ?? Promise.resolve())).toBe('TIMEOUT');
      if (!isEarly) begin();
      await browser.sent(1);
      expect([call?.role, call?.microphoneOn]).toEqual(['answered', true]);
      expect(page.client.activeCall).toBe(call);
      expect([server.handshakes.length, server.payloads('seat.join').length]).toEqual([1, 1]);
    }
    for (const isEarly of [true, false]) {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server);
      browser.thread.call = () => null;
      await using page = browser.load({ requestTimeoutMs: 100 });
      await page.client.connect();
      const consultation = await page.client.open(browser.thread.id);
      const begin = () => {
        browser.scripted.changeSeat(patient, {
          state: 'connecting',
          deviceId: DeviceId.parse('device-under-test'),
        });
        browser.scripted.tell({ startedBy: patient });
      };
      server.once('call.start', () => {
        if (isEarly) begin();
        return 'silence';
      });
      expect(await codeOf(consultation.startCall('voice'))).toBe('TIMEOUT');
      if (!isEarly) begin();
      await browser.sent(1);
      expect(consultation.call?.role).toBe('caller');
      expect(page.client.activeCall).toBe(consultation.call);
      expect([server.handshakes.length, server.payloads('seat.join').length]).toEqual([1, 1]);
    }
  });

  it('[SDK204] a call that begins is the caller’s from the first word of it', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    browser.thread.call = () => null;
    await using page = browser.load();
    await page.client.connect();
    const consultation = await page.client.open(browser.thread.id);
    const roles: (string | undefined)[] = [];
    consultation.on('call', (call) => roles.push(call?.role));
    server.once('call.start', ({ media }, { handshake }) => {
      browser.scripted.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      server.tell('call.changed', browser.scripted.change({ startedBy: patient, media }));
      return { call: browser.scripted.view };
    });
    await consultation.startCall('voice');
    expect(new Set(roles)).toEqual(new Set(['caller']));
  });

  it('[SDK205] hanging up, leaving, moving away and the end of the call leave nothing behind', async () => {
    const ends: readonly ((
      browser: CallBrowser,
      call: { hangUp(): Promise<void>; leave(): Promise<void> },
    ) => unknown)[] = [
      (_browser, call) => call.hangUp(),
      (_browser, call) => call.leave(),
      ({ scripted }) => scripted.end('completed'),
      ({ server, scripted }) => server.tell('seat.moved', scripted.seat),
      ({ scripted }) => {
        scripted.changeSeat(patient, { state: 'present', deviceId: DeviceId.parse('another-device') });
        scripted.tell({});
      },
      ({ scripted }) => {
        scripted.changeSeat(patient, { state: 'left', leftReason: 'removed' });
        scripted.tell({});
      },
    ];
    for (const end of ends) {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server);
      await using page = await browser.loadInCall();
      await browser.keeps({ microphone: 'on' });
      await end(browser, page.call);
      await browser.keeps(null);
    }
  });

  it('[SDK216] a second call that cannot be answered does not take the place of the one that is kept', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    await browser.keeps({ callId: page.call.id, microphone: 'on' });
    const thread = new ScriptedThread(server);
    const other = new ScriptedCall(server, thread);
    other.showInSnapshots();
    const { call } = await page.client.open(thread.id);
    server.once('call.accept', () => {
      throw new AppError('BUSY');
    });
    expect(await codeOf(call?.accept() ?? Promise.resolve())).toBe('BUSY');
    expect(page.client.activeCall).toBe(page.call);
    await browser.keeps({ callId: page.call.id, microphone: 'on' });
  });

  it('[SDK205] a call that was hung up without a connection is not restored', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using before = await browser.loadInCall();
    await server.goAway();
    void before.call.hangUp().catch(() => {});
    await browser.keeps(null);
    await using page = browser.load();
    const restored = page.client.restoreCall();
    await server.comeBack();
    expect(await restored).toBeNull();
    expect(page.media.asked).toEqual([]);
  });

  it('[SDK205] signing out forgets the call, and nothing of it is kept again', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    await page.client.forget();
    expect(await browser.kept()).toBeNull();
    await page.call.setMicrophone(false);
    await page.client.listConsultations();
    expect(await browser.kept()).toBeNull();
  });

  it('[SDK206] a storage that fails breaks no call: it is told, and the next page finds the seat elsewhere', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    const storage = {
      ...createMemoryStorage(),
      set: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
    };
    const before = browser.load({ storage });
    const failures = recorded(before.client.on, 'storageFailed');
    await before.client.connect();
    const { call } = await before.client.open(browser.thread.id);
    await call?.accept();
    await browser.sent(1);
    server.tell('seat.mediaLost', browser.scripted.seat);
    await browser.sent(2);
    expect(failures.map(({ code }) => code)).toEqual(['STORAGE_FULL']);
    await using page = browser.load({ storage });
    expect(await page.client.restoreCall()).toBeNull();
    expect((await page.client.open(browser.thread.id)).call?.role).toBe('elsewhere');
    await before.client.close();
  });

  it('[SDK206] a storage that cannot be read is one without a record', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    const storage = {
      ...createMemoryStorage(),
      get: () => Promise.reject(new DOMException('broken', 'UnknownError')),
    };
    await using page = browser.load({ storage });
    expect(await page.client.restoreCall()).toBeNull();
    const { call } = await page.client.open(browser.thread.id);
    await call?.accept();
    expect(call?.role).toBe('answered');
  });

  it('[SDK207] accepting while the call is being restored ends with one seat', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await using page = browser.load();
    await page.client.connect();
    const { call } = await page.client.open(browser.thread.id);
    await call?.accept();
    expect(call?.role).toBe('answered');
    expect(call?.microphoneOn).toBe(true);
    await browser.sent(2);
    expect(server.payloads('seat.join').length).toBe(2);
    await browser.keeps({ microphone: 'on' });
  });

  it('[SDK207] hanging up while the call is being restored ends it', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    server.on('seat.join', () => 'silence');
    await using page = browser.load();
    const restored = page.client.restoreCall();
    await eventually(
      () => page.client.activeCall,
      (call) => call !== null,
    );
    await page.client.activeCall?.hangUp();
    expect(await restored).toBeNull();
    expect(page.client.activeCall).toBeNull();
    expect(page.client.restoring).toBeNull();
    expect(server.payloads('call.hangUp').length).toBe(1);
    await browser.keeps(null);
  });

  it('[SDK207] a loss of the connection in the middle of it is waited out', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    server.once('seat.join', () => {
      server.cutAll();
      return 'silence';
    });
    server.once('consultation.watch', () => {
      server.cutAll();
      return 'silence';
    });
    await using page = browser.load();
    expect((await page.client.restoreCall())?.microphoneOn).toBe(true);
  });

  it('[SDK207] a server that is overloaded is asked again', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    server.once('seat.join', () => {
      throw new AppError('OVERLOADED', { retryAfterMs: 5 });
    });
    await using page = browser.load();
    expect((await page.client.restoreCall())?.microphoneOn).toBe(true);
  });
});
