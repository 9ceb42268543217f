import type { ClientMessageId, ConsultationId } from '@teleconsult/protocol';
import type { ConsultationStore } from '@teleconsult/server/host/ports';
import { expect, test } from 'vitest';
import type { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft, type Visit } from '../../helpers/visit.ts';
import { pdf } from '../uploads/samples.ts';
import { idOf, TusClient } from '../uploads/tus-client.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const TRIES = 200;
const text = (number: number) => `message ${number} ${'x'.repeat(2_000)}`;
const clientMessageId = (number: number) => `message-${String(number).padStart(4, '0')}` as ClientMessageId;

const send = (client: RawClient, id: ConsultationId, number: number) =>
  client.emit('message.send', {
    consultationId: id,
    clientMessageId: clientMessageId(number),
    content: textDraft(text(number)),
  });

/** Sends until one is refused; answers the number of the refused one and what it was refused with. */
async function sendUntilRefused({ id, patient }: Visit) {
  for (let number = 1; number <= TRIES; number += 1) {
    const reply = await send(patient, id, number);
    if (!reply.ok) return { number, error: reply.error };
  }
  return null;
}

const page = (client: RawClient, id: ConsultationId) =>
  client.request('thread.page', { consultationId: id, afterSequence: 0, limit: 200 });

const messagesIn = (entries: readonly { kind: string; content?: unknown }[]): string[] =>
  entries.flatMap(({ kind, content }) =>
    kind === 'message.sent' ? [(content as { text: string }).text] : [],
  );

/** Fills the disk under a visit with a running call, frees it again, and tells what was not as it must be. */
async function violations(
  disk: SmallDisk,
  wrap: (store: ConsultationStore) => Partial<ConsultationStore>,
): Promise<string[]> {
  const found: string[] = [];
  await using app = await startTestApp({ dataDir: disk.path }, wrap);
  await using visit = await startVisit(app);
  const { id, view, patient, doctor } = visit;
  await startCall(visit);
  const tus = new TusClient(app.origin, personToken(peopleOf(view).patient));
  const file = pdf(1_500_000);
  const upload = { consultationId: id, kind: 'file', byteSize: file.byteLength, fileName: 'a.pdf' } as const;
  const { location } = await tus.create(upload);

  await disk.fill();
  const refused = await sendUntilRefused(visit);
  if (refused === null) return ['no message was refused'];
  const { number, error } = refused;
  if (error.code !== 'STORAGE_FULL' || !error.retryable) found.push(`refused with ${error.code}`);
  const full = await page(doctor, id);
  const acknowledged = Array.from({ length: number - 1 }, (_, index) => text(index + 1));
  if (messagesIn(full.entries).join() !== acknowledged.join()) found.push('not what was acknowledged');
  if (messagesIn(doctor.of('entry.added')).join() !== acknowledged.join()) found.push('not what was told');
  const { call } = await doctor.request('consultation.watch', { consultationId: id });
  if (call?.state !== 'live') found.push('the call did not go on');

  const sent = await tus.patch(location, 0, file);
  if (sent.status !== 507 || sent.code !== 'STORAGE_FULL') found.push(`a part was answered ${sent.status}`);
  const another = await tus.create(upload);
  if (another.status !== 507) found.push(`a new upload was answered ${another.status}`);
  const { offset } = await tus.head(location);

  await disk.free();
  const again = await send(patient, id, number);
  if (!again.ok) found.push(`the retry was refused with ${again.error.code}`);
  const rest = await tus.patch(location, offset, file.subarray(offset));
  if (rest.status !== 204) found.push(`the rest was answered ${rest.status}`);
  const { status } = await tus.ended(id, idOf(location));
  if (status !== 'ready') found.push(`the upload became ${status}`);
  const { entries } = await page(doctor, id);
  if (messagesIn(entries).join() !== [...acknowledged, text(number)].join()) found.push('not each once');
  if (entries.some(({ sequence }, index) => sequence !== index + 1)) found.push('the thread has a gap');
  return found;
}

test('[D4] [STO22] a full disk refuses messages and uploads for the time being, and heals without a restart', async (context) => {
  const disk = await mountSmallDisk(16);
  if (typeof disk === 'string') return context.skip(disk);
  await using _disk = disk;
  expect(await violations(disk, () => ({}))).toEqual([]);
  return undefined;
});

test('[D4 sabotage] [STO22] a store that acknowledges although the disk is full is noticed', async (context) => {
  const disk = await mountSmallDisk(16);
  if (typeof disk === 'string') return context.skip(disk);
  await using _disk = disk;
  const found = await violations(disk, (store) => ({
    append: (commit) => store.append(commit).catch(() => 'committed' as const),
  }));
  expect(found).toEqual(['no message was refused']);
  return undefined;
});
