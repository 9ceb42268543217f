import { type RequestName, type RouteDefinition, requestNames, routes } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';
import { type FullVisit, startFullVisit } from './full-visit.ts';
import { hearing } from './leaked-visit.ts';
import {
  ENDING,
  OUTSIDERS,
  PARTICIPANTS,
  type Right,
  type Role,
  type Row,
  requestRights,
  routeRights,
} from './rights-table.ts';
import { uploadText } from './tus-upload.ts';
import { pointingRequests, unknownIds, validPayloads } from './valid-payloads.ts';

const ROLES: readonly Role[] = [...PARTICIPANTS, ...OUTSIDERS];
const MATRIX_MS = 120_000;

const rightOf = (code: string): Right => (code === 'FORBIDDEN' || code === 'NOT_FOUND' ? code : 'yes');

async function tried(visit: FullVisit, name: RequestName, role: Role): Promise<Right> {
  const reply = await visit.client(role).emit(name, visit.payload(name, role));
  return rightOf(reply.ok ? 'OK' : reply.error.code);
}

/** Cells that are not as the table says. */
async function wrongCells(
  app: TestApp,
  rights: Readonly<Record<string, Row>> = requestRights,
): Promise<string[]> {
  const wrong: string[] = [];
  await using shared = await startFullVisit(app);
  const check = async (visit: FullVisit, name: RequestName, role: Role): Promise<void> => {
    const found = await tried(visit, name, role);
    const expected = rights[name]?.[role];
    if (found !== expected) wrong.push(`${role} ${name}: ${found} instead of ${expected}`);
  };
  // Who is refused changes nothing, so all of them are refused in the same visit.
  for (const name of requestNames)
    for (const role of ROLES)
      if (!ENDING.includes(name) || rights[name]?.[role] !== 'yes') await check(shared, name, role);
  for (const name of ENDING)
    for (const role of ROLES)
      if (rights[name]?.[role] === 'yes') {
        await using own = await startFullVisit(app);
        await check(own, name, role);
      }
  return wrong;
}

test('[A4] [AUTH14] every request and every route has a row of rights', () => {
  expect(Object.keys(requestRights).toSorted()).toEqual([...requestNames].toSorted());
  expect(Object.keys(routeRights).toSorted()).toEqual(Object.keys(routes).toSorted());
});

test(
  '[A4] [AUTH14] every request is allowed and refused to every role as the table of rights says',
  async () => {
    await using app = await startTestApp(hearing);
    expect(await wrongCells(app)).toEqual([]);
  },
  MATRIX_MS,
);

test(
  '[A4 sabotage] [AUTH14 sabotage] a table that says otherwise is found out, cell by cell',
  async () => {
    await using app = await startTestApp(hearing);
    const turned = {
      ...requestRights,
      'seat.mute': { ...requestRights['seat.mute'], relative: 'yes' as const },
      'thread.page': {
        ...requestRights['thread.page'],
        removed: 'yes' as const,
        doctor: 'FORBIDDEN' as const,
      },
    };
    expect(await wrongCells(app, turned)).toEqual([
      'doctor thread.page: yes instead of FORBIDDEN',
      'removed thread.page: NOT_FOUND instead of yes',
      'relative seat.mute: FORBIDDEN instead of yes',
    ]);
  },
  MATRIX_MS,
);

test('[A4] [AUTH15] to whoever takes no part, what is there looks like what is not, by every request', async () => {
  await using app = await startTestApp(hearing);
  await using visit = await startFullVisit(app);
  const nothing = validPayloads(unknownIds);
  for (const role of OUTSIDERS)
    for (const name of pointingRequests) {
      const answer = async (payload: object) => {
        const reply = await visit.client(role).emit(name, payload);
        return reply.ok ? reply.data : { ...reply.error, requestId: '' };
      };
      const onNothing = await answer(nothing[name]);
      expect(await answer(visit.payload(name, role)), `${role} ${name}`).toEqual(onNothing);
    }
});

/** A ready attachment of the patient's. */
async function attachmentOf(app: TestApp, visit: FullVisit) {
  const attachmentId = await uploadText(app.origin, {
    token: visit.token('patient'),
    consultationId: visit.id,
    text: 'a finding',
    fileName: 'finding.txt',
  });
  const path = `/v1/consultations/${visit.id}/attachments/${attachmentId}`;
  const headers = { authorization: `Bearer ${hostToken()}` };
  await eventually('the attachment to be ready', async () => {
    const answer = await fetch(app.origin + path, { headers });
    return ((await answer.json()) as { status: string }).status === 'ready';
  });
  return attachmentId;
}

/** What of a path is no id. */
const fixed: Readonly<Record<string, string>> = { number: '0' };
/** A visit has no clips, and nothing of it is reached by this way. */
const CLIPS = ['listClips', 'getClip', 'getClipFile', 'withdrawClip'];

const bodies: Readonly<Record<string, object>> = {
  createConsultation: {
    patient: { personId: 'patient-of-the-matrix', displayName: 'Patient' },
    doctor: { personId: 'doctor-of-the-matrix', displayName: 'Doctor' },
  },
  addParticipant: { personId: 'relative-of-the-matrix', displayName: 'Relative', role: 'relative' },
};

test('[A4] [AUTH14] every route is allowed and refused to every role and to the host application as the table says', async () => {
  await using app = await startTestApp();
  await using visit = await startFullVisit(app);
  const targets: Readonly<Record<string, string>> = {
    ...visit.targets,
    attachmentId: await attachmentOf(app, visit),
  };
  const call = async (route: RouteDefinition, token: string, at = targets): Promise<Right> => {
    const path = route.path.replace(/:(\w+)/g, (_whole, name: string) => at[name] ?? fixed[name] ?? '');
    const response = await fetch(app.origin + path, {
      method: route.method.toUpperCase(),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(route.body !== undefined && { body: JSON.stringify(bodies[route.operationId] ?? {}) }),
    });
    const text = await response.text();
    return rightOf(response.ok ? 'OK' : (JSON.parse(text) as { code: string }).code);
  };
  const wrong: string[] = [];
  const table = Object.entries<RouteDefinition>(routes);
  for (const [name, route] of table)
    for (const role of ROLES) {
      const expected = (routeRights as Readonly<Record<string, Row>>)[name]?.[role];
      const found = await call(route, visit.token(role));
      if (found !== expected) wrong.push(`${role} ${name}: ${found} instead of ${expected}`);
      // Also where there is nothing, a person is refused in the same words.
      const onNothing = await call(route, visit.token(role), unknownIds);
      const isOutside = (OUTSIDERS as readonly Role[]).includes(role);
      if (isOutside && onNothing !== found) wrong.push(`${role} ${name}: ${onNothing} for nothing`);
    }
  // The host application comes last: it takes people and messages out, and ends the visit.
  const last = ['removeMessage', 'removeParticipant', 'endConsultation'];
  for (const [name, route] of table.toSorted(([one], [other]) => last.indexOf(one) - last.indexOf(other))) {
    const found = await call(route, hostToken());
    if (found !== (CLIPS.includes(name) ? 'NOT_FOUND' : 'yes')) wrong.push(`host ${name}: ${found}`);
  }
  expect(wrong).toEqual([]);
});

test('[A4] [AUTH5] the host application has no socket, whatever it would ask', async () => {
  await using app = await startTestApp();
  await expect(RawClient.connect(app.origin, hostToken())).rejects.toThrow('FORBIDDEN');
});
