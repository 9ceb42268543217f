import { randomBytes } from 'node:crypto';
import type { TeleconsultClient } from '@teleconsult/client-sdk';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from './helpers/eventually.ts';
import { patient, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';
import { ScriptedUploads } from './helpers/scripted-uploads.ts';
import { buildSdk } from './helpers/sdk-bundle.ts';

declare global {
  var teleconsult: typeof import('@teleconsult/client-sdk');
  var client: TeleconsultClient;
}

const MIB = 1024 * 1024;
let bundle = '';

beforeAll(async () => {
  bundle = await buildSdk();
});

/** A scripted server that also serves a page with the SDK in it. */
async function started() {
  const server = await ScriptedServer.start();
  const thread = new ScriptedThread(server);
  const uploads = new ScriptedUploads(server);
  const rest = server.serve;
  server.serve = async (request, response) => {
    if (request.url === '/') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<script src="/sdk.js"></script>');
    } else if (request.url === '/sdk.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(bundle);
    } else if (request.url === '/favicon.ico') {
      response.writeHead(404).end();
    } else await rest(request, response);
  };
  return { server, thread, uploads };
}

/** Loads the page, or loads it again, and opens the consultation in it. */
async function load(page: Page, server: ScriptedServer, consultationId: string): Promise<void> {
  await page.goto(`${server.url}/`);
  await page.evaluate(
    async ({ url, token, id }) => {
      globalThis.client = globalThis.teleconsult.createTeleconsultClient({ url, token });
      await globalThis.client.connect();
      await globalThis.client.open(id);
    },
    { url: server.url, token: tokenFor(patient), id: consultationId },
  );
}

const outboxOf = (page: Page, id: string) =>
  page.evaluate(async (consultationId) => {
    const consultation = await globalThis.client.open(consultationId);
    return consultation.outbox.map(({ state, draft }) => [state, draft.type]);
  }, id);

async function inBrowser(work: (context: BrowserContext) => Promise<void>): Promise<void> {
  await using browser = await launchBrowser();
  await work(await browser.newContext());
}

describe('in a browser', () => {
  it('[SDK112] a page that is reloaded in the middle of an upload goes on there, with what was written after it', {
    timeout: 60_000,
  }, async () => {
    const { server, thread, uploads } = await started();
    await using _ = server;
    const bytes = randomBytes(5 * MIB);
    const { promise: left, resolve: leave } = Promise.withResolvers<boolean>();
    let isStuck = true;
    uploads.cuts = (upload) => (isStuck && upload.bytes.length >= 2.5 * MIB ? left : false);
    await inBrowser(async (context) => {
      const page = await context.newPage();
      await load(page, server, thread.id);
      await page.evaluate(
        async ({ id, base64 }) => {
          const consultation = await globalThis.client.open(id);
          const response = await fetch(`data:image/jpeg;base64,${base64}`);
          const data = await response.blob();
          void consultation.send({ type: 'image', data, caption: 'skin' }).catch(() => {});
          void consultation.send({ type: 'text', text: 'after' }, { replyTo: 1 }).catch(() => {});
          consultation.setDraft('begun');
        },
        { id: thread.id, base64: bytes.toString('base64') },
      );
      await eventually(
        () => uploads.uploads[0]?.bytes.length ?? 0,
        (length) => length >= 2.5 * MIB,
      );
      isStuck = false;
      // Nothing is closed: the page is simply gone.
      await load(page, server, thread.id);
      leave(true);
      const draft = await page.evaluate(async (id) => (await globalThis.client.open(id)).draft, thread.id);
      expect(draft).toBe('begun');
      await eventually(
        () => thread.lastSequence,
        (last) => last === 2,
        20_000,
      );
      await expect.poll(() => outboxOf(page, thread.id), { timeout: 10_000 }).toEqual([]);
      const kept = await page.evaluate(async () => {
        const [database] = await indexedDB.databases();
        const opening = indexedDB.open(database?.name ?? '');
        await new Promise((resolve) => opening.addEventListener('success', resolve));
        const reading = opening.result.transaction('kept').objectStore('kept').getAllKeys();
        await new Promise((resolve) => reading.addEventListener('success', resolve));
        return reading.result.map(String);
      });
      expect(kept.filter((key) => !key.startsWith('draft/'))).toEqual([]);
    });
    expect(uploads.uploads.length).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
    expect(uploads.requests.filter((request) => request.startsWith('POST')).length).toBe(1);
    expect(server.payloads('message.send').map(({ content, replyTo }) => [content.type, replyTo])).toEqual([
      ['image', undefined],
      ['text', 1],
    ]);
  });

  it('[SDK114] a second tab leaves the messages of the first alone, and sends them when that is closed', {
    timeout: 60_000,
  }, async () => {
    const { server, thread } = await started();
    await using _ = server;
    await inBrowser(async (context) => {
      const first = await context.newPage();
      await load(first, server, thread.id);
      server.on('message.send', () => 'silence');
      await first.evaluate(async (id) => {
        const consultation = await globalThis.client.open(id);
        void consultation.send({ type: 'text', text: 'of the first' }).catch(() => {});
      }, thread.id);
      await eventually(
        () => server.payloads('message.send').length,
        (count) => count === 1,
      );
      const second = await context.newPage();
      await load(second, server, thread.id);
      expect(await outboxOf(second, thread.id)).toEqual([]);
      server.on('message.send', (payload, from) => thread.receive(payload, from));
      await first.close();
      await eventually(
        () => thread.lastSequence,
        (last) => last === 1,
        20_000,
      );
    });
    const ids = server.payloads('message.send').map(({ clientMessageId }) => clientMessageId);
    expect(new Set(ids).size).toBe(1);
  });

  it('[SDK105] forgetting leaves the databases of this browser empty', { timeout: 60_000 }, async () => {
    const { server, thread } = await started();
    await using _ = server;
    server.on('message.send', () => 'silence');
    await inBrowser(async (context) => {
      const page = await context.newPage();
      await load(page, server, thread.id);
      const left = await page.evaluate(async (id) => {
        const consultation = await globalThis.client.open(id);
        void consultation.send({ type: 'text', text: 'private' }).catch(() => {});
        consultation.setDraft('private');
        await globalThis.client.forget();
        const [database] = await indexedDB.databases();
        const opening = indexedDB.open(database?.name ?? '');
        await new Promise((resolve) => opening.addEventListener('success', resolve));
        const reading = opening.result.transaction('kept').objectStore('kept').getAllKeys();
        await new Promise((resolve) => reading.addEventListener('success', resolve));
        return reading.result.map(String);
      }, thread.id);
      expect(left).toEqual([]);
    });
  });
});
