import { randomBytes } from 'node:crypto';
import { AppError, type Entry } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { eventually as keptEventually } from '../helpers/eventually.ts';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { Browser } from './helpers/pages.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';
import { ScriptedUploads } from './helpers/scripted-uploads.ts';

const MIB = 1024 * 1024;
const text = (of: string) => ({ type: 'text', text: of }) as const;
const texts = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) =>
    entry.kind === 'message.sent' && entry.content.type === 'text' ? [entry.content.text] : [],
  );

async function started() {
  const server = await ScriptedServer.start();
  const thread = new ScriptedThread(server);
  return { server, thread, browser: new Browser(server) };
}

describe('messages over a reload', () => {
  it('[SDK110] a message is kept before it is sent, and forgotten when its entry is held', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using page = await browser.load(thread.id);
    const keptWhenSent: number[] = [];
    server.once('message.send', async (payload, from) => {
      keptWhenSent.push((await browser.kept()).length);
      return thread.receive(payload, from);
    });
    await page.consultation.send(text('a'));
    expect(keptWhenSent).toEqual([1]);
    await eventually(
      () => page.consultation.outbox.length,
      (count) => count === 0,
    );
    await page.leave();
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK110] a message does not leave the device before it is kept there', async () => {
    const { server, thread } = await started();
    await using _ = server;
    const base = createMemoryStorage();
    const { promise: slow, resolve: goOn } = Promise.withResolvers<void>();
    const storage = {
      ...base,
      set: async (key: string, value: unknown) => {
        if (key.includes('/message/')) await slow;
        await base.set(key, value);
      },
    };
    await using client = clientOf(server, { storage });
    await client.connect();
    const consultation = await client.open(thread.id);
    const sent = consultation.send(text('a'));
    expect(consultation.outbox).toMatchObject([{ state: 'sending' }]);
    await client.listConsultations();
    expect(server.payloads('message.send')).toEqual([]);
    goOn();
    expect((await sent).sequence).toBe(1);
  });

  it('[SDK111] a consultation that is closed and opened again at once goes on with its messages, each once', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    server.on('consultation.unwatch', () => 'silence');
    const order: string[] = [];
    page.consultation.on('closed', () => order.push('closed'));
    const sent = page.consultation.send(text('a')).catch(({ code }: AppError) => order.push(code));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    const closing = page.consultation.close();
    await sent;
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    const again = await page.client.open(thread.id);
    expect(again).not.toBe(page.consultation);
    await eventually(
      () => texts(again.entries),
      (seen) => seen.length === 1,
    );
    await closing;
    // The former lets go of its messages first, and says farewell after that.
    expect(order).toEqual(['ABORTED', 'closed']);
    expect(server.payloads('message.send').length).toBe(2);
  });

  it('[SDK110] a page that dies between sending and the answer leaves one message, not two', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    server.once('message.send', (payload, from) => {
      thread.receive(payload, from, { silently: true });
      return 'silence';
    });
    const sent = codeOf(page.consultation.send(text('a')));
    await eventually(
      () => thread.lastSequence,
      (last) => last === 1,
    );
    await page.leave();
    expect(await sent).toBe('DISCONNECTED');
    expect((await browser.kept()).length).toBe(1);
    await using next = await browser.load(thread.id);
    expect(next.consultation.outbox).toEqual([]);
    expect(texts(next.consultation.entries)).toEqual(['a']);
    await next.consultation.send(text('b'));
    expect(texts(thread.entries)).toEqual(['a', 'b']);
  });

  it('[SDK110] a message that was committed too far back to be seen is acknowledged again', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    server.once('message.send', (payload, from) => {
      thread.receive(payload, from, { silently: true });
      return 'silence';
    });
    void codeOf(page.consultation.send(text('a')));
    await eventually(
      () => thread.lastSequence,
      (last) => last === 1,
    );
    await page.leave();
    thread.addSilently(60);
    await using next = await browser.load(thread.id);
    await eventually(
      () => next.consultation.outbox.length,
      (count) => count === 0,
    );
    expect(thread.lastSequence).toBe(61);
    expect(new Set(server.payloads('message.send').map(({ clientMessageId }) => clientMessageId)).size).toBe(
      1,
    );
  });

  it('[SDK111] what waits goes on after a reload by itself, in order, before what is sent then', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    const outcomes = ['a', 'b', 'c'].map((one) =>
      codeOf(page.consultation.send(text(one), one === 'b' ? { replyTo: 7 } : {})),
    );
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    const before = page.consultation.outbox.map(({ clientMessageId }) => clientMessageId);
    await page.leave();
    expect(await Promise.all(outcomes)).toEqual(['DISCONNECTED', 'DISCONNECTED', 'DISCONNECTED']);
    await using next = await browser.load(thread.id);
    expect(next.consultation.outbox.map(({ clientMessageId }) => clientMessageId)).toEqual(before);
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    await next.consultation.send(text('d'));
    expect(texts(thread.entries)).toEqual(['a', 'b', 'c', 'd']);
    const replies = server.payloads('message.send').filter(({ replyTo }) => replyTo === 7);
    expect(replies.map(({ content }) => content)).toEqual([text('b')]);
    await next.leave();
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK112] an upload that was under way goes on where the server has it, and no other is begun', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const uploads = new ScriptedUploads(server);
    const page = await browser.load(thread.id);
    let isStuck = true;
    const { promise: left, resolve: leave } = Promise.withResolvers<boolean>();
    // After a chunk and a half, nothing more arrives.
    uploads.cuts = ({ bytes }) => (isStuck && bytes.length >= 1.5 * MIB ? left : false);
    const bytes = randomBytes(4 * MIB);
    const data = new Blob([bytes], { type: 'image/jpeg' });
    void codeOf(page.consultation.send({ type: 'image', data, caption: 'skin' }));
    const after = codeOf(page.consultation.send(text('after')));
    await eventually(
      () => uploads.uploads[0]?.bytes.length ?? 0,
      (length) => length >= 1.5 * MIB,
    );
    await page.leave();
    expect(await after).toBe('DISCONNECTED');
    isStuck = false;
    leave(true);
    const arrived = uploads.uploads[0]?.bytes.length ?? 0;
    await using next = await browser.load(thread.id);
    expect(next.consultation.outbox).toMatchObject([
      { state: 'uploading', draft: { type: 'image', caption: 'skin' } },
      { state: 'sending', draft: text('after') },
    ]);
    expect(next.consultation.outbox[0]?.progress).toBeGreaterThanOrEqual(0.2);
    await eventually(
      () => thread.lastSequence,
      (last) => last === 2,
    );
    const [upload] = uploads.uploads;
    expect(uploads.uploads.length).toBe(1);
    expect(upload?.bytes.equals(bytes)).toBe(true);
    expect(uploads.requests.filter((request) => request.startsWith('POST')).length).toBe(1);
    expect(arrived).toBeGreaterThan(MIB);
    expect(server.payloads('message.send').map(({ content }) => content)).toEqual([
      { type: 'image', attachmentId: upload?.id, caption: 'skin' },
      text('after'),
    ]);
  });

  it('[SDK112] an upload that had arrived is not uploaded again, and one that the server has forgotten is', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const uploads = new ScriptedUploads(server);
    const page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    void codeOf(page.consultation.send({ type: 'voice', data: new Blob(['speech']) }));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await page.leave();
    const next = await browser.load(thread.id);
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 2,
    );
    expect(uploads.uploads.length).toBe(1);
    await next.leave();
    // A day later.
    uploads.uploads.splice(0);
    server.on('message.send', (payload, from) => {
      const id = payload.content.type === 'voice' ? payload.content.attachmentId : '';
      if (!uploads.uploads.some((upload) => upload.id === id)) throw new AppError('NOT_FOUND');
      return thread.receive(payload, from);
    });
    await using last = await browser.load(thread.id);
    await eventually(
      () => last.consultation.outbox.length,
      (count) => count === 0,
    );
    expect(uploads.uploads.length).toBe(1);
    expect(thread.lastSequence).toBe(1);
  });

  it('[SDK112] the token goes to no other server, whatever was kept', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using other = await ScriptedServer.start();
    const uploads = new ScriptedUploads(server);
    const elsewhere = new ScriptedUploads(other);
    uploads.cuts = () => new Promise(() => undefined);
    const page = await browser.load(thread.id);
    void codeOf(page.consultation.send({ type: 'voice', data: new Blob(['speech']) }));
    await eventually(
      () => uploads.uploads[0]?.bytes.length ?? 0,
      (length) => length > 0,
    );
    await page.leave();
    uploads.cuts = () => false;
    const entries = await browser.storage.entries('');
    for (const [key, value] of entries) {
      if (!key.includes('/progress/')) continue;
      const moved = JSON.parse(JSON.stringify(value).replaceAll(server.url, other.url)) as object;
      expect(JSON.stringify(moved)).toContain(other.url);
      await browser.storage.set(key, moved);
    }
    await using next = await browser.load(thread.id);
    await eventually(
      () => next.consultation.outbox.length,
      (count) => count === 0,
    );
    expect(elsewhere.requests).toEqual([]);
  });

  it('[SDK113] a refused message stays failed over reloads, until it is tried again or discarded', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    server.on('message.send', () => {
      throw new AppError('FORBIDDEN', { detail: 'not now' });
    });
    expect(await codeOf(page.consultation.send(text('a')))).toBe('FORBIDDEN');
    expect(await codeOf(page.consultation.send(text('b')))).toBe('FORBIDDEN');
    await page.leave();
    const next = await browser.load(thread.id);
    expect(next.consultation.outbox).toMatchObject([
      { state: 'failed', error: { code: 'FORBIDDEN', detail: 'not now' }, draft: text('a') },
      { state: 'failed', error: { code: 'FORBIDDEN' }, draft: text('b') },
    ]);
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    const [a, b] = next.consultation.outbox;
    next.consultation.discard(b?.clientMessageId ?? '');
    expect((await next.consultation.retry(a?.clientMessageId ?? '')).sequence).toBe(1);
    await next.leave();
    expect(server.payloads('message.send').length).toBe(3);
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK113] a retried upload goes on after a reload where it stopped', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const uploads = new ScriptedUploads(server);
    const page = await browser.load(thread.id);
    let arrived = 0;
    uploads.admit = (_token, request) =>
      request.method === 'PATCH' && (uploads.uploads[0]?.bytes.length ?? 0) >= MIB ? 'FORBIDDEN' : null;
    const bytes = randomBytes(3 * MIB);
    const sent = page.consultation.send({ type: 'file', data: new Blob([bytes]), fileName: 'a.pdf' });
    expect(await codeOf(sent)).toBe('FORBIDDEN');
    arrived = uploads.uploads[0]?.bytes.length ?? 0;
    await page.leave();
    uploads.admit = () => null;
    await using next = await browser.load(thread.id);
    const [failed] = next.consultation.outbox;
    expect(failed?.state).toBe('failed');
    await next.consultation.retry(failed?.clientMessageId ?? '');
    expect(arrived).toBeGreaterThanOrEqual(MIB);
    expect(uploads.requests.filter((request) => request.startsWith('POST')).length).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('[SDK103] a device that is full sends all the same, and the app hears of it once', async () => {
    const { server, thread } = await started();
    await using _ = server;
    const storage = {
      ...createMemoryStorage(),
      set: async () => {
        throw new DOMException('', 'QuotaExceededError');
      },
    };
    await using client = clientOf(server, { storage });
    const told = recorded(client.on, 'storageFailed');
    await client.connect();
    const consultation = await client.open(thread.id);
    await consultation.send(text('a'));
    await consultation.send(text('b'));
    consultation.setDraft('c');
    expect(texts(thread.entries)).toEqual(['a', 'b']);
    expect(consultation.draft).toBe('c');
    expect(told.map(({ code }) => code)).toEqual(['STORAGE_FULL']);
  });

  it('[SDK114] of two living pages each sends its own, and the one that stays takes over from the one that goes', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const first = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    const left = codeOf(first.consultation.send(text('of the first')));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await using second = await browser.load(thread.id, 'device-of-second');
    expect(second.consultation.outbox).toEqual([]);
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    await server.goAway();
    await first.leave();
    expect(await left).toBe('DISCONNECTED');
    const taken = await eventually(
      () => second.consultation.outbox,
      (outbox) => outbox.length === 1,
    );
    expect(taken).toMatchObject([{ draft: text('of the first') }]);
    await server.comeBack();
    await eventually(
      () => texts(second.consultation.entries),
      (seen) => seen.length === 1,
    );
    expect(texts(thread.entries)).toEqual(['of the first']);
    await second.leave();
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK114] a page whose connection another one has taken over leaves it what it had not sent', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using first = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    const left = codeOf(first.consultation.send(text('of the first')));
    first.consultation.setDraft('begun');
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    const before = server.devices;
    await using second = await browser.load(thread.id);
    expect(second.consultation.outbox).toEqual([]);
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    server.tell('session.ending', { reason: 'replaced' }, before);
    for (const { socket } of before) socket.disconnect(true);
    expect(await left).toBe('DISCONNECTED');
    await eventually(
      () => texts(second.consultation.entries),
      (seen) => seen.length === 1,
    );
    await eventually(
      () => second.consultation.outbox.length,
      (count) => count === 0,
    );
    await second.leave();
    expect((await browser.kept('')).map((key) => key.split('/').at(-2))).toEqual(['draft']);
  });

  it('[SDK114] of two pages that open at once one takes what is left', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const uploads = new ScriptedUploads(server);
    const page = await browser.load(thread.id);
    await server.goAway();
    void codeOf(page.consultation.send({ type: 'voice', data: new Blob(['speech']) }));
    await eventually(
      () => browser.kept(),
      () => true,
    );
    await page.leave();
    await server.comeBack();
    const pages = await Promise.all([
      browser.load(thread.id, 'device-one'),
      browser.load(thread.id, 'device-two'),
    ]);
    await eventually(
      () => thread.lastSequence,
      (last) => last === 1,
    );
    expect(uploads.uploads.length).toBe(1);
    expect(server.payloads('message.send').length).toBe(1);
    for (const one of pages) await one.leave();
  });

  it('[SDK114] a message that another page had sent meanwhile, with an upload of its own, is done', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    new ScriptedUploads(server);
    const page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    void codeOf(page.consultation.send({ type: 'voice', data: new Blob(['speech']) }));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await page.leave();
    server.on('message.send', () => {
      throw new AppError('CONFLICT');
    });
    await using next = await browser.load(thread.id);
    await eventually(
      () => next.consultation.outbox.length,
      (count) => count === 0,
    );
  });

  it('[SDK114] a frozen page that holds the lock keeps nobody from the thread', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    void codeOf(page.consultation.send(text('a')));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await page.leave();
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    const { promise: frozen, resolve: thaw } = Promise.withResolvers<void>();
    const holding = globalThis.navigator.locks.request('teleconsult.restoring', () => frozen);
    await using next = await browser.load(thread.id);
    expect(next.consultation.outbox).toEqual([]);
    thaw();
    await holding;
    await eventually(
      () => texts(next.consultation.entries),
      (seen) => seen.length === 1,
    );
  });

  it('[SDK114] without Web Locks a message that both pages upload is one message', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    new ScriptedUploads(server);
    const { locks } = globalThis.navigator;
    Object.defineProperty(globalThis.navigator, 'locks', { value: undefined, configurable: true });
    try {
      const page = await browser.load(thread.id);
      await server.goAway();
      void codeOf(page.consultation.send({ type: 'voice', data: new Blob(['speech']) }));
      await page.leave();
      await server.comeBack();
      const pages = await Promise.all([
        browser.load(thread.id, 'device-one'),
        browser.load(thread.id, 'device-two'),
      ]);
      for (const { consultation } of pages) {
        await eventually(
          () => consultation.outbox.length,
          (count) => count === 0,
        );
      }
      expect(thread.lastSequence).toBe(1);
      for (const one of pages) await one.leave();
    } finally {
      Object.defineProperty(globalThis.navigator, 'locks', { value: locks, configurable: true });
    }
  });

  it('[SDK115] attachments that wait take at most 200 MB', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using page = await browser.load(thread.id);
    server.serve = () => new Promise(() => undefined);
    const data = new Blob([new Uint8Array(50 * MIB)]);
    const file = { type: 'file', data, fileName: 'a.pdf' } as const;
    const waiting = Array.from({ length: 4 }, () => codeOf(page.consultation.send(file)));
    expect(await codeOf(page.consultation.send(file))).toBe('TOO_LARGE');
    const said = codeOf(page.consultation.send(text('still possible')));
    expect(page.consultation.outbox.length).toBe(5);
    await page.leave();
    expect(await Promise.all([...waiting, said])).toEqual(Array.from({ length: 5 }, () => 'DISCONNECTED'));
  });

  it('[SDK116] data that can no longer be read fails its message and lets the next pass', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    new ScriptedUploads(server);
    await using page = await browser.load(thread.id);
    const lost = new Blob(['x']);
    const unreadable = { arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) };
    Object.defineProperty(lost, 'slice', { value: () => unreadable });
    const sent = codeOf(page.consultation.send({ type: 'voice', data: lost }));
    await page.consultation.send(text('next'));
    expect(await sent).toBe('UNSUPPORTED_MEDIA');
  });

  it('[SDK116] data that is lost while it is uploaded fails its message, too', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const uploads = new ScriptedUploads(server);
    await using page = await browser.load(thread.id);
    const data = new Blob([randomBytes(3 * MIB)]);
    uploads.cuts = ({ bytes }) => {
      if (bytes.length < MIB) return false;
      const unreadable = { arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) };
      Object.defineProperty(data, 'slice', { value: () => unreadable });
      return true;
    };
    const sent = codeOf(page.consultation.send({ type: 'file', data, fileName: 'a.pdf' }));
    await page.consultation.send(text('next'));
    expect(await sent).toBe('UNSUPPORTED_MEDIA');
  });

  it('[SDK111] what another version of the SDK has left keeps nothing else from being sent', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const before = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    void before.consultation.send(text('a')).catch(() => {});
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await before.leave();
    const [key = ''] = await browser.kept();
    const folder = key.slice(0, key.lastIndexOf('/'));
    const shared = { version: 1, at: Date.now(), queuedAt: 1, order: 1, replyTo: null, page: null };
    await browser.storage.set(`${folder}/m-unheard`, { ...shared, draft: { type: 'unheard of' } });
    await browser.storage.set(`${folder}/m-refused`, { ...shared, draft: text('b') });
    await browser.storage.set(`${folder.replace('/message/', '/progress/')}/m-refused`, {
      ...shared,
      attempts: 1,
      resumeFrom: { kind: 'ready', content: text('b') },
      error: { code: 'UNHEARD_OF', detail: null },
    });
    server.on('message.send', (payload, from) => thread.receive(payload, from));
    await using page = await browser.load(thread.id);
    await eventually(
      () => texts(page.consultation.entries),
      (seen) => seen.length === 1,
    );
    expect(page.consultation.outbox).toMatchObject([{ state: 'failed', error: { code: 'INTERNAL' } }]);
  });

  it('[SDK105] forgetting drops what waits, here and on the device, for this person alone', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    await using page = await browser.load(thread.id);
    server.on('message.send', () => 'silence');
    page.consultation.setDraft('begun');
    const sent = codeOf(page.consultation.send(text('a')));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await browser.storage.set(`${server.url}/doctor-1/draft/x`, { at: Date.now(), text: 'of another' });
    await page.client.forget();
    expect(await sent).toBe('ABORTED');
    expect(page.consultation.outbox).toEqual([]);
    expect(page.consultation.draft).toBe('');
    await page.leave();
    expect((await browser.storage.entries('')).map(([key]) => key)).toEqual([
      `${server.url}/doctor-1/draft/x`,
    ]);
  });

  it('[SDK105] forgetting works after closing, too', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    page.consultation.setDraft('begun');
    await page.leave();
    expect((await browser.kept('draft/')).length).toBe(1);
    await page.client.forget();
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK106] a token of another person closes the client, and nothing is sent with it', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const { tokenFor, patient, doctor } = await import('./helpers/samples.ts');
    const tokens = [tokenFor(patient), tokenFor(doctor)];
    await using client = clientOf(server, {
      storage: browser.storage,
      token: () => tokens.shift() ?? '',
    });
    await client.connect();
    const consultation = await client.open(thread.id);
    server.cutAll();
    const sent = codeOf(consultation.send(text('a')));
    await eventually(
      () => client.connection,
      (state) => state === 'closed',
    );
    expect(await sent).toBe('FORBIDDEN');
    expect(server.handshakes.length).toBe(1);
    expect(thread.lastSequence).toBe(0);
  });
});

describe('the begun text', () => {
  it('[SDK130] is there after a reload, for its consultation alone, and gone when it is emptied', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const page = await browser.load(thread.id);
    expect(page.consultation.draft).toBe('');
    page.consultation.setDraft('I feel');
    page.consultation.setDraft('I feel dizzy');
    await page.leave();
    const next = await browser.load(thread.id);
    expect(next.consultation.draft).toBe('I feel dizzy');
    next.consultation.setDraft('');
    await next.leave();
    expect(await browser.kept('')).toEqual([]);
  });

  it('[SDK130] is written as one types, and when the page is hidden', async () => {
    const { server, thread, browser } = await started();
    await using _ = server;
    const listeners = new Map<string, () => void>();
    const target = {
      addEventListener: (event: string, listener: () => void) => listeners.set(event, listener),
      removeEventListener: () => undefined,
    };
    Reflect.set(globalThis, 'window', target);
    try {
      await using page = await browser.load(thread.id);
      page.consultation.setDraft('paused');
      const isKept = async (text: string) => {
        const values = (await browser.storage.entries('')).map(([, value]) => value);
        return JSON.stringify(values).includes(`"text":"${text}"`);
      };
      await keptEventually('the text after a pause', () => isKept('paused'));
      page.consultation.setDraft('hidden');
      listeners.get('pagehide')?.();
      // Sooner than a pause of the typing would write it.
      await keptEventually('the text of a hidden page', () => isKept('hidden'), { withinMs: 300 });
    } finally {
      Reflect.deleteProperty(globalThis, 'window');
    }
  });
});
