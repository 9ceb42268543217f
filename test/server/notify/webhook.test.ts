import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Entry } from '@teleconsult/protocol';
import { readConfig } from '@teleconsult/server/config';
import type { WebhookEvent } from '@teleconsult/server/notify/webhook-event';
import { webhookSignature } from '@teleconsult/server/notify/webhook-signature';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { type Endpoint, type Received, startEndpoint } from './endpoint.ts';
import { addEvery } from './every-entry.ts';
import { CANARY, changeOf, consultationId, doctor, FakeThreads, patient } from './fake-threads.ts';
import { FakePeople, SECRET, startNotifier } from './started-notifier.ts';

const id = consultationId(1);
const DAY_MS = 24 * 3_600_000;

const eventOf = ({ body }: Received): WebhookEvent => JSON.parse(body.toString('utf8')) as WebhookEvent;
const idsOf = (endpoint: Endpoint): string[] =>
  endpoint.received.map(({ headers }) => String(headers['webhook-id']));
const count = (endpoint: Endpoint, expected: number) =>
  eventually(`${expected} webhooks`, () => endpoint.received.length >= expected, {
    lastSeen: () => idsOf(endpoint),
  });

test('[HOOK1] every entry is told once, in order, signed as Standard Webhooks says', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  const entries = addEvery(threads, id);
  await using _notifier = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, entries.length);
  expect(idsOf(endpoint)).toEqual(entries.map(({ sequence }) => `${id}:${sequence}`));
  for (const [index, { headers, body, path }] of endpoint.received.entries()) {
    const timestamp = String(headers['webhook-timestamp']);
    const mac = createHmac('sha256', SECRET)
      .update(`${id}:${index + 1}.${timestamp}.${body.toString('utf8')}`)
      .digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
    expect(Math.abs(Number(timestamp) * 1_000 - threads.now)).toBeLessThan(1_000);
    expect(headers['content-type']).toBe('application/json');
    expect(path).toBe('/hook');
  }
});

test('[HOOK1] every entry is told, however few of them a page of the thread holds', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  threads.pageHolds = 2;
  const entries = addEvery(threads, id);
  await using _notifier = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, entries.length);
  expect(idsOf(endpoint)).toEqual(entries.map(({ sequence }) => `${id}:${sequence}`));
});

test('[HOOK1] the signature is that of the test vector of Standard Webhooks', () => {
  const body = '{"test": 2432232314}';
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body };
  expect(webhookSignature('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', signed)).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('[HOOK2] no webhook holds a text, a name, a caption, a note, a file name or a form', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  const entries = addEvery(threads, id);
  expect(JSON.stringify(entries).split(CANARY).length).toBeGreaterThan(7);
  await using started = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, entries.length);
  for (const { body, headers } of endpoint.received)
    expect(body.toString('utf8') + JSON.stringify(headers)).not.toContain(CANARY);
  expect(started.logs.join()).not.toContain(CANARY);
});

test('[HOOK3] the guide shows every type of event as it is sent, and no other', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  threads.now = 1_790_000_000_000;
  threads.ring(id);
  addEvery(threads, id);
  await using _notifier = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, threads.of(id).length);
  const guide = readFileSync(new URL('../../../docs/WEBHOOKS.md', import.meta.url), 'utf8');
  const examples = [...guide.matchAll(/```json\n(\{.*?\n\})\n```/gs)].map(([, text]) =>
    JSON.parse(text ?? ''),
  );
  const kinds = Entry.options.map(({ shape }) => shape.kind.value);
  expect(new Set(examples.map(({ type }) => type))).toEqual(new Set(kinds));
  const sent = endpoint.received.map(eventOf);
  for (const example of examples)
    expect(sent.find(({ sequence }) => sequence === example.sequence)).toEqual(example);
});

test('[HOOK4] what the receiver does not take is sent again under the same id, and holds up what comes after it', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  for (let number = 1; number <= 3; number += 1) threads.text(id);
  const statuses = [500, 410, 302, 404, 429];
  endpoint.answer = (_request, served) => ({
    status: statuses[served - 1] ?? 200,
    headers: { location: `${endpoint.origin}/elsewhere` },
  });
  await using started = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, 8);
  expect(idsOf(endpoint)).toEqual([...Array(6).fill(`${id}:1`), `${id}:2`, `${id}:3`]);
  expect(endpoint.received.every(({ path }) => path === '/hook')).toBe(true);
  expect(started.logs.filter((line) => line.includes('webhook.failed'))).toHaveLength(5);
});

test('[HOOK5] one consultation whose events are refused does not hold up the others', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  const ids = Array.from({ length: 40 }, (_, number) => consultationId(number + 1));
  for (const each of ids) for (let number = 0; number < 3; number += 1) threads.text(each);
  endpoint.answer = ({ headers }) => ({ status: String(headers['webhook-id']).startsWith(id) ? 503 : 200 });
  await using _notifier = await startNotifier(threads, { webhook: endpoint });
  await eventually('all but one to be told', () => new Set(idsOf(endpoint)).size === 39 * 3 + 1);
  for (const each of ids.slice(1))
    expect(idsOf(endpoint).filter((told) => told.startsWith(each))).toEqual(
      [1, 2, 3].map((n) => `${each}:${n}`),
    );
});

test('[HOOK5] receivers that hang hold up sixteen consultations and no more requests than that', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  for (let number = 1; number <= 50; number += 1) threads.text(consultationId(number));
  endpoint.answer = () => null;
  await using started = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, 16);
  const begun = performance.now();
  await started.notifier.close();
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(endpoint.received).toHaveLength(16);
});

test('[HOOK6] a notifier goes on where the last one stopped, and tells again only what was not noted', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  threads.text(id);
  threads.text(id);
  {
    await using _first = await startNotifier(threads, { webhook: endpoint });
    await count(endpoint, 2);
    // A stop gives up what is under way: of the second the answer must have come.
    await eventually('them to be noted', () => threads.notified.get(id) === 2);
  }
  expect(threads.notified.get(id)).toBe(2);
  threads.text(id);
  await using _second = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, 3);
  expect(idsOf(endpoint)).toEqual([1, 2, 3].map((sequence) => `${id}:${sequence}`));
});

test('[HOOK6] a change is told at once, and changes that come while others are told are told too', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  await using started = await startNotifier(threads, { webhook: endpoint });
  endpoint.answer = (_request, served) => {
    if (served <= 120) {
      threads.text(id);
      started.notifier.handleChange(changeOf(threads, id));
    }
    return { status: 200 };
  };
  threads.text(id);
  started.notifier.handleChange(changeOf(threads, id));
  await count(endpoint, 121);
  expect(idsOf(endpoint)).toEqual(Array.from({ length: 121 }, (_, index) => `${id}:${index + 1}`));
});

test('[HOOK7] what nobody took for three days is told no more, and what comes after it is', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  const long = threads.now;
  threads.text(id);
  threads.text(id);
  const other = consultationId(2);
  threads.broken.add(other);
  threads.text(other);
  threads.now = long + 3 * DAY_MS + 1_000;
  threads.text(id);
  await using started = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, 1);
  expect(idsOf(endpoint)).toEqual([`${id}:3`]);
  await eventually('it to be noted', () => threads.notified.get(id) === 3);
  await started.notifier.close();
  expect(threads.notified).toEqual(
    new Map([
      [id, 3],
      [other, 1],
    ]),
  );
  expect(started.logs.filter((line) => line.includes('webhook.givenUp'))).toHaveLength(2);
});

test('[HOOK8] an event names who is to be notified: not who did it, who is there, or who chose not to be', async () => {
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  threads.text(id);
  const notified = async (people: FakePeople): Promise<WebhookEvent['notify']> => {
    threads.notified.clear();
    const before = endpoint.received.length;
    await using _notifier = await startNotifier(threads, { webhook: endpoint, people });
    await count(endpoint, before + 1);
    const last = endpoint.received.at(-1);
    return last === undefined ? [] : eventOf(last).notify;
  };
  const payload = { v: 1, consultationId: id, at: threads.now, kind: 'message' };
  expect(await notified(new FakePeople())).toEqual([{ personId: doctor, kind: 'message', payload }]);
  const connected = new FakePeople();
  connected.connected.add(doctor);
  expect(await notified(connected)).toEqual([]);
  const silent = new FakePeople();
  silent.chosen.set(doctor, {
    readReceipts: true,
    push: { calls: true, messages: false, consultations: true },
  });
  expect(await notified(silent)).toEqual([]);
  threads.read.set(`${id}|${doctor}`, 1);
  expect(await notified(new FakePeople())).toEqual([]);
  expect(patient).not.toBe(doctor);
});

test('[HOOK9] the guide’s verification takes what is sent, and nothing that was changed or is old', async () => {
  const guide = readFileSync(new URL('../../../docs/WEBHOOKS.md', import.meta.url), 'utf8');
  const [, source = ''] = /```js\n(.*?)```/s.exec(guide) ?? [];
  const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    isGenuine: (headers: object, body: string, secret: string, now?: number) => boolean;
  };
  await using endpoint = await startEndpoint();
  const threads = new FakeThreads();
  threads.text(id);
  await using _notifier = await startNotifier(threads, { webhook: endpoint });
  await count(endpoint, 1);
  const [received] = endpoint.received;
  if (received === undefined) throw new Error('nothing arrived');
  const { headers } = received;
  const body = received.body.toString('utf8');
  expect(isGenuine(headers, body, SECRET)).toBe(true);
  const forged: readonly [object, string, string, number][] = [
    [headers, `${body} `, SECRET, Date.now()],
    [headers, body, `${SECRET}x`, Date.now()],
    [{ ...headers, 'webhook-id': `${id}:2` }, body, SECRET, Date.now()],
    [
      { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) },
      body,
      SECRET,
      Date.now(),
    ],
    [{ ...headers, 'webhook-signature': 'v1,' }, body, SECRET, Date.now()],
    [{}, body, SECRET, Date.now()],
    [headers, body, SECRET, Date.now() + 301_000],
  ];
  for (const [otherHeaders, otherBody, secret, now] of forged)
    expect(isGenuine(otherHeaders, otherBody, secret, now)).toBe(false);
});

test('[HOOK12] webhooks need a secret of some length and an address without one in it', () => {
  const read = (url: string, secret?: string) =>
    readConfig({
      TELECONSULT_WEBHOOK_URL: url,
      ...(secret === undefined ? {} : { TELECONSULT_WEBHOOK_SECRET: secret }),
    });
  expect(read('https://hospital.example/hook', SECRET).WEBHOOK_URL).toBe('https://hospital.example/hook');
  expect(() => read('https://hospital.example/hook')).toThrow('TELECONSULT_WEBHOOK_SECRET');
  expect(() => read('https://hospital.example/hook', 'canary')).toThrow(/^(?!.*canary)/);
  for (const url of ['https://name:canary@hospital.example/', 'ftp://hospital.example/', 'canary'])
    expect(() => read(url, SECRET)).toThrow(/^(?!.*canary).*TELECONSULT_WEBHOOK_URL/);
});
