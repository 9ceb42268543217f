import type { ConsultationId, PersonId, PushPayload } from '@teleconsult/protocol';
import type { CallRecord } from '@teleconsult/server/consultation/state';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { type Endpoint, startEndpoint } from './endpoint.ts';
import { addEvery } from './every-entry.ts';
import {
  CANARY,
  callId,
  changeOf,
  consultationId,
  doctor,
  FakeThreads,
  patient,
  person,
} from './fake-threads.ts';
import { FakePeople, pushSettings, startNotifier } from './started-notifier.ts';
import { type Subscriber, vapidOf } from './subscriber.ts';

const id = consultationId(1);
const MINUTE_MS = 60_000;
const CONCERNS = { v: 1, consultationId: id } as const;

interface Scene extends AsyncDisposable {
  readonly service: Endpoint;
  readonly threads: FakeThreads;
  readonly people: FakePeople;
  readonly settings: ReturnType<typeof pushSettings>;
  readonly subscribers: Map<string, Subscriber>;
  readonly logs: string[];
  /** Adds an entry to the thread and tells the notifier. */
  happen(draft: Parameters<FakeThreads['add']>[1], by: PersonId | null, ended?: CallRecord): void;
  /** What arrived at a device, opened. */
  pushesTo(device: string): PushPayload[];
  /** Resolves when everything up to here has been dealt with. */
  told(): Promise<void>;
}

/** A thread with a push service; each person has one closed device, named for them. */
async function scene(options: { thread?: ConsultationId } = {}): Promise<Scene> {
  const { thread = id } = options;
  const service = await startEndpoint();
  const threads = new FakeThreads();
  const people = new FakePeople();
  const subscribers = new Map<string, Subscriber>();
  for (const each of [patient, doctor, person('guest-1')])
    subscribers.set(each, people.subscribe(each, each, `${service.origin}/${each}`));
  const settings = pushSettings(service.origin);
  const started = await startNotifier(threads, { push: settings, people });
  return {
    service,
    threads,
    people,
    settings,
    subscribers,
    logs: started.logs,
    happen(draft, by, ended) {
      threads.add(thread, draft, by);
      const call = ended === undefined ? [] : [{ type: 'callEnded', call: ended, reason: 'lost' } as const];
      started.notifier.handleChange(changeOf(threads, thread, call));
    },
    pushesTo: (device) =>
      service.received
        .filter(({ path }) => path === `/${device}`)
        .map((received) => subscribers.get(device)?.open(received) as PushPayload),
    told: async () => {
      await eventually('all to be noted', () => threads.notified.get(thread) === threads.of(thread).length, {
        lastSeen: () => [threads.notified.get(thread), threads.of(thread).length],
      });
    },
    [Symbol.asyncDispose]: async () => {
      await started.notifier.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const message = (number: number) => ({
  kind: 'message.sent',
  messageId: `msg_${String(number).padStart(22, '0')}`,
  clientMessageId: `client-message-${number}`,
  content: { type: 'text', text: `${CANARY} ${number}` },
});
const started = { kind: 'call.started', callId: callId(), media: 'voice' };
const missed = (at: number) => ({ ...CONCERNS, at, kind: 'call.over', callId: callId(), missed: true });
const over = (at: number) => ({ ...missed(at), missed: false });

/** A call as the domain has it when it ends. */
const record = (...seats: readonly { personId: PersonId; state: 'invited' | 'present' }[]): CallRecord => {
  const seat = {
    since: 0,
    microphoneOn: true,
    cameraOn: false,
    screenOn: false,
    mutedBy: null,
    view: 'full' as const,
    interrupted: false,
    phone: null,
  };
  return {
    callId: callId() as CallRecord['callId'],
    media: 'voice',
    startedBy: patient,
    startedAt: 0,
    phase: { name: 'ringing', until: 1 },
    recording: null,
    stoppedRecordingId: null,
    seats: seats.map(({ personId, state }) =>
      state === 'invited'
        ? { ...seat, personId, state, ringUntil: 1, callWaiting: false }
        : { ...seat, personId, state, deviceId: 'device-1' as never, tickets: null },
    ),
  };
};

test('[PUSH3] a push opens with the keys of the device alone and is signed for its push service', async () => {
  await using on = await scene();
  on.happen(message(1), patient);
  await on.told();
  const [received] = on.service.received;
  if (received === undefined) throw new Error('nothing was pushed');
  expect(on.subscribers.get(doctor)?.open(received)).toEqual({
    ...CONCERNS,
    at: on.threads.now,
    kind: 'message',
  });
  expect(() => on.subscribers.get(patient)?.open(received)).toThrow();
  const { claims, publicKey } = vapidOf(received);
  expect(publicKey).toBe(on.settings.publicKey);
  expect(claims).toMatchObject({ aud: on.service.origin, sub: 'mailto:push@hospital.example' });
  const lifetime = Number(claims.exp) - Date.now() / 1_000;
  expect(lifetime).toBeGreaterThan(0);
  expect(lifetime).toBeLessThanOrEqual(24 * 3_600);
  expect(received.headers).toMatchObject({ urgency: 'normal', ttl: String(24 * 3_600) });
});

test('[PUSH4] no push holds a text, a name or an id in the clear, and none a text or a name at all', async () => {
  await using on = await scene();
  on.threads.ring(id);
  addEvery(on.threads, id);
  on.happen(message(30), doctor);
  await on.told();
  expect(on.service.received.length).toBeGreaterThan(3);
  for (const { headers, body } of on.service.received) {
    const clear = JSON.stringify(headers) + body.toString('latin1');
    for (const secret of [CANARY, id, callId()]) expect(clear).not.toContain(secret);
  }
  for (const device of on.subscribers.keys())
    expect(JSON.stringify(on.pushesTo(device))).not.toContain(CANARY);
  expect(on.logs.join()).not.toContain(CANARY);
});

test('[PUSH5] a call rings the devices of who is rung, for the rest of the ring, and then it is over', async () => {
  await using on = await scene();
  const until = on.threads.now + 30_000;
  on.threads.ring(id, { until });
  on.happen(started, patient);
  await on.told();
  const ring = {
    ...CONCERNS,
    at: on.threads.now,
    kind: 'call.ringing',
    callId: callId(),
    media: 'voice',
    until,
  };
  expect(on.pushesTo(doctor)).toEqual([ring]);
  expect(on.pushesTo(patient)).toEqual([]);
  expect(on.service.received[0]?.headers).toMatchObject({ ttl: '30', urgency: 'high' });
  on.threads.calls.clear();
  const ended = record({ personId: patient, state: 'present' }, { personId: doctor, state: 'invited' });
  on.happen({ kind: 'call.ended', callId: callId(), reason: 'no_answer', durationMs: 0 }, null, ended);
  await on.told();
  expect(on.pushesTo(doctor)).toEqual([ring, missed(on.threads.now)]);
  expect(on.pushesTo(patient)).toEqual([]);
  const [first, second] = on.service.received.map(({ headers }) => headers['topic']);
  expect(first).toMatch(/^[\w-]{32}$/);
  expect(second).toBe(first);
});

test('[PUSH5] a ring that has passed, or a call that is over, rings nobody', async () => {
  await using on = await scene();
  on.happen(started, patient);
  on.threads.ring(id, { until: on.threads.now });
  on.happen({ ...started, callId: callId(1) }, patient);
  on.happen({ ...started, callId: callId(2) }, patient);
  await on.told();
  expect(on.service.received).toEqual([]);
});

test('[PUSH5] of several people those who are busy are not rung, and one invited later is', async () => {
  await using on = await scene();
  const guest = person('guest-1');
  const participants = on.threads.view(id).participants;
  on.threads.participants.set(id, [
    ...participants,
    { personId: guest, role: 'relative', displayName: CANARY },
  ]);
  on.threads.ring(id, { busy: [doctor] });
  on.happen(started, patient);
  await on.told();
  expect(on.pushesTo(doctor)).toEqual([]);
  expect(on.pushesTo(guest)).toMatchObject([{ kind: 'call.ringing' }]);
  on.happen({ kind: 'call.left', callId: callId(), personId: guest, reason: 'no_answer' }, null);
  on.happen({ kind: 'call.invited', callId: callId(), personId: guest }, doctor);
  await on.told();
  expect(on.pushesTo(guest).map(({ kind }) => kind)).toEqual(['call.ringing', 'call.over', 'call.ringing']);
});

test('[PUSH6] answered on one device, a call is over on the person’s others', async () => {
  await using on = await scene();
  on.people.connected.add('desk');
  on.people.subscribe(doctor, 'desk', `${on.service.origin}/desk`);
  on.threads.ring(id);
  on.happen(started, patient);
  on.happen({ kind: 'call.answered', callId: callId() }, doctor);
  await on.told();
  expect(on.pushesTo(doctor)).toMatchObject([{ kind: 'call.ringing' }, over(on.threads.now)]);
  expect(on.service.received.map(({ path }) => path)).toEqual([`/${doctor}`, `/${doctor}`]);
  expect(on.service.received.at(-1)?.headers).toMatchObject({ ttl: '60' });
  const ended = record({ personId: patient, state: 'present' }, { personId: doctor, state: 'present' });
  on.happen({ kind: 'call.ended', callId: callId(), reason: 'completed', durationMs: 5 }, patient, ended);
  await on.told();
  expect(on.service.received).toHaveLength(2);
});

test('[PUSH6] who declined has missed nothing; who is told once that it is over is not told again', async () => {
  await using on = await scene();
  on.threads.ring(id);
  on.happen(started, patient);
  on.happen({ kind: 'call.left', callId: callId(), personId: doctor, reason: 'declined' }, doctor);
  const ended = record({ personId: patient, state: 'present' }, { personId: doctor, state: 'invited' });
  on.happen({ kind: 'call.ended', callId: callId(), reason: 'declined', durationMs: 0 }, doctor, ended);
  await on.told();
  expect(on.pushesTo(doctor)).toMatchObject([{ kind: 'call.ringing' }, over(on.threads.now)]);
});

test('[PUSH6] a call that ended while the server was away is missed by whom it rang', async () => {
  await using on = await scene();
  on.happen(started, patient);
  on.happen({ kind: 'call.ended', callId: callId(), reason: 'no_answer', durationMs: 0 }, null);
  await on.told();
  expect(on.pushesTo(doctor)).toEqual([missed(on.threads.now)]);
  expect(on.pushesTo(patient)).toEqual([]);
});

test('[PUSH7] messages of ten seconds are one notice, unless the person has seen it', async () => {
  await using on = await scene();
  for (let number = 1; number <= 5; number += 1) on.happen(message(number), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(1);
  on.threads.read.set(`${id}|${doctor}`, 5);
  on.happen(message(6), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(2);
  on.happen(message(7), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(2);
  on.threads.now += 10_001;
  on.happen(message(8), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(3);
  const topics = new Set(on.service.received.map(({ headers }) => headers['topic']));
  expect(topics.size).toBe(1);
});

test('[PUSH7] a message that was read, withdrawn, or is a day old is not pushed', async () => {
  await using on = await scene();
  on.threads.read.set(`${id}|${doctor}`, 1);
  on.happen(message(1), patient);
  on.happen({ ...message(2), content: { type: 'withdrawn', how: 'recalled' } }, patient);
  on.threads.add(id, message(3), patient, on.threads.now - 25 * 60 * MINUTE_MS);
  on.happen({ kind: 'message.recalled', target: 2, messageId: `msg_${'0'.repeat(22)}` }, patient);
  await on.told();
  expect(on.service.received).toEqual([]);
});

test.each([
  ['consultation.requested', {}, null, [[doctor, 'requested']]],
  ['consultation.waiting', {}, patient, [[doctor, 'waiting']]],
  ['consultation.accepted', {}, doctor, [[patient, 'accepted']]],
  ['consultation.ended', { reason: 'completed' }, doctor, [[patient, 'ended']]],
  [
    'consultation.ended',
    { reason: 'expired' },
    null,
    [
      [doctor, 'ended'],
      [patient, 'ended'],
    ],
  ],
  [
    'participant.joined',
    { personId: doctor, role: 'colleague', displayName: CANARY },
    doctor,
    [[doctor, 'invited']],
  ],
  ['participant.left', { personId: doctor, reason: 'left' }, doctor, []],
  ['consultation.subjectSet', { subject: null }, patient, []],
] as const)('[PUSH8] of %s %j by %s is told whom it concerns', async (kind, body, by, expected) => {
  await using on = await scene();
  on.happen({ kind, ...body }, by);
  await on.told();
  const told = [doctor, patient].flatMap((device) =>
    on
      .pushesTo(device)
      .map((payload) => [device, payload.kind === 'consultation' ? payload.what : payload.kind]),
  );
  expect(told).toEqual(expected);
});

test('[PUSH8] of a thread between doctors the one who was asked is told', async () => {
  await using on = await scene();
  const colleague = person('guest-1');
  on.threads.requestedBy = doctor;
  on.threads.participants.set(id, [
    { personId: doctor, role: 'doctor', displayName: CANARY },
    { personId: colleague, role: 'doctor', displayName: CANARY },
  ]);
  on.happen({ kind: 'consultation.requested' }, null);
  await on.told();
  expect(on.pushesTo(colleague)).toMatchObject([{ kind: 'consultation', what: 'requested' }]);
  expect(on.pushesTo(doctor)).toEqual([]);
});

test('[PUSH9] nothing is pushed that the person switched off, or to a device that is connected', async () => {
  await using on = await scene();
  const on3 = { calls: true, messages: true, consultations: true };
  on.people.chosen.set(doctor, { readReceipts: true, push: { ...on3, messages: false } });
  on.happen(message(1), patient);
  on.happen({ kind: 'consultation.waiting' }, patient);
  await on.told();
  expect(on.pushesTo(doctor)).toMatchObject([{ kind: 'consultation' }]);
  on.people.chosen.set(doctor, { readReceipts: true, push: on3 });
  on.people.connected.add(doctor);
  on.happen(message(2), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(1);
  on.people.connected.clear();
  on.happen(message(3), patient);
  await on.told();
  expect(on.pushesTo(doctor)).toHaveLength(2);
});

test.each([404, 410])(
  '[PUSH10] a subscription that the push service does not know (%i) is removed',
  async (status) => {
    await using on = await scene();
    on.people.subscribe(doctor, 'other', `${on.service.origin}/other`);
    on.service.answer = ({ path }) => ({ status: path === `/${doctor}` ? status : 201 });
    on.happen(message(1), patient);
    await on.told();
    expect(on.people.gone).toEqual([doctor]);
    expect(on.people.devices.get(doctor)?.map(({ deviceId }) => deviceId)).toEqual(['other']);
  },
);

test.each([429, 500, 503])(
  '[PUSH11] what the push service does not take now (%i) is tried again',
  async (status) => {
    await using on = await scene();
    on.service.answer = (_request, served) => ({ status: served <= 3 ? status : 201 });
    on.happen(message(1), patient);
    await on.told();
    await eventually('four attempts', () => on.service.received.length === 4);
    expect(new Set(on.pushesTo(doctor).map(({ kind }) => kind))).toEqual(new Set(['message']));
  },
);

test.each([301, 400, 403, 413])(
  '[PUSH11] what the push service refuses (%i) is not tried again',
  async (status) => {
    await using on = await scene();
    on.service.answer = () => ({ status, headers: { location: '/elsewhere' } });
    on.happen(message(1), patient);
    await on.told();
    on.threads.now += 20_000;
    on.happen(message(2), patient);
    await on.told();
    expect(on.service.received.map(({ path }) => path)).toEqual([`/${doctor}`, `/${doctor}`]);
    expect(on.logs.filter((line) => line.includes('push.refused'))).toHaveLength(2);
  },
);

test('[PUSH11] a push that waits gives way to a newer one about the same call, and to its own end', async () => {
  await using on = await scene();
  on.threads.ring(id);
  on.service.answer = () => ({ status: 503, headers: { 'retry-after': '20' } });
  on.happen(started, patient);
  await on.told();
  expect(on.service.received).toHaveLength(1);
  on.service.answer = () => ({ status: 201 });
  on.happen({ kind: 'call.answered', callId: callId() }, doctor);
  await on.told();
  expect(on.pushesTo(doctor).map(({ kind }) => kind)).toEqual(['call.ringing', 'call.over']);
  // A ring of 30 s is not tried again after 40.
  on.service.answer = () => ({ status: 503, headers: { 'retry-after': '40' } });
  on.happen(started, patient);
  await on.told();
  on.service.answer = () => ({ status: 201 });
  expect(on.service.received).toHaveLength(3);
});

test('[PUSH11] a push service that hangs does not keep the server from stopping', async () => {
  await using on = await scene();
  on.service.answer = () => null;
  on.happen(message(1), patient);
  await eventually('a request', () => on.service.received.length === 1);
  const begun = performance.now();
  await on[Symbol.asyncDispose]();
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('[PUSH12] a failing receiver of webhooks holds up no push, and no push is repeated for it', async () => {
  await using service = await startEndpoint();
  await using webhook = await startEndpoint();
  webhook.answer = () => ({ status: 500 });
  const threads = new FakeThreads();
  const people = new FakePeople();
  const subscriber = people.subscribe(doctor, 'phone-1', `${service.origin}/phone`);
  await using on = await startNotifier(threads, { push: pushSettings(service.origin), people, webhook });
  for (let number = 1; number <= 4; number += 1) {
    threads.now += 11_000;
    threads.text(id);
    on.notifier.handleChange(changeOf(threads, id));
    await eventually('a push', () => service.received.length === number);
  }
  const failures = webhook.received.length;
  await eventually('more failures', () => webhook.received.length > failures + 3);
  expect(service.received.map((received) => subscriber.open(received).at)).toEqual(
    threads.of(id).map(({ at }) => at),
  );
  expect(threads.notified.get(id)).toBeUndefined();
  webhook.answer = () => ({ status: 200 });
  await eventually('all to be noted', () => threads.notified.get(id) === 4);
  expect(service.received).toHaveLength(4);
});
