import { ClientMessageId, ConsultationView, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { call } from './rest-client.ts';

const token = hostToken();
const people = {
  patient: { personId: 'patient-1', displayName: '王小明' },
  doctor: { personId: 'doctor-1', displayName: '李医生' },
};
const subject = {
  displayName: '王小花',
  relationship: 'child',
  birthYear: 2020,
  authorisation: { basis: 'guardian', reference: 'file 17' },
};
const relative = { personId: 'relative-1', displayName: '王丽', role: 'relative' };
const refusal = (status: number, code: string) => ({ status, body: { code } });

test('[REST11] a consultation for somebody else says for whom, and since when that is authorised by the server’s clock', async () => {
  await using app = await startTestApp();
  const before = Date.now();
  const { status, body } = await call(app, 'POST /v1/consultations', {
    token,
    body: { ...people, subject },
  });
  expect(status).toBe(201);
  const view = ConsultationView.parse(body);
  expect(view.subject).toMatchObject(subject);
  expect(view.subject?.authorisedAt).toBeGreaterThanOrEqual(before);
  expect(view.subject?.authorisedAt).toBeLessThanOrEqual(Date.now());
  await using patient = await RawClient.connect(app.origin, personToken('patient-1'));
  const { consultationId } = view;
  const { consultation } = await patient.request('consultation.watch', { consultationId });
  expect(consultation.subject).toEqual(view.subject);
});

test('[REST11] the host application cannot backdate an authorisation, nor leave it out', async () => {
  await using app = await startTestApp();
  const { authorisation: _left, ...unauthorised } = subject;
  for (const wrong of [
    { ...subject, authorisedAt: 1 },
    unauthorised,
    { ...subject, authorisation: { basis: 'because' } },
  ])
    expect(
      await call(app, 'POST /v1/consultations', { token, body: { ...people, subject: wrong } }),
    ).toMatchObject(refusal(400, 'INVALID'));
});

test('[REST11] a repeated key with another subject is a CONFLICT', async () => {
  await using app = await startTestApp();
  const create = (body: object) =>
    call(app, 'POST /v1/consultations', { token, body, headers: { 'idempotency-key': 'key-1' } });
  const first = await create({ ...people, subject });
  expect(await create({ ...people, subject })).toMatchObject({ status: 200, body: first.body });
  expect(await create(people)).toMatchObject(refusal(409, 'CONFLICT'));
});

test('[REST12] the host application draws a person in, again without change, and takes them out', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const path = `/v1/consultations/${visit.id}/participants` as const;
  const added = await call(app, `POST ${path}`, { token, body: relative });
  expect(added).toMatchObject({ status: 200 });
  expect(ConsultationView.parse(added.body).participants.at(-1)).toEqual(relative);
  expect((await call(app, `POST ${path}`, { token, body: relative })).body).toEqual(added.body);
  expect(
    await call(app, `POST ${path}`, { token, body: { ...relative, role: 'interpreter' } }),
  ).toMatchObject(refusal(409, 'CONFLICT'));
  await using guest = await RawClient.connect(app.origin, personToken('relative-1'));
  await guest.request('consultation.watch', { consultationId: visit.id });
  const removed = await call(app, `DELETE ${path}/relative-1`, { token });
  expect(ConsultationView.parse(removed.body).participants).toHaveLength(2);
  expect(await call(app, `DELETE ${path}/relative-1`, { token })).toMatchObject(refusal(404, 'NOT_FOUND'));
  await guest.fact('consultation.left');
  expect(await guest.emit('thread.page', { consultationId: visit.id })).toMatchObject({
    error: { code: 'NOT_FOUND' },
  });
  expect(
    await call(app, `GET /v1/consultations/${visit.id}`, { token: personToken('relative-1') }),
  ).toMatchObject(refusal(404, 'NOT_FOUND'));
});

test('[REST12] patient and doctor are neither added nor taken out, and nobody after the end', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { patient, doctor } = peopleOf(visit.view);
  const path = `/v1/consultations/${visit.id}/participants` as const;
  for (const role of ['patient', 'doctor', 'nurse'])
    expect(await call(app, `POST ${path}`, { token, body: { ...relative, role } })).toMatchObject(
      refusal(400, 'INVALID'),
    );
  for (const person of [patient, doctor])
    expect(await call(app, `DELETE ${path}/${person}`, { token })).toMatchObject(refusal(409, 'WRONG_STATE'));
  for (const person of ['unknown', 'no%20person', '-dash'])
    expect(await call(app, `DELETE ${path}/${person}`, { token })).toMatchObject(refusal(404, 'NOT_FOUND'));
  await call(app, `POST /v1/consultations/${visit.id}/end`, { token, body: {} });
  expect(await call(app, `POST ${path}`, { token, body: relative })).toMatchObject(
    refusal(409, 'WRONG_STATE'),
  );
});

test('[REST13] a message that the host application takes out is a tombstone everywhere, with its reason, and once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await patient.request('message.send', {
    consultationId: id,
    clientMessageId: ClientMessageId.parse('message-0001'),
    content: textDraft('what should not be read'),
  });
  const path = `/v1/consultations/${id}/messages` as const;
  const remove = (which: string) =>
    call(app, `POST ${path}/${which}/remove`, { token, body: { reason: 'against the rules' } });
  const removed = await remove(`${sequence}`);
  expect(removed.status).toBe(200);
  expect(Entry.parse(removed.body)).toMatchObject({ kind: 'message.removed', target: sequence, by: null });
  expect((await remove(`${sequence}`)).body).toEqual(removed.body);
  await doctor.fact('entry.added', ({ kind }) => kind === 'message.removed');
  const { entries } = await doctor.request('thread.page', { consultationId: id });
  expect(entries.filter(({ kind }) => kind === 'message.removed')).toHaveLength(1);
  expect(JSON.stringify(entries)).not.toContain('what should not be read');
  for (const which of ['1', '999', '0', 'x', '1.5', '-1'])
    expect(await remove(which), which).toMatchObject(refusal(404, 'NOT_FOUND'));
});

test('[REST14] no participant manages people or messages by REST, whatever their role', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const path = `/v1/consultations/${visit.id}` as const;
  const { patient, doctor } = peopleOf(visit.view);
  for (const person of [patient, doctor, 'stranger']) {
    const by = { token: personToken(person) };
    for (const answer of [
      await call(app, `POST ${path}/participants`, { ...by, body: relative }),
      await call(app, `DELETE ${path}/participants/${patient}`, by),
      await call(app, `POST ${path}/messages/1/remove`, { ...by, body: {} }),
    ])
      expect(answer, person).toMatchObject(refusal(403, 'FORBIDDEN'));
  }
});
