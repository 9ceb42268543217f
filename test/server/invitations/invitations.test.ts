import { createHash } from 'node:crypto';
import { ClientMessageId, InvitationCode, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { namedToken, personToken } from '../../helpers/test-tokens.ts';
import { codeFor, connect, visitOf } from './invited.ts';

const codeOf = (text: string) => InvitationCode.parse(text);
const NO_SUCH_CODE = codeOf('z'.repeat(32));
const refused = (code: string) => ({ ok: false, error: { code } });

test('[INV1] a patient draws in a relative by a code that says who invites, and everybody is told', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  await doctor.request('consultation.watch', { consultationId });
  const code = codeOf(await codeFor(patient, consultationId, 'relative'));
  await using relative = await connect(app, 'relative-1');
  expect(await relative.request('invitation.preview', { code })).toMatchObject({
    purpose: 'participant',
    invitedBy: 'Name of patient-one',
    role: 'relative',
  });
  const { consultation } = await relative.request('invitation.redeem', { code });
  expect(consultation.participants.at(-1)).toEqual({
    personId: 'relative-1',
    role: 'relative',
    displayName: 'Name of relative-1',
  });
  await doctor.fact('entry.added', ({ kind }) => kind === 'participant.joined');
  const { consultations } = await relative.request('consultation.list', {});
  expect(consultations.map((one) => one.consultationId)).toEqual([consultationId]);
});

test('[INV1] who may invite whom: patients relatives and interpreters, doctors anybody, guests nobody', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  const invite = (by: RawClient, role: string) =>
    by.emit('invitation.create', { purpose: 'participant', consultationId, role });
  for (const role of ['relative', 'interpreter', 'colleague'])
    expect(await invite(doctor, role), role).toMatchObject({ ok: true });
  for (const role of ['relative', 'interpreter'])
    expect(await invite(patient, role), role).toMatchObject({ ok: true });
  expect(await invite(patient, 'colleague')).toMatchObject(refused('FORBIDDEN'));
  await using guest = await connect(app, 'guest');
  expect(await invite(guest, 'relative')).toMatchObject(refused('NOT_FOUND'));
  const code = codeOf(await codeFor(doctor, consultationId, 'interpreter'));
  await guest.request('invitation.redeem', { code });
  expect(await invite(guest, 'relative')).toMatchObject(refused('FORBIDDEN'));
  await using nameless = await RawClient.connect(app.origin, personToken('patient-one'));
  expect(await invite(nameless, 'relative')).toMatchObject(refused('INVALID'));
  await patient.request('consultation.cancel', { consultationId });
  expect(await invite(doctor, 'relative')).toMatchObject(refused('WRONG_STATE'));
});

test('[INV2] of ten people with one code at once one joins; the others learn that it was used', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const code = codeOf(await codeFor(visit.patient, visit.consultationId, 'relative'));
  await using stack = new AsyncDisposableStack();
  const guests = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => stack.use(await connect(app, `guest-${index}`))),
  );
  const replies = await Promise.all(guests.map((guest) => guest.emit('invitation.redeem', { code })));
  const codes = replies.map((reply) => (reply.ok ? 'OK' : reply.error.code));
  expect(codes.filter((one) => one === 'OK')).toHaveLength(1);
  expect(codes.filter((one) => one === 'EXPIRED')).toHaveLength(9);
  const winner = guests[codes.indexOf('OK')];
  const again = await winner?.request('invitation.redeem', { code });
  expect(again?.consultation.participants).toHaveLength(3);
});

test('[INV3] unknown, expired, revoked and used codes look the same, by preview and by redeeming', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient } = visit;
  const expired = codeOf(await codeFor(patient, consultationId, 'relative', 60_000));
  const used = codeOf(await codeFor(patient, consultationId, 'relative'));
  const { code: revoked, invitationId } = await patient.request('invitation.create', {
    purpose: 'participant',
    consultationId,
    role: 'relative',
  });
  await using first = await connect(app, 'first');
  await first.request('invitation.redeem', { code: used });
  await patient.request('invitation.revoke', { invitationId });
  app.advance(60_000);
  await using second = await connect(app, 'second');
  const bodies = new Set<string>();
  for (const name of ['invitation.preview', 'invitation.redeem'] as const)
    for (const code of [expired, used, revoked, NO_SUCH_CODE]) {
      const reply = await second.emit(name, { code });
      bodies.add(JSON.stringify(reply.ok ? reply : { ...reply.error, requestId: '' }));
    }
  expect([...bodies]).toHaveLength(1);
  expect([...bodies][0]).toContain('"EXPIRED"');
});

test('[INV6] one’s own invitation, a doctor’s by somebody else, and a token without a name are refused without using the code up', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  const code = codeOf(await codeFor(doctor, consultationId, 'colleague'));
  expect(await doctor.emit('invitation.redeem', { code })).toMatchObject(refused('FORBIDDEN'));
  // The patient is there already, in another role.
  expect(await patient.emit('invitation.redeem', { code })).toMatchObject(refused('FORBIDDEN'));
  await using layman = await connect(app, 'layman');
  expect(await layman.emit('invitation.redeem', { code })).toMatchObject(refused('FORBIDDEN'));
  await using nameless = await RawClient.connect(app.origin, personToken('nameless'));
  expect(await nameless.emit('invitation.redeem', { code })).toMatchObject(refused('INVALID'));
  const forRelative = codeOf(await codeFor(doctor, consultationId, 'relative'));
  expect(await patient.emit('invitation.redeem', { code: forRelative })).toMatchObject(refused('CONFLICT'));
  await using colleague = await connect(app, 'colleague', 'doctor');
  expect(await colleague.emit('invitation.redeem', { code })).toMatchObject({ ok: true });
});

test('[INV6] a code into a consultation that has ended is worth nothing, and one into a full one is not used up', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  await using stack = new AsyncDisposableStack();
  const guests: RawClient[] = [];
  for (let count = 0; count < 7; count++) guests.push(stack.use(await connect(app, `guest-${count}`)));
  const last = codeOf(await codeFor(patient, consultationId, 'relative'));
  for (const guest of guests.slice(0, 6)) {
    const code = codeOf(await codeFor(patient, consultationId, 'relative'));
    await guest.request('invitation.redeem', { code });
  }
  const seventh = guests[6];
  expect(await seventh?.emit('invitation.redeem', { code: last })).toMatchObject(refused('WRONG_STATE'));
  await guests[0]?.request('participant.leave', { consultationId });
  expect(await seventh?.emit('invitation.redeem', { code: last })).toMatchObject({ ok: true });
  const late = codeOf(await codeFor(doctor, consultationId, 'relative'));
  await patient.request('consultation.cancel', { consultationId });
  expect(await guests[0]?.emit('invitation.redeem', { code: late })).toMatchObject(refused('EXPIRED'));
  // Whoever came by a code and takes part still gets their answer.
  expect(await seventh?.emit('invitation.redeem', { code: last })).toMatchObject({ ok: true });
});

test('[INV8] who was taken out does not come back by the code they came with', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  const code = codeOf(await codeFor(patient, consultationId, 'relative'));
  await using relative = await connect(app, 'relative-1');
  await relative.request('invitation.redeem', { code });
  await relative.request('consultation.watch', { consultationId });
  await doctor.request('participant.remove', { consultationId, personId: PersonId.parse('relative-1') });
  expect(await relative.emit('invitation.redeem', { code })).toMatchObject(refused('EXPIRED'));
  expect(await relative.emit('consultation.watch', { consultationId })).toMatchObject(refused('NOT_FOUND'));
});

test('[INV8] a person who is taken out hears nothing more of the thread on any device', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  const code = codeOf(await codeFor(patient, consultationId, 'relative'));
  await using relative = await connect(app, 'relative-1');
  await relative.request('invitation.redeem', { code });
  await using scoped = await RawClient.connect(app.origin, personToken('relative-1', consultationId));
  for (const device of [relative, scoped, patient])
    await device.request('consultation.watch', { consultationId });
  await doctor.request('participant.remove', { consultationId, personId: PersonId.parse('relative-1') });
  await relative.fact('consultation.left');
  const content = { type: 'text' as const, text: 'between us' };
  await patient.request('message.send', {
    consultationId,
    clientMessageId: ClientMessageId.parse('message-0001'),
    content,
  });
  await patient.fact('entry.added', ({ kind }) => kind === 'message.sent');
  for (const device of [relative, scoped]) {
    await device.request('session.ping', {});
    expect(device.of('entry.added').filter(({ kind }) => kind === 'message.sent')).toEqual([]);
  }
});

test('[INV5] a person has at most twenty open invitations, also when they are asked for at once', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient } = visit;
  const wish = { purpose: 'participant', consultationId, role: 'relative' };
  const replies = await Promise.all(
    Array.from({ length: 30 }, () => patient.emit('invitation.create', wish)),
  );
  expect(replies.filter(({ ok }) => ok)).toHaveLength(20);
  for (const reply of replies.filter(({ ok }) => !ok)) expect(reply).toMatchObject(refused('RATE_LIMITED'));
  const [first] = replies.filter((reply) => reply.ok);
  const { invitationId } = (first?.ok ? first.data : {}) as { invitationId: string };
  await patient.emit('invitation.revoke', { invitationId });
  expect(await patient.emit('invitation.create', wish)).toMatchObject({ ok: true });
});

test('[INV7] an invitation is taken back by its creator alone, as long as nobody has it', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient, doctor } = visit;
  const wish = { purpose: 'participant' as const, consultationId, role: 'relative' as const };
  const { invitationId, code } = await patient.request('invitation.create', wish);
  expect(await doctor.emit('invitation.revoke', { invitationId })).toMatchObject(refused('NOT_FOUND'));
  await using relative = await connect(app, 'relative-1');
  await relative.request('invitation.redeem', { code });
  expect(await patient.emit('invitation.revoke', { invitationId })).toMatchObject(refused('NOT_FOUND'));
});

test('[INV9] codes are guessed ten times in ten minutes and no more, and nobody else is held up', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const code = codeOf(await codeFor(visit.patient, visit.consultationId, 'relative'));
  await using guesser = await connect(app, 'guesser');
  const guesses = await Promise.all(
    Array.from({ length: 30 }, () => guesser.emit('invitation.preview', { code: NO_SUCH_CODE })),
  );
  const codes = guesses.map((reply) => (reply.ok ? 'OK' : reply.error.code));
  expect(codes.filter((one) => one === 'EXPIRED')).toHaveLength(10);
  expect(codes.filter((one) => one === 'RATE_LIMITED')).toHaveLength(20);
  expect(await guesser.emit('invitation.redeem', { code })).toMatchObject(refused('RATE_LIMITED'));
  await using other = await connect(app, 'other');
  for (let count = 0; count < 15; count++) await other.request('invitation.preview', { code });
  expect(await other.emit('invitation.redeem', { code })).toMatchObject({ ok: true });
});

test('[INV10] codes are in no log, and in the database as hashes alone; names of inviters lie sealed', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const code = codeOf(await codeFor(visit.patient, visit.consultationId, 'relative'));
  await using relative = await connect(app, 'relative-1');
  await relative.request('invitation.redeem', { code });
  expect(app.logs.join()).not.toContain(code);
  expect(app.logs.join()).toContain('invitation.redeemed');
  const stored = await app.store.invitations.findInvitation(createHash('sha256').update(code).digest());
  expect(stored).toMatchObject({ redeemedBy: 'relative-1', completed: true });
  expect(JSON.stringify(stored)).not.toContain(code);
  expect(Buffer.from(stored?.sealed ?? []).toString('latin1')).not.toContain('Name of patient');
});

test('[INV11] a token for one consultation invites into that one, and accepts nothing', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient } = visit;
  const token = namedToken('patient-one', 'Patient', undefined, consultationId);
  await using device = await RawClient.connect(app.origin, token);
  const wish = { purpose: 'participant', role: 'relative' };
  const { consultationId: other } = await app.createConsultation('one');
  expect(await device.emit('invitation.create', { ...wish, consultationId })).toMatchObject({ ok: true });
  expect(await device.emit('invitation.create', { ...wish, consultationId: other })).toMatchObject(
    refused('NOT_FOUND'),
  );
  expect(await device.emit('invitation.create', { purpose: 'colleague' })).toMatchObject(
    refused('FORBIDDEN'),
  );
  const { code, invitationId } = await patient.request('invitation.create', {
    purpose: 'participant',
    role: 'relative',
    consultationId,
  });
  for (const [name, payload] of [
    ['invitation.preview', { code }],
    ['invitation.redeem', { code }],
    ['invitation.revoke', { invitationId }],
  ] as const)
    expect(await device.emit(name, payload), name).toMatchObject(refused('FORBIDDEN'));
});

test('[INV12] a doctor scans a colleague’s code, and their thread is active at once', async () => {
  await using app = await startTestApp();
  await using one = await connect(app, 'dr-one', 'doctor');
  await using two = await connect(app, 'dr-two', 'doctor');
  await using layman = await connect(app, 'layman');
  expect(await layman.emit('invitation.create', { purpose: 'colleague' })).toMatchObject(
    refused('FORBIDDEN'),
  );
  const { code } = await one.request('invitation.create', { purpose: 'colleague' });
  expect(await layman.emit('invitation.redeem', { code })).toMatchObject(refused('FORBIDDEN'));
  expect(await two.request('invitation.preview', { code })).toMatchObject({
    purpose: 'colleague',
    invitedBy: 'Name of dr-one',
    role: null,
  });
  const { consultation } = await two.request('invitation.redeem', { code });
  expect(consultation).toMatchObject({ kind: 'colleagues', phase: 'active', requestedBy: 'dr-one' });
  expect(consultation.participants).toEqual([
    { personId: 'dr-one', role: 'doctor', displayName: 'Name of dr-one' },
    { personId: 'dr-two', role: 'doctor', displayName: 'Name of dr-two' },
  ]);
  await one.fact('consultation.changed', ({ phase }) => phase === 'active');
  expect((await two.request('invitation.redeem', { code })).consultation.consultationId).toBe(
    consultation.consultationId,
  );
});

test('[INV4] a claim that the server did not live to carry out goes on when its person asks again, and makes one thread', async () => {
  let dies = 0;
  await using app = await startTestApp({}, (store) => ({
    // The thread is written, and the server dies before it has heard of that.
    create: async (consultation) => {
      const result = await store.create(consultation);
      if (dies-- > 0) throw new Error('the power fails');
      return result;
    },
  }));
  await using one = await connect(app, 'dr-one', 'doctor');
  await using two = await connect(app, 'dr-two', 'doctor');
  const { code } = await one.request('invitation.create', { purpose: 'colleague' });
  dies = 1;
  expect(await two.emit('invitation.redeem', { code })).toMatchObject(refused('INTERNAL'));
  await using three = await connect(app, 'dr-three', 'doctor');
  expect(await three.emit('invitation.redeem', { code })).toMatchObject(refused('EXPIRED'));
  const { consultation } = await two.request('invitation.redeem', { code });
  expect(consultation.phase).toBe('active');
  const { consultations } = await two.request('consultation.list', {});
  expect(consultations).toHaveLength(1);
});

test('[INV4] a claim into a visit goes on too, and a person is drawn in once', async () => {
  let fails = 0;
  await using app = await startTestApp({}, (store) => ({
    append: async (commit) => {
      if ((commit.joined?.length ?? 0) > 0 && fails-- > 0) throw new Error('the power fails');
      return store.append(commit);
    },
  }));
  await using visit = await visitOf(app, 'one');
  const { consultationId, patient } = visit;
  const code = codeOf(await codeFor(patient, consultationId, 'relative'));
  await using relative = await connect(app, 'relative-1');
  fails = 1;
  expect(await relative.emit('invitation.redeem', { code })).toMatchObject({ ok: false });
  const { consultation } = await eventually('the claim to go on', () =>
    relative.request('invitation.redeem', { code }).catch(() => null),
  );
  expect(consultation.participants.filter(({ personId }) => personId === 'relative-1')).toHaveLength(1);
});

test('[INV5] what expired a day ago is forgotten', async () => {
  await using app = await startTestApp();
  await using visit = await visitOf(app, 'one');
  const code = codeOf(await codeFor(visit.patient, visit.consultationId, 'relative', 60_000));
  const hash = createHash('sha256').update(code).digest();
  await app.store.invitations.sweepInvitations(Date.now());
  expect(await app.store.invitations.findInvitation(hash)).not.toBeNull();
  await app.store.invitations.sweepInvitations(Date.now() + 61_000);
  expect(await app.store.invitations.findInvitation(hash)).toBeNull();
});
