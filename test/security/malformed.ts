import { type RequestName, requestNames } from '@teleconsult/protocol';
import { validPayloads } from './valid-payloads.ts';

/** Stands for health data: it is in everything sent, and must be in no log line and no answer. */
export const CANARY = 'CANARY-diagnosis-4711';

/** One event as no SDK would send it. */
export interface Malformed {
  readonly event: string;
  readonly what: string;
  readonly args: readonly unknown[];
  readonly expected: readonly string[];
}

/** Below the frame limit, with room for the event's name. */
const HUGE_TEXT = CANARY.padEnd(60_000, 'x');
const NESTED_LEVELS = 1_000;

const keyed = (key: string): unknown => JSON.parse(`{"${key}": {"polluted": "${CANARY}"}}`);

function nested(levels: number): unknown {
  let value: unknown = CANARY;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { [CANARY]: value } : [value];
  return value;
}

const noPayloads: Readonly<Record<string, unknown>> = {
  null: null,
  'a boolean': true,
  'a number': 4711,
  NaN,
  Infinity,
  'an empty text': '',
  'a text': CANARY,
  'a huge text': HUGE_TEXT,
  'an array': [CANARY],
  'a deeply nested object': nested(NESTED_LEVELS),
  'an object with the key __proto__': keyed('__proto__'),
  'an object with the key constructor': keyed('constructor'),
  bytes: Buffer.from(CANARY),
};

const noProperties: Readonly<Record<string, unknown>> = {
  null: null,
  NaN,
  Infinity,
  'a huge text': HUGE_TEXT,
  'an array': [CANARY],
  'a deeply nested object': nested(NESTED_LEVELS),
  'an object with the key __proto__': keyed('__proto__'),
  bytes: Buffer.from(CANARY),
};

const unknownNames: readonly (string | number)[] = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'error',
  'connection',
  'disconnecting ',
  'message.sent',
  'MESSAGE.SEND',
  'message.send ',
  `unknown.${CANARY}`,
  'n'.repeat(10_000),
  4711,
];

const ASK_FOR_NOTHING: readonly RequestName[] = ['consultation.list', 'preferences.set'];

/** Every request in every shape that is not its own, and names that are no request's. */
export function everyMalformed(): readonly Malformed[] {
  return [...requestNames.flatMap(shapesOf), ...unknownNames.flatMap(unknown)];
}

function shapesOf(event: RequestName): readonly Malformed[] {
  const valid: Readonly<Record<string, unknown>> = { ...validPayloads()[event] };
  const invalid = (what: string, ...args: readonly unknown[]): Malformed => ({
    event,
    what,
    args,
    expected: ['INVALID'],
  });
  return [
    invalid('no argument'),
    invalid('two arguments', valid, valid),
    invalid('fifty arguments', ...Array<unknown>(50).fill(valid)),
    invalid('a surplus property', { ...valid, [CANARY]: CANARY }),
    ...Object.entries(noPayloads).map(([what, payload]) => invalid(`${what} for a payload`, payload)),
    ...Object.keys(valid).flatMap((key) =>
      Object.entries(noProperties).map(([what, value]) =>
        wrongProperty(event, `${what} for ${key}`, {
          ...valid,
          [key]: value,
        }),
      ),
    ),
    // The list asks for nothing, and of the choices any may be left out: nothing of them can be missing.
    ...(ASK_FOR_NOTHING.includes(event) ? [] : Object.keys(valid)).map((key) => {
      const { [key]: _missing, ...rest } = valid;
      return wrongProperty(event, `${key} missing`, rest);
    }),
  ];
}

/**
 * Some wrong values of optional or open parts are read as absent; then the unknown consultation is what is wrong, or
 * that the server was set up without speech recognition.
 */
const wrongProperty = (event: RequestName, what: string, payload: object): Malformed => ({
  event,
  what,
  args: [payload],
  expected: ['INVALID', 'NOT_FOUND', ...(event === 'message.transcribe' ? ['NOT_CONFIGURED'] : [])],
});

function unknown(name: string | number): readonly Malformed[] {
  // Socket.IO allows numbers as names; its client's types do not.
  const event = name as string;
  return [[{ text: CANARY }], [], [CANARY, 1, null]].map((args) => ({
    event,
    what: `${args.length} arguments`,
    args,
    expected: ['UNKNOWN_EVENT'],
  }));
}
