import type { ClientStorage, Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import { createMemoryStorage } from '../../../client-sdk/storage/memory-storage.ts';
import { clientOf } from './clients.ts';
import type { ScriptedServer } from './scripted-server.ts';

/**
 * A browser: pages that share what is kept. Values live as copies, and Blobs are read from the storage, as they are
 * after a reload.
 */
export class Browser {
  readonly storage: ClientStorage = createMemoryStorage();
  readonly #server: ScriptedServer;

  constructor(server: ScriptedServer) {
    this.#server = server;
  }

  /** A page that has the consultation open. */
  async load(consultationId: string, deviceId = 'device-under-test'): Promise<Page> {
    const client = clientOf(this.#server, { storage: this.storage, deviceId, requestTimeoutMs: 400 });
    await client.connect();
    return new Page(client, await client.open(consultationId));
  }

  /** Keys of messages that are kept, whosever. */
  async kept(prefix = 'message/'): Promise<readonly string[]> {
    const entries = await this.storage.entries('');
    return entries.map(([key]) => key).filter((key) => key.includes(`/${prefix}`));
  }
}

export class Page implements AsyncDisposable {
  readonly client: TeleconsultClient;
  readonly consultation: Consultation;

  constructor(client: TeleconsultClient, consultation: Consultation) {
    this.client = client;
    this.consultation = consultation;
  }

  /** A page that is left is closed without a word; the SDK keeps nothing back for that moment. */
  async leave(): Promise<void> {
    await this.client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
