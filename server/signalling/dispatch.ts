import { randomUUID } from 'node:crypto';
import {
  AppError,
  type ErrorBody,
  type Reply,
  type RequestName,
  type RequestPayload,
  requests,
} from '@teleconsult/protocol';
import type { ZodError } from 'zod';
import type { Log } from '../host/ports.ts';
import { consultationOf, type Handlers } from './handlers/handler.ts';
import type { Session } from './session.ts';

type Ack = (reply: Reply<unknown>) => void;

/** What came of an event, for the metrics. */
export interface Handled {
  readonly event: RequestName | 'unknown';
  readonly code: string;
  readonly ms: number;
}

export interface DispatchParts {
  readonly handlers: Handlers;
  readonly log: Log;
  /** Throws `RATE_LIMITED` when the device asks too much. */
  readonly admit: (session: Session) => Promise<void>;
  readonly onHandled: (handled: Handled) => void;
  /** Tells a device why a request without an acknowledgement was refused. */
  readonly onRefusedSilently: (session: Session, event: string, error: ErrorBody) => void;
}

const isRequest = (event: string): event is RequestName => Object.hasOwn(requests, event);

/**
 * The gateway every inbound event passes: name, shape and acknowledgement are checked here and nowhere else,
 * and nothing thrown behind it gets past. It never rejects.
 */
export async function dispatch(
  parts: DispatchParts,
  session: Session,
  incoming: { event: unknown; args: readonly unknown[] },
): Promise<void> {
  const startedAt = performance.now();
  const requestId = randomUUID();
  const event = typeof incoming.event === 'string' ? incoming.event : '';
  const ack = acknowledgement(incoming.args);
  let code = 'OK';
  try {
    await parts.admit(session);
    const data = await handle(
      parts.handlers,
      session,
      event,
      ack === null ? null : incoming.args.slice(0, -1),
    );
    ack?.({ ok: true, data });
  } catch (cause) {
    const error = cause instanceof AppError ? cause : new AppError('INTERNAL', { cause });
    code = error.code;
    if (code === 'INTERNAL' || code === 'INTEGRITY')
      parts.log.error('request.failed', {
        requestId,
        event: isRequest(event) ? event : 'unknown',
        error: cause,
      });
    const body = error.toBody(requestId);
    if (ack === null) parts.onRefusedSilently(session, isRequest(event) ? event : 'unknown', body);
    else ack({ ok: false, error: body });
  }
  parts.onHandled({ event: isRequest(event) ? event : 'unknown', code, ms: performance.now() - startedAt });
}

async function handle(
  handlers: Handlers,
  session: Session,
  event: string,
  args: readonly unknown[] | null,
): Promise<unknown> {
  if (!isRequest(event)) throw new AppError('UNKNOWN_EVENT');
  if (args === null) throw new AppError('INVALID', { detail: 'the acknowledgement is missing' });
  if (args.length !== 1) throw new AppError('INVALID', { detail: 'exactly one payload is expected' });
  const parsed = requests[event].payload.safeParse(args[0]);
  if (!parsed.success) throw new AppError('INVALID', { detail: describe(parsed.error) });
  const consultationId = consultationOf(parsed.data as object);
  if (consultationId !== null && ![null, consultationId].includes(session.onlyConsultation))
    throw new AppError('NOT_FOUND');
  // The table pairs each name with the handler of its own payload; TypeScript cannot follow that by a variable.
  const handler = handlers[event] as (payload: RequestPayload<RequestName>, by: Session) => Promise<unknown>;
  return handler(parsed.data as RequestPayload<RequestName>, session);
}

function acknowledgement(args: readonly unknown[]): Ack | null {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as Ack) : null;
}

/** Paths and rules, never values: what was sent may be health data. */
export const describe = (error: ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.') || 'payload'}: ${issue.code}`)
    .join('; ')
    .slice(0, 300);
