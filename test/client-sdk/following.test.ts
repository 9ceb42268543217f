import { AppError, type Entry } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { minted, textEntry } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

const sequences = (entries: readonly Entry[]): number[] => entries.map(({ sequence }) => sequence);
const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe('following a consultation', () => {
  it('[SDK11] opening holds the newest page; live entries follow it', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    thread.addSilently(60);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    expect(sequences(consultation.entries)).toEqual(upTo(60, 11));
    expect(consultation.hasOlder).toBe(true);
    expect(consultation.view).toEqual(thread.current);
    const told = recorded(consultation.on, 'entries');
    thread.add();
    thread.add();
    await eventually(
      () => sequences(told.flat()),
      (seen) => seen.length === 2,
    );
    expect(sequences(told.flat())).toEqual([61, 62]);
    expect(sequences(consultation.entries)).toEqual(upTo(62, 11));
  });

  it('[SDK12] older entries are loaded page by page, also when asked for twice at once', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    thread.addSilently(100);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    const told = recorded(consultation.on, 'entries');
    const [first, second] = await Promise.all([
      consultation.loadOlder({ limit: 20 }),
      consultation.loadOlder({ limit: 20 }),
    ]);
    expect(sequences(first)).toEqual(upTo(50, 31));
    expect(sequences(second)).toEqual(upTo(30, 11));
    expect(sequences(await consultation.loadOlder())).toEqual(upTo(10));
    expect(consultation.hasOlder).toBe(false);
    expect(await consultation.loadOlder()).toEqual([]);
    expect(sequences(consultation.entries)).toEqual(upTo(100));
    expect(told).toEqual([]);
  });

  it('[SDK11] after a loss exactly what is missing is fetched, page by page', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    thread.addSilently(10);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    const told = recorded(consultation.on, 'entries');
    await server.goAway();
    thread.addSilently(450);
    await server.comeBack();
    await eventually(
      () => consultation.entries.length,
      (count) => count === 460,
    );
    expect(sequences(told.flat())).toEqual(upTo(460, 11));
    expect(server.payloads('consultation.watch').slice(1)).toEqual([
      { consultationId: thread.id, afterSequence: 10, limit: 200 },
    ]);
    expect(server.payloads('thread.page')).toEqual([
      { consultationId: thread.id, afterSequence: 210, limit: 200 },
      { consultationId: thread.id, afterSequence: 410, limit: 200 },
    ]);
  });

  it('[SDK10] live entries that come twice, too early or out of order are put right, and a gap is fetched', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    const told = recorded(consultation.on, 'entries');
    thread.addSilently(6);
    const [one, two, , four, five, six] = thread.entries;
    for (const entry of [two, one, one, five, four]) if (entry) server.tell('entry.added', entry);
    await eventually(
      () => consultation.entries.length,
      (count) => count === 6,
    );
    if (six) server.tell('entry.added', six);
    thread.add();
    await eventually(
      () => consultation.entries.length,
      (count) => count === 7,
    );
    expect(sequences(told.flat())).toEqual(upTo(7));
  });

  it('[SDK10] entries told between the connection and the answer to the watch are neither lost nor repeated', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    thread.addSilently(3);
    await using client = clientOf(server);
    await client.connect();
    server.once('consultation.watch', () => {
      const answer = thread.snapshot();
      thread.add();
      thread.add();
      return answer;
    });
    const consultation = await client.open(thread.id);
    await eventually(
      () => consultation.entries.length,
      (count) => count === 5,
    );
    expect(sequences(consultation.entries)).toEqual(upTo(5));
    expect(server.payloads('thread.page')).toEqual([]);
  });

  it('[SDK10] an entry whose fact was lost is fetched when something else tells that it exists', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    thread.addSilently(2);
    server.tell('consultation.changed', thread.current);
    await eventually(
      () => consultation.entries.length,
      (count) => count === 2,
    );
  });

  it('[SDK13] opening the same consultation answers the same object until it is closed', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const [first, second] = await Promise.all([client.open(thread.id), client.open(thread.id)]);
    expect(first).toBe(second);
    expect(server.payloads('consultation.watch').length).toBe(1);
    await first.close();
    await first.close();
    expect(server.payloads('consultation.unwatch')).toEqual([{ consultationId: thread.id }]);
    expect(await client.open(thread.id)).not.toBe(first);
  });

  it('[SDK13] opening what the server does not show is refused, and may be tried again', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    expect(await codeOf(client.open(thread.id))).toBe('DISCONNECTED');
    await client.connect();
    server.once('consultation.watch', () => {
      throw new AppError('NOT_FOUND');
    });
    expect(await codeOf(client.open(thread.id))).toBe('NOT_FOUND');
    expect((await client.open(thread.id)).id).toBe(thread.id);
  });

  it('[SDK13] a watch that is refused after a reconnect is tried again with the next one', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    server.once('consultation.watch', () => {
      throw new AppError('FORBIDDEN');
    });
    server.cutAll();
    await eventually(
      () => server.payloads('consultation.watch').length,
      (count) => count === 2,
    );
    thread.addSilently(2);
    server.cutAll();
    await eventually(
      () => consultation.entries.length,
      (count) => count === 2,
    );
  });

  it('[SDK13] opening waits out a lost connection and an error that time mends', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    let asked = 0;
    const usual = () => thread.snapshot();
    server.on('consultation.watch', () => {
      asked += 1;
      if (asked === 1) server.cutAll();
      if (asked === 2) throw new AppError('STORAGE_UNAVAILABLE');
      return asked === 1 ? 'silence' : usual();
    });
    expect((await client.open(thread.id)).id).toBe(thread.id);
    expect(asked).toBe(3);
  });

  it('[SDK13] aborting the only wait for a consultation stops following it; another wait goes on', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    server.once('consultation.watch', async () => {
      await held;
      return thread.snapshot();
    });
    const abort = new AbortController();
    const given = client.open(thread.id, { signal: abort.signal });
    const waiting = client.open(thread.id);
    abort.abort();
    expect(await codeOf(given)).toBe('ABORTED');
    answer();
    expect((await waiting).id).toBe(thread.id);
  });

  it('[SDK14] actions answer the new state, and only a change of it is told', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server, { phase: 'requested' });
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    const changes = recorded(consultation.on, 'changed');
    const heard = recorded(client.on, 'consultation');
    server.on('consultation.enter', () => {
      thread.view = { ...thread.view, phase: 'waiting' };
      server.tell('consultation.changed', thread.current);
      return { consultation: thread.current };
    });
    server.on('consultation.decline', ({ note }) => {
      expect(note).toBe('not today');
      thread.view = { ...thread.view, phase: 'ended', endReason: 'declined' };
      return { consultation: thread.current };
    });
    expect((await consultation.enter()).phase).toBe('waiting');
    expect((await consultation.decline({ note: 'not today' })).endReason).toBe('declined');
    expect(changes.map(({ phase }) => phase)).toEqual(['waiting', 'ended']);
    expect(heard.map(({ phase }) => phase)).toEqual(['waiting']);
    server.on('consultation.accept', () => {
      throw new AppError('FORBIDDEN');
    });
    expect(await codeOf(consultation.accept())).toBe('FORBIDDEN');
    expect(consultation.view.phase).toBe('ended');
  });

  it('[SDK14] a view that knows less of the thread does not overwrite a newer one', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    thread.addSilently(5);
    const consultation = await client.open(thread.id);
    server.tell('consultation.changed', { ...thread.current, phase: 'waiting', lastSequence: 4 });
    server.tell('consultation.changed', { ...thread.current, phase: 'ended', endReason: 'completed' });
    await eventually(
      () => consultation.view.phase,
      (phase) => phase === 'ended',
    );
  });

  it('[SDK15] a listener that throws stops neither the others nor the SDK, and its error is reported', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    const reported: unknown[] = [];
    Reflect.set(globalThis, 'reportError', (error: unknown) => reported.push(error));
    try {
      const bug = new Error('a bug of the app');
      const unsubscribe = consultation.on('entries', () => {
        throw bug;
      });
      const told = recorded(consultation.on, 'entries');
      thread.add();
      await eventually(
        () => told.length,
        (count) => count === 1,
      );
      unsubscribe();
      thread.add();
      await eventually(
        () => told.length,
        (count) => count === 2,
      );
      expect(reported).toEqual([bug]);
    } finally {
      Reflect.deleteProperty(globalThis, 'reportError');
    }
  });

  it('[SDK11] facts of a consultation that is not open are ignored', async () => {
    await using server = await ScriptedServer.start();
    await using client = clientOf(server);
    await client.connect();
    server.tell('entry.added', textEntry(1, { consultationId: minted('cns') }));
    await client.listConsultations();
    expect(client.connection).toBe('connected');
  });
});
