import { PersonId, type RequestName, requestNames, routes } from '@teleconsult/protocol';
import { type Caller, TokenVerifier } from '@teleconsult/server/identity/tokens';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { personToken, TEST_IDENTITY, TEST_KEY } from '../helpers/test-tokens.ts';
import { startCall, startVisit } from '../helpers/visit.ts';
import { leaks } from './leak-check.ts';
import { hearing, startLeakedVisit } from './leaked-visit.ts';
import { requestRights } from './rights-table.ts';
import { pointingRequests, validPayloads } from './valid-payloads.ts';

const strangerToken = personToken('stranger');

/** The patient of another visit, in a call of their own. */
async function startNeighbour(app: TestApp) {
  const visit = await startVisit(app);
  const callId = await startCall(visit);
  const { patient } = peopleOf(visit.view);
  return { visit, callId, client: visit.patient, token: personToken(patient) };
}

test('[A7] [REACH1] somebody who takes part in nothing gets nothing of a visit by any request or route, whatever ids leaked', async () => {
  await using app = await startTestApp(hearing);
  await using victim = await startLeakedVisit(app);
  await using client = await RawClient.connect(app.origin, strangerToken);
  expect(await leaks(app.origin, { client, token: strangerToken }, victim.targets)).toEqual([]);
  expect(await client.request('consultation.list', {})).toEqual({
    consultations: [],
    unread: [],
    queue: [],
    hasMore: false,
  });
  await victim.goOn();
  expect(client.facts).toEqual([]);
});

test('[A7] [REACH1] somebody with a visit of their own gets nothing of another one, whatever ids leaked', async () => {
  await using app = await startTestApp(hearing);
  await using victim = await startLeakedVisit(app);
  const neighbour = await startNeighbour(app);
  await using own = neighbour.visit;
  const before = neighbour.client.facts.length;
  expect(await leaks(app.origin, neighbour, victim.targets)).toEqual([]);
  const { consultations } = await neighbour.client.request('consultation.list', {});
  expect(consultations.map(({ consultationId }) => consultationId)).toEqual([own.id]);
  await victim.goOn();
  expect(neighbour.client.facts.slice(before)).toEqual([]);
});

test('[A7] [REACH1] ids that leaked are worth nothing in a visit of one’s own either', async () => {
  await using app = await startTestApp(hearing);
  await using victim = await startLeakedVisit(app);
  const neighbour = await startNeighbour(app);
  await using own = neighbour.visit;
  const { targets } = victim;
  const payloads = validPayloads({ ...targets, consultationId: own.id });
  // Muting others is no patient’s right anywhere.
  const names: RequestName[] = requestNames.filter((name) => /^(call\.(?!start)|seat\.(?!mute))/.test(name));
  for (const name of names)
    expect(await neighbour.client.emit(name, payloads[name]), name).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
  for (const consumerId of [targets.consumerId, targets.producerId, targets.transportId]) {
    const payload = { consultationId: own.id, callId: neighbour.callId, consumerId };
    expect(await neighbour.client.emit('seat.resumeConsumer', payload)).toMatchObject({
      error: { code: 'NOT_FOUND' },
    });
  }
  const content = { type: 'file', attachmentId: targets.attachmentId };
  const message = { consultationId: own.id, clientMessageId: 'message-0001', content };
  expect(await neighbour.client.emit('message.send', message)).toMatchObject({
    error: { code: 'NOT_FOUND' },
  });
  const status = (path: string) =>
    fetch(`${app.origin}/v1/consultations/${own.id}/attachments/${targets.attachmentId}${path}`, {
      headers: { authorization: `Bearer ${neighbour.token}` },
    }).then((response) => response.status);
  expect([await status(''), await status('/content')]).toEqual([404, 404]);
});

/** As if nobody asked whether the caller takes part: the stranger passes for the patient. */
class CarelessVerifier extends TokenVerifier {
  patient = '';

  override verify(token: string): Caller {
    const caller = super.verify(token);
    if (caller.scope === 'host' || caller.personId !== 'stranger' || this.patient === '') return caller;
    return { ...caller, personId: PersonId.parse(this.patient) };
  }
}

test('[A7 sabotage] [REACH1 sabotage] with the stranger taken for the patient, the check finds leaks in every part of the interface', async () => {
  const tokens = new CarelessVerifier({ ...TEST_IDENTITY, keys: [TEST_KEY] });
  await using app = await startTestApp({ tokens, ...hearing });
  await using victim = await startLeakedVisit(app);
  tokens.patient = peopleOf(victim.visit.view).patient;
  await using client = await RawClient.connect(app.origin, strangerToken);
  const found = await leaks(app.origin, { client, token: strangerToken }, victim.targets);
  const leaking = (prefix: string) =>
    new Set(
      found.filter((line) => line.startsWith(prefix)).map((line) => line.split(' ')[1]?.replace(':', '')),
    );
  // Both seats of the call are held by other devices, and what needs the seat itself says so to anybody.
  const ofTheSeat = requestNames.filter((name) => name.startsWith('seat.') && name !== 'seat.join');
  // A network check belongs to the device that opened it, the message was recalled just before, and what the doctor has
  // shown to nobody is not there for the patient either.
  const others = pointingRequests.filter(
    (name) => !/^(seat|check|message\.transcribe)/.test(name) && requestRights[name].patient !== 'NOT_FOUND',
  );
  expect([...leaking('request')]).toEqual(expect.arrayContaining(others));
  expect(ofTheSeat.length).toBeGreaterThan(4);
  const participantRoutes = Object.values(routes).filter(({ audience }) =>
    (audience as readonly string[]).includes('participant'),
  );
  expect(leaking('route')).toEqual(new Set(participantRoutes.map(({ operationId }) => operationId)));
  expect([...leaking('upload')]).toEqual(expect.arrayContaining(['POST', 'PATCH', 'HEAD', 'DELETE']));
});

test('[A7] [REACH2] another device of the same person cannot act on a seat that the first one holds', async () => {
  await using app = await startTestApp(hearing);
  await using victim = await startLeakedVisit(app);
  const { visit, targets } = victim;
  const { doctor } = peopleOf(visit.view);
  await using second = await RawClient.connect(app.origin, personToken(doctor));
  const payloads = validPayloads(targets);
  // Joining takes the seat over, as it should; everything else needs the seat first.
  const names: RequestName[] = requestNames.filter(
    (name) => /^(seat|call)\./.test(name) && name !== 'seat.join',
  );
  for (const name of names) {
    const reply = await second.emit(name, payloads[name]);
    const code = reply.ok ? 'accepted' : reply.error.code;
    expect(['NOT_FOUND', 'WRONG_STATE'], name).toContain(code);
  }
  expect(visit.doctor.of('seat.moved')).toEqual([]);
  expect(second.facts.filter(({ name }) => name.startsWith('seat.'))).toEqual([]);
  await victim.goOn();
});
