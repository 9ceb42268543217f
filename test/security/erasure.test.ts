import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ConsultationId } from '@teleconsult/protocol';
import { shred } from '@teleconsult/server/vault/shred';
import { expect, test } from 'vitest';
import { DiskObjectStore } from '../../server/storage/objects/disk.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { createConsultation, peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft } from '../helpers/visit.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function erase(
  app: TestApp,
  id: ConsultationId,
  letGo = (one: ConsultationId) => app.app.host.letGo(one),
) {
  return shred(
    {
      records: app.store.erasure,
      objects: DiskObjectStore.beside(join(app.dataDir, 'objects')),
      letGo,
      log: silent,
    },
    id,
  );
}

function wrappedKeyOf(app: TestApp, id: ConsultationId): Buffer {
  const db = new DatabaseSync(join(app.dataDir, 'teleconsult.db'), { readOnly: true });
  const row = db.prepare('SELECT wrapped_key FROM consultation WHERE consultation_id = ?').get(id);
  db.close();
  return Buffer.from((row?.['wrapped_key'] as Uint8Array | undefined) ?? []);
}

/** A consultation that is in memory, with somebody who watches and has written. */
async function openWatched(app: TestApp) {
  const view = await createConsultation(app.origin, hostToken());
  const { consultationId } = view;
  const patient = await RawClient.connect(app.origin, personToken(peopleOf(view).patient));
  await patient.request('consultation.enter', { consultationId });
  const say = (text: string) =>
    patient.emit('message.send', {
      consultationId,
      clientMessageId: `m-${text.replaceAll(' ', '-')}`,
      content: textDraft(text),
    });
  expect(await say('it hurts here')).toMatchObject({ ok: true });
  const read = () => patient.emit('thread.page', { consultationId, afterSequence: 0, limit: 10 });
  return { consultationId, say, read, [Symbol.asyncDispose]: () => patient[Symbol.asyncDispose]() };
}

test('[E9] [VLT59] what is erased while a server holds it in memory can be read, written and listed no more', async () => {
  await using app = await startTestApp();
  await using visit = await openWatched(app);
  const { consultationId } = visit;
  expect(await visit.read()).toMatchObject({ ok: true });
  const secret = wrappedKeyOf(app, consultationId).subarray(-48);
  expect(await erase(app, consultationId)).toMatchObject({ wasThere: true, scrubbed: true });
  for (const answer of [await visit.read(), await visit.say('and here')])
    expect(answer).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  const listed = await fetch(`${app.origin}/v1/consultations/${consultationId}`, {
    headers: { authorization: `Bearer ${hostToken()}` },
  });
  expect(listed.status).toBe(404);
  for (const name of await readdir(app.dataDir))
    if (name.startsWith('teleconsult.db'))
      expect((await readFile(join(app.dataDir, name))).includes(secret), name).toBe(false);
});

test('[E9] [VLT59] messages that are sent while it is erased are lost with it, and bring nothing back', async () => {
  await using app = await startTestApp();
  await using visit = await openWatched(app);
  const sending = Array.from({ length: 50 }, (_, number) => visit.say(`number ${number}`));
  await erase(app, visit.consultationId);
  await Promise.all(sending);
  expect(wrappedKeyOf(app, visit.consultationId)).toHaveLength(0);
  expect(await visit.read()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  expect(await app.store.page(visit.consultationId, { after: 0, limit: 1 })).toEqual([]);
  app.advance(86_400_000);
  expect(await app.store.due(Number.MAX_SAFE_INTEGER, 100)).not.toContain(visit.consultationId);
});

test('[E9 sabotage] a server that does not let go is seen to serve what was erased', async () => {
  await using app = await startTestApp();
  await using visit = await openWatched(app);
  await erase(app, visit.consultationId, async () => undefined);
  expect(await visit.say('and here')).toMatchObject({ ok: true });
});

test('[VLT59] a consultation with a running call is not erased, and goes on', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await startCall(visit);
  await expect(erase(app, visit.id)).rejects.toMatchObject({ code: 'WRONG_STATE' });
  expect(wrappedKeyOf(app, visit.id).byteLength).toBeGreaterThan(300);
});
