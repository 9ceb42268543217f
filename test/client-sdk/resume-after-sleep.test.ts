import { describe, expect, it, vi } from 'vitest';
import { eventually } from './helpers/eventually.ts';
import { CallBrowser, type CallPage } from './helpers/restored-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const ticket = (join: number): string => String(join).padStart(32, '0');
/** Comes back when it is told to, as a page that was frozen does when the person looks at it again. */
const sleepy = { reconnect: { connectionDelayMs: () => 60_000, rebuildDelayMs: () => 5 } } as const;

async function connection(page: CallPage, state: string): Promise<void> {
  await eventually(
    () => page.client.connection,
    (now) => now === state,
  );
}

/** A page in a call that heard nothing of a second page, which goes on with the call. */
async function asleep(browser: CallBrowser) {
  browser.server.admit = () => null;
  const older = await browser.loadInCall(sleepy);
  browser.server.cutAll();
  await connection(older, 'connecting');
  const newer = browser.load();
  const call = await newer.client.restoreCall();
  if (call === null) throw new Error('nothing was restored');
  await browser.sent(browser.scripted.view.media === 'video' ? 4 : 2);
  return { older, newer, call };
}

describe('a page that slept while a newer one of the same browser had its call', () => {
  it('[SDK213] goes on with the ticket that the newer was given, in media of its own', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    const { older, newer } = await asleep(browser);
    await using _older = older;
    await using _newer = newer;
    older.client.reconnectHint();
    await browser.sent(3);
    expect(server.payloads('seat.join').map(({ resumeTicket }) => resumeTicket)).toEqual([
      undefined,
      ticket(1),
      ticket(2),
    ]);
    expect([older.call.role, older.call.microphoneOn]).toEqual(['answered', true]);
    expect(older.client.activeCall).toBe(older.call);
    await connection(newer, 'closed');
    await browser.keeps({ ticket: ticket(3) });
  });

  it('[SDK213] leaves off what was switched off there, also when the server never heard of it', async () => {
    for (const isHeard of [true, false]) {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server, { media: 'video' });
      const { older, newer, call } = await asleep(browser);
      await using _older = older;
      await using _newer = newer;
      if (!isHeard) server.on('seat.setSource', () => 'silence');
      const off = Promise.all([call.setMicrophone(false), call.setCamera(false)]);
      await browser.keeps({ microphone: 'off', camera: 'off' });
      if (isHeard) await off;
      else off.catch(() => {});
      browser.scripted.answerSeats();
      older.client.reconnectHint();
      await eventually(
        () => browser.scripted.joins,
        (joins) => joins === 3,
      );
      await eventually(
        () => browser.scripted.view.seats.find(({ personId }) => personId === patient),
        (seat) => seat?.microphoneOn === false && !seat.cameraOn,
      );
      expect([older.call.microphoneOn, older.call.cameraOn]).toEqual([false, false]);
      await browser.keeps({ microphone: 'off', camera: 'off' });
    }
  });

  it('[SDK213] takes what it wrote itself for nobody else’s, also where a newer ticket could not be kept', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    const full = vi.spyOn(browser.storage, 'set');
    full.mockRejectedValue(new DOMException('full', 'QuotaExceededError'));
    server.tell('seat.mediaLost', browser.scripted.seat);
    await browser.sent(2);
    full.mockRestore();
    await browser.keeps({ ticket: ticket(1) });
    const asked = server.payloads('seat.setCapabilities').length;
    server.cutAll();
    await eventually(
      () => server.payloads('seat.setCapabilities').length,
      (count) => count > asked,
    );
    await page.client.listConsultations();
    expect(server.payloads('seat.join').length).toBe(2);
    expect(page.call.role).toBe('answered');
  });
});
