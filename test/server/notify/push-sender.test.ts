import { createLog } from '@teleconsult/server/log';
import type { Notice } from '@teleconsult/server/notify/notices';
import { PushSender } from '@teleconsult/server/notify/push-sender';
import type { PushDevice } from '@teleconsult/server/people/people';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { startEndpoint } from './endpoint.ts';
import { callId, consultationId, doctor } from './fake-threads.ts';
import { pushSettings } from './started-notifier.ts';
import { Subscriber } from './subscriber.ts';

const id = consultationId(1);
type Payload = Notice['payload'];
const base = { v: 1, consultationId: id, at: 1, callId: callId() } as const;
const noticeOf = (payload: Payload): Notice => ({
  personId: doctor,
  consultationId: id,
  payload,
  choice: 'calls',
  urgency: 'high',
  until: Date.now() + 30_000,
});
const ring = noticeOf({ ...base, kind: 'call.ringing', media: 'voice', until: Date.now() + 30_000 });
const over = noticeOf({ ...base, kind: 'call.over', missed: false });

async function setUp() {
  const service = await startEndpoint();
  const subscriber = new Subscriber();
  const { endpoint, keys } = subscriber.subscription(`${service.origin}/phone`);
  const device: PushDevice = {
    deviceId: 'phone-0001' as PushDevice['deviceId'],
    createdAt: 1,
    subscription: { endpoint, ...keys },
  };
  const sender = new PushSender({
    settings: pushSettings(service.origin),
    clock: () => Date.now(),
    log: createLog({ level: 'silent', destination: { write: () => undefined } }),
    pace: { firstMs: 5, mostMs: 5 },
    onGone: async () => undefined,
    isWanted: () => true,
  });
  return {
    service,
    device,
    sender,
    kinds: () => service.received.map((received) => subscriber.open(received).kind),
    [Symbol.asyncDispose]: async () => {
      await sender.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

test('[PUSH11] a ring that was under way when its call ended does not follow the end', async () => {
  await using at = await setUp();
  at.service.answer = (_request, count) => (count === 1 ? { status: 503 } : null);
  await at.sender.send(ring, at.device);
  await eventually('the ring to be tried again', () => at.kinds().length === 2);
  const [end] = [at.sender.send(over, at.device)];
  await eventually('the end', () => at.kinds().length === 3);
  expect(at.kinds()).toEqual(['call.ringing', 'call.ringing', 'call.over']);
  at.service.answer = () => ({ status: 503 });
  // The service breaks the two that hang off; only the end is worth another attempt.
  at.service.cut();
  await end;
  await eventually('further attempts', () => at.kinds().length >= 6);
  expect(new Set(at.kinds().slice(3))).toEqual(new Set(['call.over']));
});
