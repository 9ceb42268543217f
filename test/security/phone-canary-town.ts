/** A whole server with masked calls, and people whose numbers are canaries. All that leaves the server is kept. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ConsultationView, RequestInput, RequestName } from '@teleconsult/protocol';
import { readConfig } from '@teleconsult/server/config';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { openTelephony } from '@teleconsult/server/telephony/open-telephony';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { type Findings, scan } from '../server/storage/plaintext-scan.ts';
import { digitsOf, Evidence } from './phone-evidence.ts';

export interface Town extends AsyncDisposable {
  readonly app: TestApp;
  readonly evidence: Evidence;
  /** REST as the host application, whatever is answered. */
  rest(method: string, path: string, body?: unknown): Promise<number>;
  visit(numbers: readonly [doctor: string, patient: string]): Promise<TownVisit>;
  /** Looks through every file that the server has. */
  scan(numbers: readonly string[]): Promise<Findings>;
  /** What it says of itself now: metrics, audit trail, logs. */
  look(): Promise<void>;
}

export interface TownVisit extends AsyncDisposable {
  readonly id: ConsultationView['consultationId'];
  readonly people: ReturnType<typeof peopleOf>;
  readonly doctor: Asker;
  readonly patient: Asker;
}

/** A device all of whose answers and facts are evidence. Refusals are no failure. */
export interface Asker {
  readonly client: RawClient;
  ask<N extends RequestName>(name: N, payload: RequestInput<N>): Promise<unknown>;
}

export async function startTown(env: Readonly<Record<string, string>>): Promise<Town> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const evidence = new Evidence();
  const hooks = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => void parts.push(part));
    request.on('end', () => {
      evidence.add('webhooks to the host', [request.headers, Buffer.concat(parts).toString()]);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(hooks, 'listening');
  stack.defer(async () => {
    hooks.closeAllConnections();
    await new Promise((resolve) => hooks.close(resolve));
  });
  const { phone } = readConfig({
    TELECONSULT_PHONE_PAIRS_PER_NUMBER: '5000',
    TELECONSULT_PHONE_COOL_DOWN_MS: '0',
    TELECONSULT_PHONE_RECORD: 'ask',
    TELECONSULT_PHONE_LANGUAGE: 'en',
    ...env,
  });
  if (phone === null) throw new Error('no telephony');
  const dataDir = dir.path;
  const app = stack.use(
    await startTestApp({
      dataDir,
      webhook: {
        url: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`,
        secret: 'a-secret-of-at-least-32-characters',
      },
      telephonyOf: ({ store, vault, log, clock }) =>
        openTelephony(phone, {
          store: store.phone,
          vault,
          ids: randomIds,
          clock,
          log,
          folder: join(dataDir, 'phone-calls'),
        }),
    }),
  );
  const owned = stack.move();
  const town: Town = {
    app,
    evidence,
    async rest(method, path, body) {
      const response = await fetch(app.origin + path, {
        method,
        headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      evidence.add('answers to the host', [...response.headers, await response.text()]);
      return response.status;
    },
    async visit([doctorNumber, patientNumber]) {
      const view = await app.createConsultation();
      const people = peopleOf(view);
      const id = view.consultationId;
      await town.rest('PUT', `/v1/people/${people.doctor}/phone-number`, { number: doctorNumber });
      // As people write it.
      const written = digitsOf(patientNumber).replace(/(\d{3})(\d{4})(\d{4})/, '$1 $2-$3');
      await town.rest('PUT', `/v1/people/${people.patient}/phone-number`, { number: written });
      const asker = async (person: string): Promise<Asker> => {
        const client = await RawClient.connect(app.origin, personToken(person));
        return {
          client,
          ask: async (name, payload) => {
            const reply = await client.emit(name, payload);
            evidence.add('answers to devices', reply);
            return reply.ok ? reply.data : null;
          },
        };
      };
      const [doctor, patient] = [await asker(people.doctor), await asker(people.patient)];
      for (const one of [doctor, patient]) await one.ask('consultation.watch', { consultationId: id });
      await patient.ask('consultation.enter', { consultationId: id });
      await doctor.ask('consultation.accept', { consultationId: id });
      return {
        id,
        people,
        doctor,
        patient,
        async [Symbol.asyncDispose]() {
          for (const { client } of [doctor, patient]) {
            evidence.add('facts to devices', client.facts);
            await client[Symbol.asyncDispose]();
          }
        },
      };
    },
    scan: (numbers) => scan(dataDir, numbers.map(digitsOf)),
    async look() {
      const metrics = await fetch(`${app.origin}/metrics`);
      evidence.add('metrics', await metrics.text());
      evidence.add('openapi', await (await fetch(`${app.origin}/v1/openapi.json`)).text());
      const db = new DatabaseSync(join(dataDir, 'teleconsult.db'), { readOnly: true });
      for (const row of db.prepare('SELECT * FROM audit').all())
        evidence.add('audit', Object.values(row).map(String));
      db.close();
      for (const line of app.logs) evidence.add('logs', line);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return town;
}

/** The relay number of a visit, asked for until there is one: what fails for one visit may be meant for another. */
export async function boundNumber({ id, doctor }: TownVisit): Promise<string> {
  let asked = 0;
  return eventually(
    'a relay number',
    async () => {
      asked += 1;
      const answer = (await doctor.ask('phone.bind', {
        consultationId: id,
        clientBindingId: `client-first-${asked}`,
        recorded: true,
      })) as { board: { bindings: readonly { state: string; number: string | null }[] } } | null;
      return answer?.board.bindings.find(({ state }) => state === 'bound')?.number;
    },
    { withinMs: 30_000 },
  );
}

/** Everybody asks for what they see, right and wrong; the visit ends. */
export async function restOfVisit(town: Town, visit: TownVisit, canary: string): Promise<void> {
  const { id: consultationId, doctor, patient, people } = visit;
  const path = (person: string): string => `/v1/people/${person}/phone-number`;
  const digits = digitsOf(canary);
  for (const number of [`${digits}00`, `x${digits}`, `+44${digits}`, `${digits};ext=5`, { digits }])
    await town.rest('PUT', path(people.patient), { number });
  await town.rest('PUT', path('nobody-of-this-clinic'), { number: digits });
  await town.rest('GET', `/v1/consultations/${consultationId}/phone`);
  await town.rest('GET', `${path(people.patient)}?number=${digits}`);
  for (const one of [doctor, patient]) {
    await one.ask('phone.get', { consultationId });
    await one.client.emit('phone.bind', { consultationId, clientBindingId: digits, direction: canary });
    town.evidence.add('answers to devices', await one.client.emit('phone.unbind', { bindingId: canary }));
  }
  await patient.ask('phone.setRefused', { consultationId, refused: true });
  await doctor.ask('phone.bind', { consultationId, clientBindingId: 'client-0002' });
  await patient.ask('phone.setRefused', { consultationId, refused: false });
  await doctor.ask('phone.bind', {
    consultationId,
    clientBindingId: 'client-0003',
    direction: 'doctor_calls',
  });
  await doctor.ask('consultation.end', { consultationId });
  await eventually('the number is given back', async () => {
    const answer = (await doctor.ask('phone.get', { consultationId })) as {
      board: { bindings: readonly { state: string }[] };
    } | null;
    return answer?.board.bindings.every(({ state }) => state === 'unbound') === true;
  });
  await doctor.ask('thread.page', { consultationId });
  await patient.ask('thread.page', { consultationId });
  await town.rest('DELETE', path(people.patient));
}
