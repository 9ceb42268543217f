import { AppError } from '@teleconsult/protocol';
import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Log } from '../host/ports.ts';
import type { TokenVerifier } from '../identity/tokens.ts';
import type { Metrics } from '../metrics.ts';
import { MEDIA_PATH } from '../playback/media-links.ts';
import type { Playback } from '../playback/playback.ts';
import { authenticate } from './authenticate.ts';
import { type DictationRouteParts, dictationsRouter } from './dictations.ts';
import { openApiDocument } from './openapi.ts';
import { pagesRouter } from './pages.ts';
import { PHONE_WEBHOOKS_PATH, type PhoneWebhookParts, phoneWebhooksRouter } from './phone-webhooks.ts';
import { problems, requestIds } from './problem.ts';
import { recordingMediaRouter } from './recording-media.ts';
import { type RestParts, restRouter } from './rest.ts';
import { UPLOADS_PATH, type UploadRouteParts, uploadsHandler } from './uploads.ts';

export interface HttpAppParts extends RestParts, UploadRouteParts, DictationRouteParts, PhoneWebhookParts {
  readonly tokens: TokenVerifier;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly playback: Playback;
  /** Whether everything needed to serve is there; the names of what is not. */
  readonly missing: () => readonly string[];
  /** Origins of other pages that may use this server. */
  readonly allowedOrigins: readonly string[];
  /** Folder of the built pages; empty for none. */
  readonly webDir: string;
}

/** The Express application: health, metrics, REST, uploads and pages. It listens nowhere by itself. */
export function createHttpApp(parts: HttpAppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(requestIds);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'blob:', 'data:'],
          mediaSrc: ["'self'", 'blob:'],
          connectSrc: ["'self'", 'ws:', 'wss:', 'blob:'],
          manifestSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      crossOriginEmbedderPolicy: false,
      // The pages are served over plain HTTP in development; a proxy that ends TLS adds this itself.
      strictTransportSecurity: false,
    }),
  );
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const missing = parts.missing();
    response.status(missing.length === 0 ? 200 : 503).json({ ready: missing.length === 0, missing });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(parts.metrics.registry.contentType).send(await parts.metrics.registry.metrics());
  });
  const openApi = openApiDocument();
  app.get('/v1/openapi.json', (_request, response) => {
    response.json(openApi);
  });
  app.use('/v1', otherOrigins(parts.allowedOrigins), neverCached);
  // Before the tokens: a player sends none, and the link is what authorises it.
  app.use(MEDIA_PATH, recordingMediaRouter(parts.playback.links));
  // Providers of telephony send no token either: a signature or a secret address is their proof.
  app.use(PHONE_WEBHOOKS_PATH, phoneWebhooksRouter(parts));
  app.use('/v1', authenticate(parts.tokens));
  app.use(UPLOADS_PATH, uploadsRoute(parts));
  app.use(dictationsRouter(parts));
  app.use(restRouter(parts));
  app.use('/v1', () => {
    throw new AppError('NOT_FOUND');
  });
  if (parts.webDir !== '') app.use(pagesRouter(parts.webDir));
  app.use(() => {
    throw new AppError('NOT_FOUND');
  });
  app.use(problems(parts.log));
  return app;
}

/** Pages of the configured origins may use REST and uploads as they use the socket; a token is needed either way. */
function otherOrigins(allowed: readonly string[]): express.RequestHandler {
  const handle = cors({
    origin: [...allowed],
    allowedHeaders: ['Authorization', 'Content-Type', 'Range', 'If-Range', 'Idempotency-Key', ...TUS_HEADERS],
    exposedHeaders: [
      'Accept-Ranges',
      'Content-Disposition',
      'Content-Range',
      'ETag',
      'Location',
      'Retry-After',
      'X-Request-Id',
      ...TUS_HEADERS,
    ],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    maxAge: 600,
  });
  return (request, response, next) => {
    if (!allowed.includes(request.headers.origin ?? '')) {
      next();
      return;
    }
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    handle(request, response, next);
  };
}

/** https://tus.io/protocols/resumable-upload#headers */
const TUS_HEADERS = ['Tus-Resumable', 'Upload-Length', 'Upload-Metadata', 'Upload-Offset', 'Upload-Expires'];

/** What is answered below may be health data: no browser or proxy keeps it. */
const neverCached: express.RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'private, no-store');
  next();
};

/** tus reads the whole path, which Express shortens below a mount point. */
function uploadsRoute(parts: UploadRouteParts): express.RequestHandler {
  const handle = uploadsHandler(parts);
  return (request, response, next) => {
    request.url = request.originalUrl;
    return handle(request, response, next);
  };
}
