import { isDeepStrictEqual } from 'node:util';
import type { Call, ClientOptions, ClientStorage, TeleconsultClient } from '@teleconsult/client-sdk';
import { createMemoryStorage } from '../../../client-sdk/storage/memory-storage.ts';
import { eventually as until } from '../../helpers/eventually.ts';
import { clientOf } from './clients.ts';
import { eventually } from './eventually.ts';
import { FakeMedia } from './fake-media.ts';
import { patient, tokenFor } from './samples.ts';
import { ScriptedCall } from './scripted-call.ts';
import type { ScriptedServer } from './scripted-server.ts';
import { ScriptedThread } from './scripted-thread.ts';

type CallChanges = ConstructorParameters<typeof ScriptedCall>[2];

/** A page of a browser, with the devices of that page. */
export interface CallPage extends AsyncDisposable {
  readonly client: TeleconsultClient;
  readonly media: FakeMedia;
}

/** A browser whose pages share what is kept; the server lets the newest of them live. */
export class CallBrowser {
  readonly storage: ClientStorage = createMemoryStorage();
  readonly server: ScriptedServer;
  readonly thread: ScriptedThread;
  readonly scripted: ScriptedCall;
  #pages = 0;

  constructor(server: ScriptedServer, changes: CallChanges = {}) {
    this.server = server;
    server.replacesOlder = true;
    this.thread = new ScriptedThread(server);
    this.scripted = new ScriptedCall(server, this.thread, changes);
    this.scripted.showInSnapshots();
    // A page that is gone does not connect again.
    server.admit = ({ token }) =>
      /page-\d/.test(tokenIdOf(token)) && tokenIdOf(token) !== `page-${this.#pages}`
        ? 'UNAUTHENTICATED'
        : null;
  }

  /** Loads a page. The one before is gone as soon as this one connects. */
  load(options: Partial<ClientOptions> = {}, media = new FakeMedia()): CallPage {
    this.#pages += 1;
    const token = tokenFor(patient, `page-${this.#pages}`);
    const client = clientOf(this.server, { storage: this.storage, media, token, ...options });
    return { client, media, [Symbol.asyncDispose]: () => client.close() };
  }

  /** A page that has answered the call and sends what is on. */
  async loadInCall(options: Partial<ClientOptions> = {}): Promise<CallPage & { readonly call: Call }> {
    const page = this.load(options);
    await page.client.connect();
    const { call } = await page.client.open(this.thread.id);
    if (call === null) throw new Error('nothing rings');
    await call.accept();
    await this.sent(call.view.media === 'video' ? 2 : 1);
    await page.client.listConsultations();
    return { ...page, call, [Symbol.asyncDispose]: () => page.client.close() };
  }

  /** That many tracks have been sent by now, over all pages. */
  async sent(tracks: number): Promise<void> {
    await eventually(
      () => this.server.payloads('seat.produce').length,
      (count) => count === tracks,
    );
  }

  /** What is kept of a call on this device; null when nothing is. */
  async kept(): Promise<unknown> {
    const entries = await this.storage.entries('');
    return entries.find(([key]) => key.includes('/call/'))?.[1] ?? null;
  }

  /** Changes what is kept, as another clock or another version of the SDK would have. */
  async rewrite(changes: object): Promise<void> {
    const entries = await this.storage.entries('');
    const [entry] = entries.filter(([key]) => key.includes('/call/'));
    if (entry === undefined) throw new Error('nothing is kept');
    await this.storage.set(entry[0], Object.assign({}, entry[1], changes));
  }

  /** Waits until what is kept of a call holds all of this, or nothing is kept. */
  async keeps(what: object | null): Promise<void> {
    let seen: unknown;
    const probe = async () => {
      seen = await this.kept();
      if (what === null || typeof seen !== 'object' || seen === null) return seen === what;
      return isDeepStrictEqual({ ...seen, ...what }, seen);
    };
    await until('what is kept to be as expected', probe, { lastSeen: () => seen });
  }
}

/** The id of a token. */
function tokenIdOf(token: string): string {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return typeof claims === 'object' && claims !== null && 'jti' in claims ? String(claims.jti) : '';
}
