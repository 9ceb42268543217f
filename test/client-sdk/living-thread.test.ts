import { AppError, type Entry, QueuePlace } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { emptyThread, hasOlder, hear, openThread, prependOlder } from '../../client-sdk/thread.ts';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { doctor, minted, patient, textEntry } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';
import { ScriptedUploads } from './helpers/scripted-uploads.ts';

const shown = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) => {
    if (entry.kind !== 'message.sent') return [];
    const { content } = entry;
    if (content.type === 'text') return [content.text];
    return [content.type === 'withdrawn' ? content.how : content.type];
  });

async function opened(messages = 0) {
  const server = await ScriptedServer.start();
  const thread = new ScriptedThread(server);
  thread.addSilently(messages);
  const client = clientOf(server, { requestTimeoutMs: 400 });
  await client.connect();
  return { server, thread, client, consultation: await client.open(thread.id) };
}

describe('recalled and removed messages', () => {
  it('[SDK120] a withdrawal that is told live changes what is held, and says so before its own entry', async () => {
    const { server, thread, client, consultation } = await opened(3);
    await using _server = server;
    await using _client = client;
    const told: string[] = [];
    consultation.on('updated', (entries) =>
      told.push(`updated ${entries.map(({ sequence }) => sequence).join()}`),
    );
    consultation.on('entries', (entries) =>
      told.push(`entries ${entries.map(({ sequence }) => sequence).join()}`),
    );
    thread.withdraw(2);
    thread.withdraw(3, 'removed');
    await eventually(
      () => told.length,
      (count) => count === 4,
    );
    expect(told).toEqual(['updated 2', 'entries 4', 'updated 3', 'entries 5']);
    expect(shown(consultation.entries)).toEqual(['text 1', 'recalled', 'removed']);
  });

  it('[SDK120] withdrawals that were missed are caught up, of messages held before and of missed ones', async () => {
    const { server, thread, client, consultation } = await opened(2);
    await using _server = server;
    await using _client = client;
    const updated = recorded(consultation.on, 'updated');
    await server.goAway();
    thread.addSilently(1);
    thread.withdraw(1, 'recalled', { silently: true });
    thread.withdraw(3, 'recalled', { silently: true });
    await server.comeBack();
    await eventually(
      () => consultation.entries.length,
      (count) => count === 5,
    );
    expect(updated.flat().map(({ sequence }) => sequence)).toEqual([1]);
    expect(shown(consultation.entries)).toEqual(['recalled', 'text 2', 'recalled']);
  });

  it('[SDK120] recalling shows the tombstone as soon as the server agrees, once; a refusal changes nothing', async () => {
    const { server, thread, client, consultation } = await opened(1);
    await using _server = server;
    await using _client = client;
    const updated = recorded(consultation.on, 'updated');
    server.once('message.recall', () => {
      throw new AppError('EXPIRED');
    });
    expect(await codeOf(consultation.recall(1))).toBe('EXPIRED');
    expect(shown(consultation.entries)).toEqual(['text 1']);
    let entry: Entry | null = null;
    server.on('message.recall', ({ sequence }) => {
      entry = thread.withdraw(sequence, 'recalled', { silently: true });
      return { sequence, at: 1 };
    });
    await consultation.recall(1);
    expect(shown(consultation.entries)).toEqual(['recalled']);
    if (entry !== null) server.tell('entry.added', entry);
    await eventually(
      () => consultation.entries.length,
      (count) => count === 2,
    );
    expect(updated.length).toBe(1);
  });

  it('[SDK121] pages, older entries and matches that were read before a withdrawal show it', async () => {
    const { server, thread, client, consultation } = await opened(60);
    await using _server = server;
    await using _client = client;
    const before = [...thread.entries];
    thread.withdraw(5);
    await eventually(
      () => consultation.entries.length,
      (count) => count === 51,
    );
    const page = (from: number, to: number) => ({
      entries: before.slice(from - 1, to),
      hasMore: false,
      lastSequence: 61,
    });
    server.on('thread.page', () => page(1, 10));
    server.on('thread.search', ({ query, beforeSequence }) => {
      expect([query, beforeSequence]).toEqual(['text', 9]);
      return { matches: before.slice(4, 5), nextBefore: 5 };
    });
    expect(shown((await consultation.page({ after: 0 }, { limit: 10 })).entries)[4]).toBe('recalled');
    const found = await consultation.search('text', { beforeSequence: 9 });
    expect([shown(found.matches), found.nextBefore]).toEqual([['recalled'], 5]);
    server.on('thread.page', () => page(1, 10));
    await consultation.loadOlder();
    expect(shown(consultation.entries)[4]).toBe('recalled');
    expect(consultation.entries.length).toBe(61);
    server.on('thread.page', (asked) => ({ ...thread.page(asked), entries: before.slice(0, 10) }));
    expect(server.payloads('thread.page')[0]).toMatchObject({ afterSequence: 0, limit: 10 });
    expect(await consultation.page({ before: 4 })).toMatchObject({ entries: { length: 10 } });
    expect(server.payloads('thread.page').at(-1)).toMatchObject({ beforeSequence: 4, limit: 50 });
  });
});

describe('a long thread', () => {
  const consultationId = minted('cns');
  const run = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, n) => textEntry(first + n, { consultationId }));

  it('[SDK122] at most 2,000 entries are held: the oldest are let go, and older ones can be loaded again', () => {
    let { thread } = openThread(emptyThread, run(1, 50), 50);
    for (let first = 51; first <= 10_000; first += 50) {
      const merge = hear(thread, run(first, first + 49));
      expect(merge.added.length).toBe(50);
      thread = merge.thread;
      expect(thread.entries.length).toBeLessThanOrEqual(2_000);
    }
    expect(thread.entries.at(-1)?.sequence).toBe(10_000);
    expect(hasOlder(thread)).toBe(true);
    for (let loads = 0; hasOlder(thread); loads += 1) {
      expect(loads).toBeLessThan(50);
      const first = thread.entries[0]?.sequence ?? 0;
      thread = prependOlder(thread, run(first - 200, first - 1)).thread;
    }
    expect(thread.entries.length).toBe(2_000);
    const sequences = thread.entries.map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 2_000 }, (_, n) => 8_001 + n));
  });
});

describe('what else a consultation tells', () => {
  it('[SDK128] who is online, the place in the queue and what is unread come with the snapshot and as facts', async () => {
    const server = await ScriptedServer.start();
    await using _ = server;
    const thread = new ScriptedThread(server, { phase: 'waiting' });
    const { consultationId } = thread.view;
    const queue = QueuePlace.parse({ consultationId, position: 2, estimateMs: 60_000 });
    thread.state = {
      ...thread.state,
      queue,
      unread: { consultationId, unread: 3, read: 1 },
      online: [doctor],
    };
    await using client = clientOf(server);
    await client.connect();
    const ofAll = { unread: recorded(client.on, 'unread'), queue: recorded(client.on, 'queue') };
    const consultation = await client.open(thread.id);
    expect(consultation.queue).toEqual(queue);
    expect(consultation.online).toEqual([doctor]);
    expect(consultation.unread.unread).toBe(3);
    expect(consultation.marks.length).toBe(2);
    const told = {
      online: recorded(consultation.on, 'online'),
      queue: recorded(consultation.on, 'queue'),
      unread: recorded(consultation.on, 'unread'),
      marks: recorded(consultation.on, 'marks'),
      typing: recorded(consultation.on, 'typing'),
    };
    server.tell('presence.changed', { consultationId, personId: patient, online: true });
    server.tell('presence.changed', { consultationId, personId: doctor, online: false });
    server.tell('queue.changed', { ...queue, position: 1 });
    server.tell('unread.changed', { consultationId, unread: 4, read: 1 });
    server.tell('marks.changed', { consultationId, personId: doctor, delivered: 2, read: 2 });
    server.tell('typing.changed', { consultationId, personId: doctor, activity: 'typing' });
    thread.view = { ...thread.view, phase: 'active' };
    thread.add();
    server.tell('consultation.changed', thread.current);
    await eventually(
      () => told.queue.length,
      (count) => count === 2,
    );
    expect(told.online).toEqual([[doctor, patient], [patient]]);
    expect(told.queue).toEqual([{ ...queue, position: 1 }, null]);
    expect(told.unread.map(({ unread }) => unread)).toEqual([4]);
    expect(told.marks.at(-1)).toContainEqual({ personId: doctor, delivered: 2, read: 2 });
    // The message ends the typing of whoever sent it.
    expect(told.typing).toEqual([[{ personId: doctor, activity: 'typing' }], []]);
    const other = { consultationId: anotherConsultation(), unread: 1, read: 0 };
    server.tell('unread.changed', other);
    await eventually(
      () => ofAll.unread.length,
      (count) => count === 3,
    );
    expect(ofAll.unread.map(({ unread }) => unread)).toEqual([3, 4, 1]);
    expect(ofAll.queue.length).toBe(1);
  });

  it('[SDK129] a person who is removed is told: the consultation closes, waits reject, nothing of it is kept', async () => {
    const { server, thread, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const closed = recorded(consultation.on, 'closed');
    const left = recorded(client.on, 'left');
    server.on('message.send', () => 'silence');
    const sent = codeOf(consultation.send({ type: 'text', text: 'a' }));
    server.tell('consultation.left', { consultationId: thread.id });
    expect(await sent).toBe('NOT_FOUND');
    expect(closed).toEqual([{ reason: 'left' }]);
    expect(left).toEqual([{ consultationId: thread.id }]);
    expect(await codeOf(consultation.send({ type: 'text', text: 'b' }))).toBe('NOT_FOUND');
    server.tell('consultation.left', { consultationId: thread.id });
    await eventually(
      () => left.length,
      (count) => count === 2,
    );
  });

  it('[SDK129] a person who was removed while away finds out with the next connection', async () => {
    const { server, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const closed = recorded(consultation.on, 'closed');
    server.on('consultation.watch', () => {
      throw new AppError('NOT_FOUND');
    });
    server.cutAll();
    await eventually(
      () => closed,
      ([first]) => first?.reason === 'left',
    );
  });

  it('[SDK129] leaving resolves and closes, whichever of answer and fact comes first', async () => {
    for (const isFactFirst of [true, false]) {
      const { server, thread, client, consultation } = await opened();
      await using _server = server;
      await using _client = client;
      const closed = recorded(consultation.on, 'closed');
      server.on('participant.leave', () => {
        if (isFactFirst) server.tell('consultation.left', { consultationId: thread.id });
        return {};
      });
      await consultation.leave();
      expect(closed).toEqual([{ reason: 'left' }]);
    }
  });

  it('[SDK129] closing says so, too', async () => {
    const { server, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const closed = recorded(consultation.on, 'closed');
    await consultation.close();
    expect(closed).toEqual([{ reason: 'closed' }]);
  });

  it('[SDK123] what is received and read is told to the server by itself, and on closing', async () => {
    const { server, thread, client, consultation } = await opened(2);
    await using _server = server;
    await using _client = client;
    await eventually(
      () => server.payloads('thread.mark'),
      (marks) => marks.length === 1,
    );
    expect(server.payloads('thread.mark')).toEqual([{ consultationId: thread.id, delivered: 2 }]);
    consultation.markRead(99);
    await consultation.close();
    expect(server.payloads('thread.mark').slice(1)).toEqual([{ consultationId: thread.id, read: 2 }]);
    expect(() => consultation.markRead(Number.NaN)).toThrow(AppError);
  });
});

describe('sending more than texts', () => {
  it('[SDK118] a form uploads pictures as pictures and the rest as files, then is one message', async () => {
    const { server, thread, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const uploads = new ScriptedUploads(server);
    const form = { chiefComplaint: 'a cough', pregnancy: 'no' } as const;
    await consultation.send({
      type: 'form',
      form,
      attachments: [
        { purpose: 'tongue', data: new File(['t'], 'me.jpg', { type: 'image/jpeg' }) },
        {
          purpose: 'report',
          data: new Blob(['report'], { type: 'application/pdf' }),
          fileName: 'blood.pdf',
        },
      ],
    });
    const sorted = uploads.uploads.toSorted((a, b) => a.length - b.length);
    expect(sorted.map(({ metadata }) => [metadata['kind'], metadata['fileName']])).toEqual([
      ['image', 'image'],
      ['file', 'blood.pdf'],
    ]);
    expect(server.payloads('message.send').map(({ content }) => content)).toEqual([
      {
        type: 'form',
        form: {
          ...form,
          attachments: [
            { purpose: 'tongue', attachmentId: sorted[0]?.id },
            { purpose: 'report', attachmentId: sorted[1]?.id },
          ],
        },
      },
    ]);
    expect(thread.lastSequence).toBe(1);
    await consultation.send({ type: 'form', form, attachments: [] });
    expect(thread.lastSequence).toBe(2);
  });

  it('[SDK118] a form of which one attachment is refused fails whole, and a retry uploads only that one', async () => {
    const { server, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const uploads = new ScriptedUploads(server);
    uploads.settle = (upload) =>
      upload.length === 1
        ? { status: 'refused', attachmentId: upload.id, code: 'UNSUPPORTED_MEDIA', detail: 'no picture' }
        : uploads.ready(upload);
    const { promise: isThere, resolve } = Promise.withResolvers<boolean>();
    uploads.cuts = ({ length }) => (length === 1 ? isThere : false);
    const sent = consultation.send({
      type: 'form',
      form: { chiefComplaint: 'a cough' },
      attachments: [
        { purpose: 'tongue', data: new Blob(['t'], { type: 'image/png' }) },
        { purpose: 'report', data: new Blob(['report']), fileName: 'a.pdf' },
      ],
    });
    await eventually(
      () => consultation.outbox[0]?.progress ?? 0,
      (progress) => progress > 0.8,
    );
    resolve(false);
    expect(await codeOf(sent)).toBe('UNSUPPORTED_MEDIA');
    uploads.settle = (upload) => uploads.ready(upload);
    await consultation.retry(consultation.outbox[0]?.clientMessageId ?? '');
    expect(uploads.uploads.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 1, 6]);
  });

  it('[SDK27] a form that can only be refused is refused before it is sent', async () => {
    const { server, client, consultation } = await opened();
    await using _server = server;
    await using _client = client;
    const data = new Blob(['x'], { type: 'image/png' });
    const form = (chiefComplaint: string, count = 0, of = data) =>
      codeOf(
        consultation.send({
          type: 'form',
          form: { chiefComplaint },
          attachments: Array.from({ length: count }, () => ({ purpose: 'other' as const, data: of })),
        }),
      );
    expect(await form(' ')).toBe('INVALID');
    expect(await form('x'.repeat(2_001))).toBe('TOO_LARGE');
    expect(await form('x', 13)).toBe('TOO_LARGE');
    expect(await form('x', 1, new Blob([]))).toBe('INVALID');
    expect(consultation.outbox).toEqual([]);
  });

  it('[SDK119] an answer names the message it answers, also when it is sent again', async () => {
    const { server, client, consultation } = await opened(1);
    await using _server = server;
    await using _client = client;
    server.once('message.send', () => {
      throw new AppError('FORBIDDEN');
    });
    const sent = consultation.send({ type: 'text', text: 'yes' }, { replyTo: 1 });
    expect(consultation.outbox[0]?.replyTo).toBe(1);
    expect(await codeOf(sent)).toBe('FORBIDDEN');
    await consultation.retry(consultation.outbox[0]?.clientMessageId ?? '');
    expect(server.payloads('message.send').map(({ replyTo }) => replyTo)).toEqual([1, 1]);
    for (const replyTo of [0, -1, 1.5, Number.NaN]) {
      expect(await codeOf(consultation.send({ type: 'text', text: 'x' }, { replyTo }))).toBe('INVALID');
    }
  });
});

function anotherConsultation() {
  return QueuePlace.shape.consultationId.parse(minted('cns'));
}
