import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sfu } from '@teleconsult/media';
import type { AttachmentTools } from './attachments/process-attachment.ts';
import type { Timings } from './consultation/state.ts';
import { ConsultationHost } from './host/host.ts';
import type {
  AttachmentStore,
  Clock,
  ConsultationKeys,
  ConsultationStore,
  IdGenerator,
  Log,
} from './host/ports.ts';
import { createHttpApp } from './http/http-app.ts';
import type { TokenVerifier } from './identity/tokens.ts';
import { Metrics } from './metrics.ts';
import { Gateway } from './signalling/gateway.ts';
import { createHandlers } from './signalling/handlers.ts';
import type { ObjectStore } from './storage/objects/object-store.ts';
import { AttachmentLibrary } from './uploads/attachment-library.ts';
import { UploadDataStore } from './uploads/upload-data-store.ts';
import { UploadParts } from './uploads/upload-parts.ts';
import type { Vault } from './vault/vault.ts';

const SWEEP_MS = 3_600_000;
/** A device that keeps its connection open may delay the stop for this long. */
const CLOSE_CONNECTIONS_MS = 5_000;

/** What an application is made of. Whoever opened a part closes it, after the application is closed. */
export interface AppParts {
  readonly store: ConsultationStore;
  readonly attachments: AttachmentStore;
  readonly objects: ObjectStore;
  readonly vault: Vault & ConsultationKeys;
  readonly sfu: Sfu;
  readonly tokens: TokenVerifier;
  readonly tools: AttachmentTools;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly log: Log;
  readonly allowedOrigins: readonly string[];
  readonly requestsPerSecond: number;
  readonly webDir: string;
  /** Names of parts that are not there, for readiness. */
  readonly missing: () => readonly string[];
}

export interface App {
  readonly host: ConsultationHost;
  /** Starts to listen and answers the origin that is reached. Port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Stops taking requests, tells the devices, and waits for what is being done. May be called twice. */
  close(): Promise<void>;
}

/** Joins the parts. Nothing listens and no time passes before `listen`. */
export function createApp(parts: AppParts): App {
  const { log, sfu } = parts;
  // Listens before the gateway is made, which takes its own path (long polling) out of what earlier listeners get.
  const http = createServer({ requestTimeout: 120_000, headersTimeout: 20_000 }, (request, response) =>
    web(request, response),
  );
  const metrics = new Metrics({
    connections: () => gateway.connections,
    calls: () => host.media.size,
    mediaWorkers: () => sfu.health().aliveWorkers,
  });
  const gateway = new Gateway({
    http,
    tokens: parts.tokens,
    log,
    allowedOrigins: parts.allowedOrigins,
    requestsPerSecond: parts.requestsPerSecond,
    onHandled: (handled) => metrics.observe(handled),
  });
  const host = new ConsultationHost({
    ...parts,
    keys: parts.vault,
    publisher: gateway.publisher,
    attachmentContent: (id, by, attachmentId) => library.sendable(id, by, attachmentId),
  });
  const uploads = new UploadParts(parts);
  const library = new AttachmentLibrary({ ...parts, host, parts: uploads });
  const dataStore = new UploadDataStore({ ...parts, host, parts: uploads, library });
  const web = createHttpApp({ ...parts, host, library, dataStore, metrics });

  let sweeper: NodeJS.Timeout | null = null;
  let closing: Promise<void> | null = null;
  const sweep = (): void => {
    library.sweep().catch((error: unknown) => log.error('sweep.failed', { error }));
  };

  return {
    host,
    async listen({ host: address, port }) {
      await host.start();
      gateway.start({
        handlers: createHandlers(host),
        onDevice: ({ personId, deviceId, onlyConsultation }, type) => {
          host.calls.presence({ type, personId, deviceId }, onlyConsultation).catch((error: unknown) => {
            log.error('presence.failed', { error });
          });
        },
      });
      sweep();
      sweeper = setInterval(sweep, SWEEP_MS);
      sweeper.unref();
      await listening(http, address, port);
      const { port: taken } = http.address() as AddressInfo;
      const name = address.includes(':') ? `[${address}]` : address;
      return `http://${name}:${taken}`;
    },
    close() {
      closing ??= (async () => {
        if (sweeper !== null) clearInterval(sweeper);
        await stopped(http, () => gateway.close());
        await library.close();
        await host.close();
      })();
      return closing;
    },
  };
}

function listening(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

/** Socket.IO closes the HTTP server with itself; connections that linger are cut after a moment. */
async function stopped(http: Server, close: () => Promise<void>): Promise<void> {
  const cut = setTimeout(() => http.closeAllConnections(), CLOSE_CONNECTIONS_MS);
  http.closeIdleConnections();
  try {
    await close();
    if (http.listening) await new Promise<void>((resolve) => http.close(() => resolve()));
  } finally {
    clearTimeout(cut);
  }
}
