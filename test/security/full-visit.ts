import {
  type CallId,
  ClientMessageId,
  type ConsultationId,
  PersonId,
  type RequestInput,
  type RequestName,
} from '@teleconsult/protocol';
import { RawClient } from '../helpers/raw-client.ts';
import type { TestApp } from '../helpers/test-app.ts';
import { hostToken, namedToken } from '../helpers/test-tokens.ts';
import { startRecords } from './record-targets.ts';
import { OUTSIDERS, PARTICIPANTS, type Role } from './rights-table.ts';
import {
  microphoneParameters,
  rtpCapabilities,
  type Targets,
  unknownIds,
  validPayloads,
} from './valid-payloads.ts';

/** A running visit with everybody in it, and everybody else beside it. */
export interface FullVisit extends AsyncDisposable {
  readonly id: ConsultationId;
  /** Every id there is. */
  readonly targets: Targets;
  token(role: Role): string;
  client(role: Role): RawClient;
  /** A request of this role that points at what is really there. */
  payload(name: RequestName, role: Role): object;
}

let visits = 0;

export async function startFullVisit(app: TestApp): Promise<FullVisit> {
  await using stack = new AsyncDisposableStack();
  const suffix = `full-${++visits}`;
  const { consultationId: id } = await app.createConsultation(suffix);
  const { consultationId: other } = await app.createConsultation(suffix);
  const personOf = (role: Role) => PersonId.parse(`${role === 'elsewhere' ? 'patient' : role}-${suffix}`);
  const token = (role: Role) =>
    namedToken(
      personOf(role),
      role,
      role === 'doctor' || role === 'colleague' ? 'doctor' : undefined,
      role === 'elsewhere' ? other : undefined,
    );
  const clients = new Map<Role, RawClient>();
  for (const role of [...PARTICIPANTS, ...OUTSIDERS])
    clients.set(role, stack.use(await RawClient.connect(app.origin, token(role))));
  const client = (role: Role): RawClient => {
    const found = clients.get(role);
    if (found === undefined) throw new Error(`no ${role}`);
    return found;
  };
  const drawIn = (role: 'colleague' | 'relative' | 'interpreter', person: PersonId) =>
    asHost(app, `POST /v1/consultations/${id}/participants`, {
      personId: person,
      displayName: role,
      role,
    });
  for (const role of ['colleague', 'relative', 'interpreter'] as const) await drawIn(role, personOf(role));
  await drawIn('relative', personOf('removed'));
  await asHost(app, `DELETE /v1/consultations/${id}/participants/${personOf('removed')}`);
  await client('patient').request('consultation.enter', { consultationId: id });
  await client('doctor').request('consultation.accept', { consultationId: id });
  const { sequence } = await client('patient').request('message.send', {
    consultationId: id,
    clientMessageId: ClientMessageId.parse('message-of-patient'),
    content: { type: 'text', text: 'a text' },
  });
  const { call } = await client('doctor').request('call.start', { consultationId: id, media: 'video' });
  const consumers = await joinAll({ consultationId: id, callId: call.callId }, client);
  const { invitationId, code } = await client('patient').request('invitation.create', {
    purpose: 'participant',
    consultationId: id,
    role: 'relative',
  });
  const { checkId } = await client('doctor').request('check.open', {});
  const recorder = { client: client('doctor'), token: token('doctor') };
  const records = await startRecords(app.origin, recorder, { consultationId: id, callId: call.callId });
  const targets: Targets = {
    ...unknownIds,
    ...records,
    consultationId: id,
    callId: call.callId,
    invitationId,
    checkId,
    sequence: String(sequence),
    personId: personOf('relative'),
  };
  const owned = stack.move();
  return {
    id,
    targets,
    token,
    client,
    payload(name, role) {
      const consumerId = consumers.get(role) ?? consumers.get('patient') ?? '';
      const payload = validPayloads({ ...targets, consumerId })[name];
      return 'code' in payload ? { code } : payload;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Everybody takes their seat; the doctor is heard by all, and hears the patient. Answers a consumer of each seat. */
async function joinAll(
  call: { consultationId: ConsultationId; callId: CallId },
  client: (role: Role) => RawClient,
): Promise<ReadonlyMap<Role, string>> {
  for (const role of PARTICIPANTS) {
    if (role !== 'doctor') await client(role).request('call.accept', call);
    await client(role).request('seat.join', { ...call, rtpCapabilities });
  }
  const speak: RequestInput<'seat.produce'> = {
    ...call,
    source: 'microphone',
    kind: 'audio',
    rtpParameters: microphoneParameters,
  };
  for (const role of ['doctor', 'patient'] as const) await client(role).request('seat.produce', speak);
  const consumers = new Map<Role, string>();
  for (const role of PARTICIPANTS)
    consumers.set(role, (await client(role).fact('seat.consumerAdded')).consumer.consumerId);
  return consumers;
}

async function asHost({ origin }: TestApp, request: string, body?: object): Promise<void> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(origin + path, {
    method,
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${request} answered ${response.status}: ${await response.text()}`);
}
