import { AppError, DeviceId } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';
import { answered, opened, ringing } from './helpers/opened-call.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedCall } from './helpers/scripted-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

describe('the call that a device takes part in', () => {
  it('[SDK208] is the client’s from answering on until it is over', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const told = recorded(client.on, 'activeCall');
    const call = await ringing(here);
    expect(client.activeCall).toBeNull();
    const accepting = call.accept();
    expect(client.activeCall).toBe(call);
    await accepting;
    here.scripted.end('completed');
    await eventually(
      () => client.activeCall,
      (active) => active === null,
    );
    expect(told).toEqual([call, null]);
  });

  it('[SDK208] is none while a call rings, after it could not be answered, and after hanging up', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const told = recorded(client.on, 'activeCall');
    const call = await ringing(here);
    server.once('call.accept', () => 'silence');
    const giveUp = new AbortController();
    const accepting = codeOf(call.accept({ signal: giveUp.signal }));
    giveUp.abort();
    expect(await accepting).toBe('ABORTED');
    expect(told).toEqual([call, null]);
    const started = await here.consultation.startCall('voice');
    expect(client.activeCall).toBe(started);
    const ending = started.hangUp();
    expect(client.activeCall).toBeNull();
    await ending;
    expect(told).toEqual([call, null, started, null]);
  });

  it('[SDK208] is the later one while the device goes from one call to another', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const first = await answered(here, server);
    const told = recorded(client.on, 'activeCall');
    const thread = new ScriptedThread(server);
    const scripted = new ScriptedCall(server, thread);
    const other = await client.open(thread.id);
    scripted.ring();
    await eventually(
      () => other.call,
      (call) => call !== null,
    );
    const second = other.call;
    await second?.accept({ leaveOther: true });
    expect(client.activeCall).toBe(second);
    here.scripted.changeSeat(patient, { state: 'left', leftReason: 'hung_up' });
    here.scripted.tell({});
    await eventually(
      () => first.outcome,
      (outcome) => outcome !== null,
    );
    expect(told).toEqual([second]);
    expect(client.activeCall).toBe(second);
  });

  it('[SDK209] outlives the closing of its consultation, which is followed until the call is over', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const call = await answered(here, server);
    const closed = recorded(here.consultation.on, 'closed');
    await here.consultation.close();
    await here.consultation.close();
    expect(client.activeCall).toBe(call);
    expect(call.microphoneOn).toBe(true);
    expect(here.media.running).toEqual(['audio']);
    await call.setMicrophone(false);
    // Also a connection later.
    here.scripted.showInSnapshots();
    const watches = server.payloads('consultation.watch').length;
    server.cutAll();
    await eventually(
      () => server.payloads('consultation.watch').length,
      (count) => count > watches,
    );
    await client.listConsultations();
    expect(server.payloads('consultation.unwatch')).toEqual([]);
    expect(closed).toEqual([]);
    here.scripted.end('completed');
    await eventually(
      () => server.payloads('consultation.unwatch').length,
      (count) => count === 1,
    );
    await eventually(
      () => closed.length,
      (count) => count === 1,
    );
    expect(call.outcome).toBe('completed');
    const leaving = server.received.filter(({ name }) => name === 'call.hangUp' || name === 'call.leave');
    expect(leaving).toEqual([]);
    expect(await client.open(here.thread.id)).not.toBe(here.consultation);
  });

  it('[SDK209] opening it again answers the same object, which then outlives the call', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const call = await answered(here, server);
    await here.consultation.close();
    expect(await client.open(here.thread.id)).toBe(here.consultation);
    expect(here.consultation.call).toBe(call);
    await call.hangUp();
    await client.listConsultations();
    expect(server.payloads('consultation.unwatch')).toEqual([]);
    await here.consultation.close();
    expect(server.payloads('consultation.unwatch').length).toBe(1);
  });

  it('[SDK209] a consultation closed while its call is hung up is followed until the server has heard so', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const call = await answered(here, server);
    here.scripted.showInSnapshots();
    await server.goAway();
    const ending = call.hangUp();
    await here.consultation.close();
    expect(client.activeCall).toBeNull();
    await server.comeBack();
    await ending;
    expect(server.payloads('call.hangUp').length).toBe(1);
    await eventually(
      () => server.payloads('consultation.unwatch').length,
      (count) => count === 1,
    );
  });

  it('[SDK209] messages written before the closing are still sent while the call lasts', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    await answered(here, server);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.once('message.send', async (payload, from) => {
      await held;
      return here.thread.receive(payload, from);
    });
    const sending = here.consultation.send({ type: 'text', text: 'a' });
    await here.consultation.close();
    release();
    expect((await sending).sequence).toBe(1);
  });

  it('[SDK209] a restored call is followed without an opened consultation, and no longer than it lasts', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    await using page = browser.load();
    const call = await page.client.restoreCall();
    expect(call?.view.state).not.toBe('ended');
    expect(server.payloads('consultation.unwatch')).toEqual([]);
    browser.scripted.end('completed');
    await eventually(
      () => server.payloads('consultation.unwatch').length,
      (count) => count === 1,
    );
    expect(page.client.activeCall).toBeNull();
  });

  it('[SDK209] a component that closes the consultation while its call is restored does not stop that', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    const { promise: permission, resolve: allow } = Promise.withResolvers<PermissionState>();
    const media = Object.assign(new FakeMedia(), { queryPermission: () => permission });
    await using page = browser.load({}, media);
    const restoring = page.client.restoreCall();
    const consultation = await page.client.open(browser.thread.id);
    expect(page.client.activeCall).toBeNull();
    await consultation.close();
    allow('granted');
    const call = await restoring;
    expect(call?.isRestored).toBe(true);
    expect(await page.client.open(browser.thread.id)).toBe(consultation);
    expect(consultation.call).toBe(call);
  });

  const departures: readonly [name: string, leave: (browser: CallBrowser) => void][] = [
    [
      'moved to another device',
      ({ scripted }) => {
        scripted.changeSeat(patient, { state: 'present', deviceId: DeviceId.parse('another-device') });
        scripted.tell({});
      },
    ],
    [
      'was refused',
      ({ server, scripted }) => {
        server.once('seat.join', () => {
          throw new AppError('RESUME_REFUSED');
        });
        server.tell('seat.mediaLost', scripted.seat);
      },
    ],
  ];

  it.each(departures)(
    '[SDK214] a call that %s can be taken back although nobody has its consultation open, until it is over',
    async (_name, leave) => {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server);
      await using _before = await browser.loadInCall();
      await using page = browser.load();
      const call = await page.client.restoreCall();
      leave(browser);
      await eventually(
        () => call?.role,
        (role) => role === 'elsewhere',
      );
      expect(page.client.activeCall).toBeNull();
      await page.client.listConsultations();
      expect(server.payloads('consultation.unwatch')).toEqual([]);
      await call?.accept();
      expect(page.client.activeCall).toBe(call);
      expect(server.payloads('seat.join').at(-1)).toMatchObject({ takeOver: true });
      leave(browser);
      await eventually(
        () => call?.role,
        (role) => role === 'elsewhere',
      );
      browser.scripted.end('completed');
      await eventually(
        () => server.payloads('consultation.unwatch').length,
        (count) => count === 1,
      );
      expect(call?.outcome).not.toBeNull();
    },
  );

  it('[SDK210] closing the client leaves the call, ends it for nobody else, and forgets it', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    const page = await browser.loadInCall();
    const active = recorded(page.client.on, 'activeCall');
    await page.client.close();
    expect(server.payloads('call.leave')).toEqual([browser.scripted.seat]);
    expect(server.payloads('call.hangUp')).toEqual([]);
    expect(active).toEqual([null]);
    expect(page.media.running).toEqual([]);
    expect(await browser.kept()).toBeNull();
  });

  it('[SDK210] without a connection it forgets the call as well', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    const page = await browser.loadInCall();
    await server.goAway();
    await page.client.close();
    expect(await browser.kept()).toBeNull();
    await server.comeBack();
  });

  it('[SDK210] a person who is taken out of the consultation has no call any more', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    server.tell('consultation.left', { consultationId: browser.thread.id });
    await eventually(
      () => page.client.activeCall,
      (call) => call === null,
    );
    expect(page.media.running).toEqual([]);
    await browser.keeps(null);
  });
});
