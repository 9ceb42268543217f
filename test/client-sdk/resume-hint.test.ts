import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { eventually } from './helpers/eventually.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { doctor, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** What a browser keeps beside its databases. */
function stubLocalStorage(): Map<string, string> {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  return kept;
}

let local = new Map<string, string>();

beforeEach(() => {
  local = stubLocalStorage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const hint = () => local.get('teleconsult.call') ?? null;
const durable = { storage: 'durable' } as const;

describe('a call that is kept', () => {
  it('[SDK212] is known as soon as the token is, before any database has answered', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall(durable);
    const { consultationId, callId } = browser.scripted.seat;
    await using page = browser.load(durable);
    const told = recorded(page.client.on, 'restoring');
    const restored = page.client.restoreCall();
    // Microtasks alone: nothing is drawn before they are over.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(page.client.restoring).toEqual({ consultationId, callId, at: expect.any(Number) });
    expect((await restored)?.isRestored).toBe(true);
    expect(told.map((call) => call?.callId ?? null)).toEqual([callId, null]);
  });

  it('[SDK212] holds no ticket outside of the database, and nothing once it is over', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall(durable);
    expect(hint()).toContain(page.call.id);
    expect(hint()).not.toContain('00000000');
    await page.call.hangUp();
    expect(hint()).toBeNull();
  });

  it('[SDK212] is no news to another person, and not written where the app keeps nothing', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using before = await browser.loadInCall(durable);
    await using other = browser.load({ ...durable, token: tokenFor(doctor), deviceId: 'device-of-doctor' });
    const told = recorded(other.client.on, 'restoring');
    expect(await other.client.restoreCall()).toBeNull();
    expect(told).toEqual([]);
    expect(hint()).toContain(before.call.id);
    local.clear();
    await using second = await ScriptedServer.start();
    await using page = await new CallBrowser(second).loadInCall({ storage: 'memory' });
    expect(page.call.microphoneOn).toBe(true);
    expect(hint()).toBeNull();
  });

  it('[SDK212] that is not in the database after all is told to be none', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using before = await browser.loadInCall(durable);
    const stale = hint();
    await before.call.hangUp();
    local.set('teleconsult.call', stale ?? '');
    await using page = browser.load(durable);
    const told = recorded(page.client.on, 'restoring');
    expect(await page.client.restoreCall()).toBeNull();
    expect(told.map((call) => call?.callId ?? null)).toEqual([before.call.id, null]);
    expect(hint()).toBeNull();
  });

  it('[SDK199] is not forgotten by an older page that is closed because of a newer one', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using older = await browser.loadInCall(durable);
    await using newer = browser.load(durable);
    await newer.client.restoreCall();
    await eventually(
      () => older.client.connection,
      (state) => state === 'closed',
    );
    older.call.hangUp().catch(() => {});
    await older.client.close();
    expect(hint()).toContain(older.call.id);
  });

  it('[SDK212] is restored also where there is no room for the hint', async () => {
    vi.stubGlobal('localStorage', {
      getItem: () => 'no json',
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
      removeItem: () => {},
    });
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall(durable);
    await using page = browser.load(durable);
    expect((await page.client.restoreCall())?.isRestored).toBe(true);
    await eventually(
      () => page.client.restoring,
      (now) => now === null,
    );
  });
});
