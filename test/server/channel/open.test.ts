import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { hostToken, namedToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import { connectDoctor, openChannel } from './channel-stage.ts';

test('[HCH1] a doctor opens a health channel, active at once, with that doctor alone; asked again, on another device or after a restart, it is the same', async () => {
  await using dir = await tempDir();
  let first = '';
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using channel = await openChannel(app);
    first = channel.id;
    expect(channel.view).toMatchObject({
      kind: 'health_channel',
      phase: 'active',
      requestedBy: 'dr-an',
      subject: null,
      participants: [{ personId: 'dr-an', role: 'doctor', displayName: 'Dr. An' }],
    });
    await using tablet = await connectDoctor(app);
    expect((await tablet.request('healthChannel.open', {})).consultation.consultationId).toBe(first);
    await using other = await connectDoctor(app, 'dr-bo');
    expect((await other.request('healthChannel.open', {})).consultation.consultationId).not.toBe(first);
  }
  await using app = await startTestApp({ dataDir: dir.path });
  await using channel = await openChannel(app);
  expect(channel.id).toBe(first);
});

test('[HCH2] of many who open at the same time, on several devices of one doctor, all get one channel', async () => {
  await using app = await startTestApp();
  await using one = await connectDoctor(app);
  await using two = await connectDoctor(app);
  const asked = Array.from({ length: 10 }, (_, index) =>
    (index % 2 === 0 ? one : two).request('healthChannel.open', {}),
  );
  const ids = (await Promise.all(asked)).map(({ consultation }) => consultation.consultationId);
  expect(new Set(ids).size).toBe(1);
});

test('[HCH3] whom the token vouches for no doctor, or without a name, or for one consultation alone opens none', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation();
  const refused = {
    patient: [namedToken('pat', 'Pat'), 'FORBIDDEN'],
    nameless: [personToken('dr-an'), 'FORBIDDEN'],
    scoped: [namedToken('dr-an', 'Dr. An', 'doctor', consultationId), 'FORBIDDEN'],
  } as const;
  for (const [who, [token, code]] of Object.entries(refused)) {
    await using client = await RawClient.connect(app.origin, token);
    await expect(client.request('healthChannel.open', {}), who).rejects.toThrow(code);
  }
  await using doctor = await connectDoctor(app);
  const reply = await doctor.emit('healthChannel.open', { consultationId });
  expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID' } });
});

test('[HCH4] a channel ended by the host application makes way for a new one, and is written in no more', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id } = channel;
  const draft = await channel.draft('before-the-end');
  const end = () =>
    fetch(`${app.origin}/v1/consultations/${id}/end`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
      body: '{}',
    });
  expect((await end()).status).toBe(200);
  await expect(channel.publish(draft)).rejects.toThrow('WRONG_STATE');
  await expect(channel.draft('after-the-end')).rejects.toThrow('WRONG_STATE');
  const next = (await doctor.request('healthChannel.open', {})).consultation;
  expect(next).toMatchObject({ phase: 'active', kind: 'health_channel' });
  expect(next.consultationId).not.toBe(id);
  expect((await doctor.request('healthChannel.open', {})).consultation.consultationId).toBe(
    next.consultationId,
  );
});

test('[HCH5] time ends no channel', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  app.advance(400 * 24 * 3_600_000);
  await eventually('the server to have seen the time', async () => {
    const { at } = await channel.doctor.request('session.ping', {});
    return at > Date.now() + 399 * 24 * 3_600_000;
  });
  expect((await channel.doctor.request('healthChannel.open', {})).consultation).toMatchObject({
    consultationId: channel.id,
    phase: 'active',
  });
});

test('[HCH6] a channel is in no list and counts nothing unread, also for a token that is good for it alone', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id } = channel;
  await channel.publish(await channel.draft('listed'));
  expect(await doctor.request('consultation.list', {})).toMatchObject({ consultations: [], unread: [] });
  await using scoped = await RawClient.connect(app.origin, namedToken('dr-an', 'Dr. An', 'doctor', id));
  expect((await scoped.request('consultation.list', {})).consultations).toEqual([]);
  expect(doctor.of('consultation.changed')).toEqual([]);
  expect(doctor.of('unread.changed')).toEqual([]);
});

test('[HCH7] what has no place in a channel is refused: messages, calls, uploads, invitations, people, subject, waiting, follow-ups, an end by the doctor', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id: consultationId } = channel;
  const refused: Record<string, Promise<unknown>> = {
    message: doctor.request('message.send', {
      consultationId,
      clientMessageId: 'message-in-a-channel' as never,
      content: { type: 'text', text: 'hello' },
    }),
    call: doctor.request('call.start', { consultationId, media: 'voice' }),
    invitation: doctor.request('invitation.create', {
      purpose: 'participant',
      consultationId,
      role: 'colleague',
    }),
    subject: doctor.request('consultation.setSubject', { consultationId, subject: null }),
    waiting: doctor.request('consultation.enter', { consultationId }),
    accept: doctor.request('consultation.accept', { consultationId }),
    end: doctor.request('consultation.end', { consultationId }),
    followUp: doctor.request('followUp.plan', {
      consultationId,
      clientFollowUpId: 'follow-up-in-a-channel',
      dueAt: Date.now() + 86_400_000,
      reason: 'none',
    }),
  };
  for (const [what, asking] of Object.entries(refused))
    await expect(asking, what).rejects.toThrow('FORBIDDEN');
  const added = await fetch(`${app.origin}/v1/consultations/${consultationId}/participants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ personId: 'somebody', displayName: 'Somebody', role: 'colleague' }),
  });
  expect([added.status, await added.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
  const metadata = Object.entries({ consultationId, kind: 'image' })
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
  const upload = await fetch(`${app.origin}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${namedToken('dr-an', 'Dr. An', 'doctor')}`,
      'tus-resumable': '1.0.0',
      'upload-length': '10',
      'upload-metadata': metadata,
    },
  });
  expect(upload.status).toBe(403);
});

test('[HCH8] a channel is there for nobody but its doctor and the host application', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  await using visit = await startVisit(app);
  const { id: consultationId } = channel;
  const { note } = await channel.publish(await channel.draft('mine')).then((signed) => ({ note: signed }));
  await using other = await connectDoctor(app, 'dr-bo');
  for (const client of [other, visit.patient]) {
    const refused = {
      watch: client.request('consultation.watch', { consultationId }),
      notes: client.request('note.list', { consultationId }),
      history: client.request('note.history', { consultationId, noteId: note.noteId }),
      recordings: client.request('recording.list', { consultationId }),
    };
    for (const [what, asking] of Object.entries(refused))
      await expect(asking, what).rejects.toThrow('NOT_FOUND');
  }
});
