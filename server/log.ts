import { type DestinationStream, pino } from 'pino';
import type { Log, LogFields } from './host/ports.ts';

/** Ids are shortened in logs: enough to follow one thing through a file, too little to use. Never is one whole. */
const shorten = (id: string): string => `${id.slice(0, Math.min(8, Math.floor(id.length / 2)))}…`;

/** A pino log whose fields are a closed list; messages, names, numbers and tokens have no field to go in. */
export function createLog(options: { level: string; destination?: DestinationStream }): Log {
  const logger = pino({ level: options.level, base: null }, options.destination ?? pino.destination(2));
  return {
    info: (step, fields) => logger.info(clean(fields), step),
    warn: (step, fields) => logger.warn(clean(fields), step),
    error: (step, fields) => logger.error(clean(fields), step),
  };
}

function clean(fields: LogFields = {}): object {
  const { consultation, call, attachment, person, device, requestId, event, code, reason, count, ms, error } =
    fields;
  const ids = { consultation, call, attachment, person, device };
  return {
    ...Object.fromEntries(
      Object.entries(ids).flatMap(([name, id]) => (id === undefined ? [] : [[name, shorten(id)]])),
    ),
    ...defined({ requestId, event, code, reason, count, ms }),
    ...(error === undefined ? {} : { error: describeError(error) }),
  };
}

const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/**
 * The kind of an error and where it was thrown. Its message stays out: libraries quote their input in messages,
 * and the input may be health data.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const at = frames(error);
  return defined({ name, code, at, cause: cause === undefined ? undefined : describeError(cause) });
}

/** The stack below the message. A message can have lines that look like a stack's, so it is cut off first. */
function frames({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  if (start < 0) return [];
  return stack
    .slice(start + message.length)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, 6);
}
