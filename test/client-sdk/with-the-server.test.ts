import { randomBytes } from 'node:crypto';
import { createTeleconsultClient, type TeleconsultClient } from '@teleconsult/client-sdk';
import type { Entry } from '@teleconsult/protocol';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';

const MIB = 1024 * 1024;
const text = (of: string) => ({ type: 'text', text: of }) as const;

function clientOf(
  app: TestApp,
  person: string,
  options: Partial<Parameters<typeof createTeleconsultClient>[0]> = {},
): TeleconsultClient & AsyncDisposable {
  const client = createTeleconsultClient({
    url: app.origin,
    token: personToken(person),
    deviceId: `device-${randomBytes(6).toString('hex')}`,
    reconnect: () => 5,
    ...options,
  });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

async function started() {
  const app = await startTestApp();
  const view = await app.createConsultation();
  return { app, id: view.consultationId, people: peopleOf(view) };
}

async function opened(client: TeleconsultClient, id: string) {
  await client.connect();
  return client.open(id);
}

const texts = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) => {
    if (entry.kind !== 'message.sent') return [];
    return [entry.content.type === 'text' ? entry.content.text : entry.content.type];
  });

describe('the SDK and the server', () => {
  it('[R4] [SDK120] a device that was away gets exactly what it missed, recalls and marks included', async () => {
    const { app, id, people } = await started();
    await using _app = app;
    await using patient = clientOf(app, people.patient);
    await using doctor = clientOf(app, people.doctor);
    const here = await opened(patient, id);
    const there = await opened(doctor, id);
    await here.enter();
    await there.accept();
    const before = await there.send(text('before'));
    await eventually(
      () => texts(here.entries),
      (seen) => seen.length === 1,
    );
    const told = recorded(here.on, 'entries');
    const updated = recorded(here.on, 'updated');
    // Away: another connection takes its place for a while.
    await patient.close();
    await using away = clientOf(app, people.patient);
    const mirror = await opened(away, id);
    const first = mirror.entries.at(-1)?.sequence ?? 0;
    const heard = recorded(mirror.on, 'entries');
    const missed: number[] = [];
    for (let n = 1; n <= 30; n += 1) missed.push((await there.send(text(`missed ${n}`))).sequence);
    await there.recall(before.sequence);
    await there.recall(missed[3] ?? 0);
    await eventually(
      () => heard.flat().length,
      (count) => count === 32,
    );
    expect(heard.flat().map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 32 }, (_, n) => first + 1 + n),
    );
    await using again = clientOf(app, people.patient);
    const reloaded = await opened(again, id);
    expect(texts(reloaded.entries)).toEqual(texts(mirror.entries));
    expect(texts(reloaded.entries).filter((one) => one === 'withdrawn').length).toBe(2);
    expect(told.concat(updated).flat()).toEqual([]);
    reloaded.markRead(missed[29] ?? 0);
    await eventually(
      () => there.marks.find(({ personId }) => personId === people.patient),
      (mark) => mark?.read === missed[29],
    );
    await using later = clientOf(app, people.doctor);
    expect((await opened(later, id)).marks).toContainEqual({
      personId: people.patient,
      delivered: missed[29],
      read: missed[29],
    });
    await eventually(
      () => reloaded.unread.unread,
      (unread) => unread === 0,
    );
  });

  it('[SDK112] [SDK110] an upload cut by a reload goes on with the same bytes, and is one message in its order', async () => {
    const { app, id, people } = await started();
    await using _app = app;
    const storage = createMemoryStorage();
    const bytes = randomBytes(6 * MIB);
    // A text file of which nothing can be guessed but that it is one.
    const data = new Blob([Buffer.from(bytes.toString('hex').slice(0, 6 * MIB))], { type: 'text/plain' });
    const patient = clientOf(app, people.patient, { storage });
    const here = await opened(patient, id);
    const first = codeOf(here.send({ type: 'file', data, fileName: 'notes.txt' }));
    const second = codeOf(here.send(text('after the file')));
    const outbox = recorded(here.on, 'outbox');
    await eventually(
      () => outbox.at(-1)?.[0]?.progress ?? 0,
      (progress) => progress > 0.3,
    );
    await patient.close();
    expect(await Promise.all([first, second])).toEqual(['DISCONNECTED', 'DISCONNECTED']);
    await using again = clientOf(app, people.patient, { storage });
    const reloaded = await opened(again, id);
    await eventually(
      () => texts(reloaded.entries),
      (seen) => seen.length === 2,
      20_000,
    );
    expect(texts(reloaded.entries)).toEqual(['file', 'after the file']);
    const entry = reloaded.entries.find(({ kind }) => kind === 'message.sent');
    if (entry?.kind !== 'message.sent' || entry.content.type !== 'file') throw new Error('no file');
    const fetched = await reloaded.fetchAttachment(entry.content.attachment);
    expect(Buffer.from(await fetched.arrayBuffer()).equals(Buffer.from(await data.arrayBuffer()))).toBe(true);
    expect(reloaded.outbox).toEqual([]);
    expect((await storage.entries('')).filter(([key]) => /message|progress/.test(key))).toEqual([]);
  });

  it('[SDK118] [SDK119] a form with a picture and an answer to a message arrive as they were sent', async () => {
    const { app, id, people } = await started();
    await using _app = app;
    await using patient = clientOf(app, people.patient);
    await using doctor = clientOf(app, people.doctor);
    const here = await opened(patient, id);
    const there = await opened(doctor, id);
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const { sequence } = await here.send({
      type: 'form',
      form: { chiefComplaint: 'a red tongue', symptoms: ['thirst'] },
      attachments: [{ purpose: 'tongue', data: new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }) }],
    });
    await eventually(
      () => texts(there.entries),
      (seen) => seen.includes('form'),
    );
    const entry = there.entries.at(-1);
    expect(entry).toMatchObject({
      content: {
        type: 'form',
        form: {
          chiefComplaint: 'a red tongue',
          symptoms: ['thirst'],
          attachments: [{ purpose: 'tongue', attachment: { kind: 'image', width: 40, height: 30 } }],
        },
      },
    });
    await there.send(text('show me again'), { replyTo: sequence });
    await eventually(
      () => here.entries.at(-1),
      (last) => last?.kind === 'message.sent' && last.replyTo === sequence,
    );
  });

  it('[SDK127] [SDK128] typing and presence reach the other side', async () => {
    const { app, id, people } = await started();
    await using _app = app;
    await using patient = clientOf(app, people.patient);
    const doctor = clientOf(app, people.doctor);
    const here = await opened(patient, id);
    const there = await opened(doctor, id);
    await eventually(
      () => here.online.length,
      (count) => count === 2,
    );
    there.setTyping('typing');
    await eventually(
      () => here.typing,
      ([first]) => first?.activity === 'typing',
    );
    await there.send(text('done'));
    await eventually(
      () => here.typing.length,
      (count) => count === 0,
    );
    await doctor.close();
    await eventually(
      () => here.online.length,
      (count) => count === 1,
    );
  });

  it('[SDK121] pages and searches reach what is not held', async () => {
    const { app, id, people } = await started();
    await using _app = app;
    await using patient = clientOf(app, people.patient);
    const here = await opened(patient, id);
    for (let n = 1; n <= 5; n += 1) await here.send(text(`Fever since day ${n}`));
    const oldest = await here.page({ after: 0 }, { limit: 2 });
    expect(oldest.entries.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(oldest.hasMore).toBe(true);
    const { matches } = await here.search('FEVER since day 4');
    expect(texts(matches)).toEqual(['Fever since day 4']);
  });
});
