import {
  AppError,
  DeviceId,
  type ErrorBody,
  PersonId,
  type Reply,
  type RequestName,
  requestNames,
} from '@teleconsult/protocol';
import type { LogFields } from '@teleconsult/server/host/ports';
import { dispatch, type Handled } from '@teleconsult/server/signalling/dispatch';
import type { Handlers } from '@teleconsult/server/signalling/handlers/handler';
import type { Session } from '@teleconsult/server/signalling/session';
import { expect, test } from 'vitest';
import { CANARY } from './malformed.ts';
import { validPayloads } from './valid-payloads.ts';

const session: Session = {
  personId: PersonId.parse('somebody'),
  deviceId: DeviceId.parse('device-0001'),
  onlyConsultation: null,
  displayName: null,
  isDoctor: false,
  watch: () => undefined,
  unwatch: () => undefined,
};

/** The table of handlers with the same one behind every name. */
const everyHandler = (handle: () => Promise<never>): Handlers =>
  Object.fromEntries(requestNames.map((name) => [name, handle])) as Record<RequestName, typeof handle>;

/** Sends one event through the gateway's dispatch and says everything it led to. */
async function dispatched(
  handle: () => Promise<never>,
  event: unknown,
  argumentsFor: (ack: (reply: Reply<unknown>) => void) => readonly unknown[],
) {
  const replies: Reply<unknown>[] = [];
  const silent: { event: string; error: ErrorBody }[] = [];
  const logged: LogFields[] = [];
  const handled: Handled[] = [];
  const log = (_step: string, fields: LogFields = {}) => void logged.push(fields);
  await dispatch(
    {
      handlers: everyHandler(handle),
      log: { info: log, warn: log, error: log },
      admit: () => Promise.resolve(),
      onHandled: (outcome) => handled.push(outcome),
      onRefusedSilently: (_session, name, error) => silent.push({ event: name, error }),
    },
    session,
    { event, args: argumentsFor((reply) => replies.push(reply)) },
  );
  return { replies, silent, logged, handled };
}

const unreached = (): Promise<never> => Promise.reject(new Error('the handler was reached'));

const failures: Readonly<Record<string, () => Promise<never>>> = {
  'throws a TypeError': () => {
    throw new TypeError(CANARY);
  },
  'throws a text': () => {
    // oxlint-disable-next-line no-throw-literal -- what a careless library may do
    throw CANARY;
  },
  'rejects with an Error': () => Promise.reject(new Error(CANARY)),
  // oxlint-disable-next-line prefer-promise-reject-errors -- what a careless library may do
  'rejects with nothing': () => Promise.reject(undefined),
};

test.each(Object.entries(failures))(
  '[S1] [GATE3] whatever request has a handler that %s, it is answered INTERNAL with the request id of the log',
  async (_what, handle) => {
    for (const name of requestNames) {
      const payload = validPayloads()[name];
      const { replies, logged, handled } = await dispatched(handle, name, (ack) => [payload, ack]);
      expect(replies, name).toMatchObject([{ ok: false, error: { code: 'INTERNAL' } }]);
      const [reply] = replies;
      expect(logged).toMatchObject([
        { event: name, requestId: reply?.ok === false && reply.error.requestId },
      ]);
      expect(handled).toMatchObject([{ event: name, code: 'INTERNAL' }]);
      expect(JSON.stringify(reply)).not.toContain(CANARY);
    }
  },
);

test.each<[string, (payload: unknown, ack: unknown) => readonly unknown[]]>([
  ['is not last', (payload, ack) => [ack, payload]],
  ['is a text', (payload) => [payload, 'ack']],
  ['is an object', (payload) => [payload, { call: CANARY }]],
  ['is null', (payload) => [payload, null]],
  ['is not there', (payload) => [payload]],
  ['is all there is not', () => []],
])(
  '[S1] [GATE2] an acknowledgement that %s is none: the request is refused unanswered',
  async (_what, args) => {
    for (const name of requestNames) {
      const payload = validPayloads()[name];
      const { replies, silent, handled } = await dispatched(unreached, name, (ack) => args(payload, ack));
      expect(replies).toEqual([]);
      expect(silent).toMatchObject([{ event: name, error: { code: 'INVALID' } }]);
      expect(handled).toMatchObject([{ event: name, code: 'INVALID' }]);
    }
  },
);

test.each([undefined, null, 4711, {}, [], Symbol('event'), '__proto__', 'constructor', 'toString'])(
  '[S1] [GATE1] an event named %o is no request, and the metrics call it unknown',
  async (event) => {
    const { replies, handled } = await dispatched(unreached, event, (ack) => [{}, ack]);
    expect(replies).toMatchObject([{ ok: false, error: { code: 'UNKNOWN_EVENT' } }]);
    expect(handled).toMatchObject([{ event: 'unknown', code: 'UNKNOWN_EVENT' }]);
  },
);

test('[GATE3] a refusal of the catalogue keeps its code and detail and is not logged', async () => {
  const name: RequestName = 'consultation.list';
  const refuse = () => Promise.reject(new AppError('WRONG_STATE', { detail: 'why' }));
  const { replies, logged } = await dispatched(refuse, name, (ack) => [{}, ack]);
  expect(replies).toMatchObject([{ ok: false, error: { code: 'WRONG_STATE', detail: 'why' } }]);
  expect(logged).toEqual([]);
});
