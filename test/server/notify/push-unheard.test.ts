/** Consultations in which nobody has a device that could be pushed to. */
import type { ConsultationId, PersonId, PushPayload } from '@teleconsult/protocol';
import type { NotifierParts } from '@teleconsult/server/notify/notifier';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { type Endpoint, startEndpoint } from './endpoint.ts';
import { callId, changeOf, consultationId, doctor, FakeThreads, person } from './fake-threads.ts';
import { FakePeople, pushSettings, type Started, startNotifier } from './started-notifier.ts';
import type { Subscriber } from './subscriber.ts';

const id = consultationId(1);
const guest = person('guest-1');

interface Scene extends AsyncDisposable {
  readonly service: Endpoint;
  readonly threads: FakeThreads;
  readonly people: FakePeople;
  readonly started: Started;
  subscribe(personId: PersonId): Subscriber;
  message(thread?: ConsultationId): void;
  told(upTo?: number): Promise<void>;
}

async function scene(options: { people?: FakePeople; webhook?: Endpoint } = {}): Promise<Scene> {
  const { people = new FakePeople() } = options;
  await using stack = new AsyncDisposableStack();
  const service = stack.use(await startEndpoint());
  const threads = new FakeThreads();
  const push = pushSettings(service.origin);
  const started = stack.use(await startNotifier(threads, { ...options, people, push }));
  const owned = stack.move();
  return {
    service,
    threads,
    people,
    started,
    subscribe: (personId) => people.subscribe(personId, personId, `${service.origin}/${personId}`),
    message: (thread = id) => {
      threads.text(thread);
      started.notifier.handleChange(changeOf(threads, thread));
    },
    told: async (upTo) => {
      await eventually(
        'all to be noted',
        () => threads.notified.get(id) === (upTo ?? threads.of(id).length),
        { lastSeen: () => [threads.notified.get(id), threads.of(id).length] },
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Holds up the next look at something until the test lets it go on. */
class Held {
  readonly begun = Promise.withResolvers<void>();
  readonly goOn = Promise.withResolvers<void>();
  #isUsed = false;

  async pass(): Promise<void> {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.begun.resolve();
    await this.goOn.promise;
  }
}

/** Whose devices are looked up when the test allows it. */
class HeldPeople extends FakePeople {
  readonly held = new Held();

  override get service(): NotifierParts['peopleService'] {
    const service = super.service;
    return {
      ...service,
      pushDevices: async (personId) => {
        await this.held.pass();
        return service.pushDevices(personId);
      },
    };
  }
}

const guestLeft = { kind: 'call.left', callId: callId(), personId: guest, reason: 'removed' };

test('[PUSH20] messages that nobody has a closed device for are noted as told and not read', async () => {
  await using on = await scene();
  for (let number = 1; number <= 120; number += 1) on.message();
  await on.told();
  expect(on.threads.pagesRead).toBe(0);
  expect(on.service.received).toEqual([]);
});

test('[PUSH20] where one person has a device everything is read, for as long as they have it', async () => {
  await using on = await scene();
  on.subscribe(doctor);
  on.message();
  await on.told();
  expect(on.service.received.map(({ path }) => path)).toEqual([`/${doctor}`]);
  const { pagesRead } = on.threads;
  on.people.devices.clear();
  on.message();
  await on.told();
  expect(on.threads.pagesRead).toBe(pagesRead);
});

test('[PUSH21] who subscribes later hears of what is said from then on, and of nothing before', async () => {
  await using on = await scene();
  on.message();
  on.message();
  await on.told();
  const subscriber = on.subscribe(doctor);
  on.threads.now += 1_000;
  on.message();
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received))).toEqual([
    { v: 1, consultationId: id, at: on.threads.now, kind: 'message' } satisfies PushPayload,
  ]);
});

test('[PUSH22] who was rung and takes part no more hears that it is over, whoever is left', async () => {
  await using on = await scene();
  const subscriber = on.subscribe(guest);
  on.message();
  await on.told();
  expect(on.threads.pagesRead).toBe(0);
  // The guest is no participant any more when this is looked at.
  on.threads.add(id, guestLeft, doctor);
  on.started.notifier.handleChange(changeOf(on.threads, id));
  on.message();
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received))).toMatchObject([
    { kind: 'call.over', callId: callId(), missed: false },
  ]);
  // And when all of that was told, nothing is read once more.
  const { pagesRead } = on.threads;
  on.message();
  await on.told();
  expect(on.threads.pagesRead).toBe(pagesRead);
});

test('[PUSH22] somebody who is named while it is being looked at is not passed over', async () => {
  await using on = await scene();
  const subscriber = on.subscribe(guest);
  const held = new Held();
  const { view } = on.threads.host;
  Object.assign(on.threads.host, {
    view: async (...asked: Parameters<typeof view>) => {
      await held.pass();
      return view(...asked);
    },
  });
  on.message();
  await held.begun.promise;
  on.threads.add(id, guestLeft, doctor);
  on.started.notifier.handleChange(changeOf(on.threads, id));
  held.goOn.resolve();
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received).kind)).toEqual(['call.over']);
});

test('[PUSH22] what comes while somebody who was named is being told is passed over again', async () => {
  const people = new HeldPeople();
  await using on = await scene({ people });
  on.threads.add(id, guestLeft, doctor);
  on.started.notifier.handleChange(changeOf(on.threads, id));
  await people.held.begun.promise;
  on.message();
  people.held.goOn.resolve();
  await on.told();
  expect(on.threads.pagesRead).toBe(1);
});

test('[PUSH22] what a start finds is read, whoever takes part by then', async () => {
  await using on = await scene();
  await on.started.notifier.close();
  const subscriber = on.subscribe(guest);
  on.threads.add(id, guestLeft, doctor);
  const push = pushSettings(on.service.origin);
  await using _next = await startNotifier(on.threads, { people: on.people, push });
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received).kind)).toEqual(['call.over']);
});

test('[PUSH23] what was passed over and not noted before a crash is looked at again and told to who waits by then', async () => {
  await using on = await scene();
  on.message();
  await on.told();
  // Noted a moment later than it was passed over: a crash in between.
  on.threads.notified.set(id, 0);
  const subscriber = on.subscribe(doctor);
  const push = pushSettings(on.service.origin);
  await using _next = await startNotifier(on.threads, { people: on.people, push });
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received).kind)).toEqual(['message']);
});

test('[PUSH23] a consultation that cannot be looked at is tried again, with all it names, and holds up no other', async () => {
  await using on = await scene();
  const subscriber = on.subscribe(guest);
  const other = consultationId(2);
  on.threads.broken.add(id);
  on.threads.add(id, guestLeft, doctor);
  on.started.notifier.handleChange(changeOf(on.threads, id));
  on.message(other);
  await eventually('the other', () => on.threads.notified.get(other) === 1);
  expect(on.threads.notified.get(id)).toBeUndefined();
  await eventually('an attempt', () => on.started.logs.some((line) => line.includes('push.failed')));
  on.threads.broken.clear();
  on.message();
  await on.told();
  expect(on.service.received.map((received) => subscriber.open(received).kind)).toEqual(['call.over']);
});

test('[PUSH24] webhooks beside hear of every message that pushes pass over', async () => {
  await using webhook = await startEndpoint();
  await using on = await scene({ webhook });
  for (let number = 1; number <= 3; number += 1) on.message();
  await on.told();
  const ids = webhook.received.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([1, 2, 3].map((sequence) => `${id}:${sequence}`));
});

test('[HOOK13] webhooks that are configured at the next start begin where pushes stood', async () => {
  await using webhook = await startEndpoint();
  await using on = await scene();
  on.message();
  await on.told();
  await on.started.notifier.close();
  on.message();
  await using _next = await startNotifier(on.threads, { webhook, people: on.people });
  await on.told();
  expect(webhook.received.map(({ headers }) => headers['webhook-id'])).toEqual([`${id}:2`]);
});
