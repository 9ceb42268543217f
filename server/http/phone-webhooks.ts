import { AppError } from '@teleconsult/protocol';
import express, { type Request, type Response, Router } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Log } from '../host/ports.ts';
import type { RelayProvider, WebhookRequest } from '../telephony/ports.ts';
import { MAX_WEBHOOK_BYTES } from '../telephony/webhook-guard.ts';
import { requestIdOf } from './problem.ts';

/** Below this providers of telephony report. */
export const PHONE_WEBHOOKS_PATH = '/v1/phone';
/** Addresses that do not exist, asked for by one sender in a minute, before it is told to wait: some are secrets. */
const FAILURES_A_MINUTE = 60;
/** Reports are small and come from servers: who sends one slower holds its memory for nothing. */
const BODY_MS = 10_000;

export interface PhoneWebhookParts {
  readonly log: Log;
  /** Empty: no provider reports over HTTP. */
  readonly phoneWebhooks: RelayProvider['webhooks'];
  /** How long a report may take to arrive. */
  readonly phoneReportMs?: number;
}

/**
 * Hands what providers report to their adapters as it came. They judge where it is from (a signature, a secret address);
 * here it is only bounded, and what went wrong is answered so that the provider tells it again.
 */
export function phoneWebhooksRouter({ log, phoneWebhooks, phoneReportMs }: PhoneWebhookParts): Router {
  const handlers = new Map(phoneWebhooks.map((webhook) => [webhook.path, webhook]));
  const failures = new RateLimiterMemory({ points: FAILURES_A_MINUTE, duration: 60 });
  const router = Router();
  // Before the body is read: who knows no address of ours has nothing to say.
  router.use(async (request, _response, next) => {
    const handler = handlers.get(request.path.slice(1));
    if (handler === undefined) {
      await failures.consume(request.socket.remoteAddress ?? 'unknown').catch(() => {
        throw new AppError('RATE_LIMITED');
      });
      throw new AppError('NOT_FOUND');
    }
    next();
  });
  router.use((request, response, next) => {
    const late = setTimeout(() => request.destroy(), phoneReportMs ?? BODY_MS);
    const arrived = (): void => clearTimeout(late);
    request.once('end', arrived);
    response.once('close', arrived);
    next();
  });
  // `inflate` off: a few kilobytes could otherwise become the whole limit many times a second.
  router.use(express.raw({ limit: MAX_WEBHOOK_BYTES, type: () => true, inflate: false }));
  router.use(async (request, response) => {
    const handler = handlers.get(request.path.slice(1));
    if (handler === undefined) throw new AppError('NOT_FOUND');
    try {
      const { status, contentType, body } = await handler.handle(toWebhook(request));
      response.status(status).set('Content-Type', contentType).send(body);
    } catch (error) {
      log.error('phone.reportFailed', { requestId: requestIdOf(response), error });
      unavailable(response);
    }
  });
  return router;
}

function toWebhook(request: Request): WebhookRequest {
  // Without a body express leaves it as it was.
  const body: unknown = request.body;
  const headers = Object.entries(request.headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const,
  );
  return {
    method: request.method,
    path: request.originalUrl,
    headers: Object.fromEntries(headers),
    body: body instanceof Uint8Array ? body : new Uint8Array(0),
    remoteAddress: request.socket.remoteAddress ?? '',
  };
}

/** A provider tries again what is answered so. */
const unavailable = (response: Response): void => {
  response.status(503).set('Retry-After', '10').type('text/plain').send('');
};
