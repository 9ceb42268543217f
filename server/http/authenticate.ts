import { AppError } from '@teleconsult/protocol';
import type { Request, RequestHandler, Response } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Caller, TokenVerifier } from '../identity/tokens.ts';

/**
 * Bad tokens from one address in a minute, before it is told to wait. A good token always passes: behind a proxy
 * or a clinic's router many people share an address, and one of them must not lock out the others.
 */
const FAILURES_A_MINUTE = 60;

const callers = new WeakMap<Response, Caller>();

/** Takes the bearer token of a request; anything less than a good one is refused. */
export function authenticate(tokens: TokenVerifier): RequestHandler {
  const failures = new RateLimiterMemory({ points: FAILURES_A_MINUTE, duration: 60 });
  return async (request, response, next) => {
    try {
      callers.set(response, tokens.verify(bearer(request)));
    } catch (error) {
      const tooMany = await failures.consume(request.socket.remoteAddress ?? 'unknown').then(
        () => false,
        () => true,
      );
      throw tooMany ? new AppError('RATE_LIMITED') : error;
    }
    next();
  };
}

export function callerOf(response: Response): Caller {
  const caller = callers.get(response);
  if (caller === undefined) throw new AppError('UNAUTHENTICATED');
  return caller;
}

function bearer(request: Request): string {
  const [scheme, token, ...rest] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) throw new AppError('UNAUTHENTICATED');
  return token;
}
