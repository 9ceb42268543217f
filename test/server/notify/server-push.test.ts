/** The whole server with real storage, a push service and a receiver of webhooks beside it. */
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { startEndpoint } from './endpoint.ts';
import { pushSettings, SECRET } from './started-notifier.ts';
import { Subscriber, vapidOf } from './subscriber.ts';

async function connections(origin: string): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^teleconsult_connections (\d+)$/m.exec(metrics)?.[1]);
}

test('[PUSH18] a device whose app was closed rings, hears that the call is over, and of messages', async () => {
  await using service = await startEndpoint();
  const push = pushSettings(service.origin);
  await using app = await startTestApp({ push });
  await using visit = await startVisit(app);
  const { doctor } = peopleOf(visit.view);
  const subscriber = new Subscriber();
  const kinds = (): string[] => service.received.map((received) => subscriber.open(received).kind);
  {
    await using phone = await RawClient.connect(app.origin, personToken(doctor));
    expect(await phone.request('push.key', {})).toEqual({ publicKey: push.publicKey });
    await phone.request('push.subscribe', {
      subscription: subscriber.subscription(`${service.origin}/phone`),
    });
    const sent = await visit.patient.request('message.send', {
      consultationId: visit.id,
      clientMessageId: 'while-connected',
      content: textDraft('canary one'),
    });
    // Whether the device was there is looked at when the message is told.
    await eventually('it to be told', async () => (await app.store.notifiedUpTo(visit.id)) >= sent.sequence);
  }
  const id = visit.id;
  await eventually('the phone to be gone', async () => (await connections(app.origin)) === 2);
  const { call } = await visit.patient.request('call.start', { consultationId: id, media: 'video' });
  await eventually('a ring', () => kinds().includes('call.ringing'), { lastSeen: kinds });
  const [ring] = service.received;
  if (ring === undefined) throw new Error('no ring');
  expect(subscriber.open(ring)).toMatchObject({ consultationId: id, callId: call.callId, media: 'video' });
  expect(vapidOf(ring).claims.aud).toBe(service.origin);
  await visit.doctor.request('call.accept', { consultationId: id, callId: call.callId });
  await eventually('the end of the ring', () => kinds().at(-1) === 'call.over', { lastSeen: kinds });
  await visit.patient.request('message.send', {
    consultationId: id,
    clientMessageId: 'while-closed',
    content: textDraft('canary two'),
  });
  await eventually('a message', () => kinds().at(-1) === 'message', { lastSeen: kinds });
  expect(kinds()).toEqual(['call.ringing', 'call.over', 'message']);
  await visit.doctor.request('preferences.set', { push: { messages: false } });
  expect((await visit.doctor.fact('preferences.changed')).push.messages).toBe(false);
  service.answer = () => ({ status: 410 });
  await visit.patient.request('call.hangUp', { consultationId: id, callId: call.callId });
  await visit.patient.request('call.start', { consultationId: id, media: 'voice' });
  await eventually('the subscription to be removed', async () => {
    return (await app.store.people.subscriptions(doctor as never)).length === 0;
  });
});

test('[PUSH18] a call that the caller gives up becomes a missed one, on the lock screen and for the host application', async () => {
  await using service = await startEndpoint();
  await using receiver = await startEndpoint();
  const webhook = { url: `${receiver.origin}/hook`, secret: SECRET };
  await using app = await startTestApp({ push: pushSettings(service.origin), webhook });
  await using visit = await startVisit(app);
  const subscriber = new Subscriber();
  const subscription = subscriber.subscription(`${service.origin}/phone`);
  await visit.patient.request('push.subscribe', { subscription });
  await visit.patient[Symbol.asyncDispose]();
  await eventually('the phone to be gone', async () => (await connections(app.origin)) === 1);
  const at = { consultationId: visit.id };
  const { call } = await visit.doctor.request('call.start', { ...at, media: 'voice' });
  const pushes = () => service.received.map((received) => subscriber.open(received));
  await eventually('a ring', () => pushes().at(-1)?.kind === 'call.ringing', { lastSeen: pushes });
  await visit.doctor.request('call.hangUp', { ...at, callId: call.callId });
  await eventually('the end of the ring', () => pushes().length > 1, { lastSeen: pushes });
  const missed = { kind: 'call.over', callId: call.callId, missed: true };
  expect(pushes().slice(1)).toMatchObject([missed]);
  const notified = () =>
    receiver.received.flatMap(({ body }) => JSON.parse(body.toString('utf8')).notify as { kind: string }[]);
  await eventually('the host application to know', () => notified().some(({ kind }) => kind === 'call.over'));
  expect(notified().filter(({ kind }) => kind.startsWith('call.'))).toMatchObject([
    { personId: peopleOf(visit.view).patient, kind: 'call.ringing' },
    { personId: peopleOf(visit.view).patient, kind: 'call.over', payload: missed },
  ]);
});

test('[HOOK10] the host application is told of a consultation as soon as there is one, and whom to notify', async () => {
  await using receiver = await startEndpoint();
  await using app = await startTestApp({ webhook: { url: `${receiver.origin}/hook`, secret: SECRET } });
  const view = await app.createConsultation();
  const types = (): string[] => receiver.received.map(({ body }) => JSON.parse(body.toString('utf8')).type);
  await eventually('the creation', () => types().length === 1);
  await using patient = await RawClient.connect(app.origin, personToken(peopleOf(view).patient));
  await patient.request('consultation.enter', { consultationId: view.consultationId });
  await eventually('the waiting room', () => types().length === 2);
  expect(types()).toEqual(['consultation.requested', 'consultation.waiting']);
  const last = JSON.parse(receiver.received.at(-1)?.body.toString('utf8') ?? '');
  expect(last.notify).toMatchObject([{ personId: peopleOf(view).doctor, kind: 'consultation' }]);
});

test('[PUSH16] over the wire a subscription that points into the network is refused', async () => {
  await using app = await startTestApp({ push: pushSettings() });
  await using client = await RawClient.connect(app.origin, personToken('somebody'));
  for (const endpoint of [
    `${app.origin}/v1/consultations`,
    'https://10.0.0.1/x',
    'https://fcm.googleapis.com.evil.example/x',
  ])
    await expect(
      client.request('push.subscribe', { subscription: new Subscriber().subscription(endpoint) }),
    ).rejects.toThrow('INVALID');
});
