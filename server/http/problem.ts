import { randomUUID } from 'node:crypto';
import { AppError, errorCatalogue, type Problem } from '@teleconsult/protocol';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Log } from '../host/ports.ts';

/** Gives every request an id, which the answer and the log carry. */
export const requestIds: RequestHandler = (_request, response, next) => {
  const id = randomUUID();
  response.locals['requestId'] = id;
  response.setHeader('X-Request-Id', id);
  next();
};

export const requestIdOf = (response: Response): string =>
  String(response.locals['requestId'] ?? randomUUID());

/** RFC 9457: the code and a sentence, never a stack, a path or what was sent. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { httpStatus, message } = errorCatalogue[error.code];
  return {
    type: `urn:teleconsult:error:${error.code.toLowerCase()}`,
    title: message,
    status: httpStatus === 0 ? 500 : httpStatus,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code: error.code,
    requestId,
  };
}

/** What Express and its parsers throw, in the words of the catalogue. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // An id in the path that cannot even be decoded names nothing.
  if (error instanceof URIError) return new AppError('NOT_FOUND');
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  if (status === 413) return new AppError('TOO_LARGE');
  if (typeof status === 'number' && status >= 400 && status < 500) return new AppError('INVALID');
  return new AppError('INTERNAL', { cause: error });
}

export function sendProblem(response: Response, error: AppError): void {
  const problem = toProblem(error, requestIdOf(response));
  if (error.code === 'RATE_LIMITED') response.setHeader('Retry-After', '10');
  if (error.code === 'UNAUTHENTICATED' || error.code === 'TOKEN_EXPIRED')
    response.setHeader('WWW-Authenticate', 'Bearer');
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

export const problems =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, _request: Request, response: Response, _next) => {
    const known = toAppError(error);
    if (known.code === 'INTERNAL' || known.code === 'INTEGRITY')
      log.error('request.failed', { requestId: requestIdOf(response), code: known.code, error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    sendProblem(response, known);
  };
