import { AppError, type Entry } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { doctor, patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

const texts = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) =>
    entry.kind === 'message.sent' && entry.content.type === 'text' ? [entry.content.text] : [],
  );

async function opened(server: ScriptedServer) {
  const thread = new ScriptedThread(server);
  const client = clientOf(server, { requestTimeoutMs: 400 });
  await client.connect();
  return { thread, client, consultation: await client.open(thread.id) };
}

describe('sending', () => {
  it('[SDK20] messages are committed in the order of the calls, each with one id', async () => {
    await using server = await ScriptedServer.start();
    const { thread, client, consultation } = await opened(server);
    await using _ = client;
    const sent = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((text) => consultation.send({ type: 'text', text })),
    );
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(thread.entries[0]).toMatchObject({ messageId: sent[0]?.messageId });
    expect(texts(consultation.entries)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(new Set(server.payloads('message.send').map(({ clientMessageId }) => clientMessageId)).size).toBe(
      5,
    );
    expect(consultation.outbox).toEqual([]);
  });

  it('[SDK21] a message whose answer is lost is sent again under the same id, and is one message', async () => {
    await using server = await ScriptedServer.start();
    const { thread, client, consultation } = await opened(server);
    await using _ = client;
    // Committed, but the connection dies before anybody hears of it.
    server.once('message.send', (payload, from) => {
      thread.receive(payload, from, { silently: true });
      server.cutAll();
      return 'silence';
    });
    const told = recorded(consultation.on, 'entries');
    const [a, b] = await Promise.all([
      consultation.send({ type: 'text', text: 'a' }),
      consultation.send({ type: 'text', text: 'b' }),
    ]);
    expect([a.sequence, b.sequence]).toEqual([1, 2]);
    expect(texts(told.flat())).toEqual(['a', 'b']);
    expect(texts(thread.entries)).toEqual(['a', 'b']);
  });

  it('[SDK21] retryable refusals and time-outs are tried again with the same id, keeping the order', async () => {
    await using server = await ScriptedServer.start();
    const { client, consultation } = await opened(server);
    await using _ = client;
    server.once('message.send', () => 'silence');
    const told = recorded(consultation.on, 'outbox');
    const first = consultation.send({ type: 'text', text: 'a' });
    const second = consultation.send({ type: 'text', text: 'b' });
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    server.once('message.send', () => {
      throw new AppError('STORAGE_FULL');
    });
    expect((await first).sequence).toBe(1);
    expect((await second).sequence).toBe(2);
    const ids = server.payloads('message.send').map(({ clientMessageId }) => clientMessageId);
    expect(ids.length).toBe(4);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(told.some(([message]) => message?.attempts === 3)).toBe(true);
  });

  it.each(['FORBIDDEN', 'CONFLICT', 'WRONG_STATE'] as const)(
    '[SDK22] a message refused with %s becomes failed and lets the next pass',
    async (code) => {
      await using server = await ScriptedServer.start();
      const { client, consultation } = await opened(server);
      await using _ = client;
      server.once('message.send', () => {
        throw new AppError(code);
      });
      const refused = consultation.send({ type: 'text', text: 'a' });
      const next = consultation.send({ type: 'text', text: 'b' });
      expect(await codeOf(refused)).toBe(code);
      expect((await next).sequence).toBe(1);
      expect(consultation.outbox).toMatchObject([{ state: 'failed', error: { code }, draft: { text: 'a' } }]);
      const [{ clientMessageId } = { clientMessageId: '' }] = consultation.outbox;
      expect((await consultation.retry(clientMessageId)).sequence).toBe(2);
      expect(consultation.outbox).toEqual([]);
    },
  );

  it('[SDK22] a failed message can be discarded, one on its way cannot', async () => {
    await using server = await ScriptedServer.start();
    const { client, consultation } = await opened(server);
    await using _ = client;
    server.once('message.send', () => {
      throw new AppError('FORBIDDEN');
    });
    await codeOf(consultation.send({ type: 'text', text: 'a' }));
    const [failed] = consultation.outbox;
    consultation.discard(failed?.clientMessageId ?? '');
    consultation.discard(failed?.clientMessageId ?? '');
    expect(consultation.outbox).toEqual([]);
    expect(await codeOf(consultation.retry(failed?.clientMessageId ?? ''))).toBe('NOT_FOUND');
    server.once('message.send', () => 'silence');
    const sending = consultation.send({ type: 'text', text: 'b' });
    const [onItsWay] = consultation.outbox;
    expect(() => consultation.discard(onItsWay?.clientMessageId ?? '')).toThrow(AppError);
    expect(await codeOf(consultation.retry(onItsWay?.clientMessageId ?? ''))).toBe('WRONG_STATE');
    await sending;
  });

  it('[SDK23] aborting takes a message out that was not sent; one that was may still arrive', async () => {
    await using server = await ScriptedServer.start();
    const { thread, client, consultation } = await opened(server);
    await using _ = client;
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    server.once('message.send', async ({ clientMessageId }) => {
      await held;
      const { messageId, sequence } = thread.add({ by: patient, text: 'sent', clientMessageId });
      return { messageId, sequence, at: 1 };
    });
    const abort = new AbortController();
    const sent = consultation.send({ type: 'text', text: 'sent' }, { signal: abort.signal });
    const unsent = consultation.send({ type: 'text', text: 'unsent' }, { signal: abort.signal });
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    abort.abort();
    expect(await codeOf(sent)).toBe('ABORTED');
    expect(await codeOf(unsent)).toBe('ABORTED');
    expect(consultation.outbox.map(({ draft }) => draft)).toEqual([{ type: 'text', text: 'sent' }]);
    answer();
    await eventually(
      () => consultation.outbox.length,
      (count) => count === 0,
    );
    expect(texts(consultation.entries)).toEqual(['sent']);
    expect(
      await codeOf(consultation.send({ type: 'text', text: 'x' }, { signal: AbortSignal.abort() })),
    ).toBe('ABORTED');
  });

  it('[SDK24] the outbox holds at most 500 messages, and sends them when the connection is back', async () => {
    await using server = await ScriptedServer.start();
    const { client, consultation } = await opened(server);
    await using _ = client;
    await server.goAway();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    const sent = Array.from({ length: 500 }, (_, n) => consultation.send({ type: 'text', text: `${n}` }));
    expect(await codeOf(consultation.send({ type: 'text', text: 'one more' }))).toBe('RATE_LIMITED');
    expect(consultation.outbox.length).toBe(500);
    await server.comeBack();
    const sequences = (await Promise.all(sent)).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  });

  it('[SDK25] at any time a message is in the outbox or in the entries, never in both and never in neither', async () => {
    await using server = await ScriptedServer.start();
    const { thread, client, consultation } = await opened(server);
    await using _ = client;
    const seen: number[] = [];
    const look = () => {
      const waiting = consultation.outbox.filter(({ draft }) => draft.type === 'text').length;
      seen.push(waiting + texts(consultation.entries).length);
    };
    consultation.on('outbox', look);
    consultation.on('entries', look);
    // Once the entry overtakes the answer, once the answer overtakes the entry.
    await consultation.send({ type: 'text', text: 'entry first' });
    server.once('message.send', (payload, from) => {
      const result = thread.receive(payload, from, { silently: true });
      setTimeout(() => {
        for (const entry of thread.entries.slice(-1)) server.tell('entry.added', entry);
      }, 30);
      return result;
    });
    await consultation.send({ type: 'text', text: 'answer first' });
    expect(consultation.outbox.map(({ state }) => state)).toEqual(['sent']);
    await eventually(
      () => consultation.outbox.length,
      (count) => count === 0,
    );
    expect(texts(consultation.entries)).toEqual(['entry first', 'answer first']);
    expect(new Set(seen)).toEqual(new Set([1, 2]));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('[SDK25] the same id under another person is not taken for the own message', async () => {
    await using server = await ScriptedServer.start();
    const { thread, client, consultation } = await opened(server);
    await using _ = client;
    server.once('message.send', ({ clientMessageId }) => {
      thread.add({ by: doctor, text: 'not mine', clientMessageId });
      throw new AppError('FORBIDDEN');
    });
    expect(await codeOf(consultation.send({ type: 'text', text: 'mine' }))).toBe('FORBIDDEN');
    expect(consultation.outbox.map(({ state }) => state)).toEqual(['failed']);
  });

  it('[SDK27] what the server would refuse is refused at once and never queued', async () => {
    await using server = await ScriptedServer.start();
    const { client, consultation } = await opened(server);
    await using _ = client;
    expect(await codeOf(consultation.send({ type: 'text', text: ' \n' }))).toBe('INVALID');
    expect(await codeOf(consultation.send({ type: 'text', text: 'x'.repeat(4_001) }))).toBe('TOO_LARGE');
    expect(await codeOf(consultation.send({ type: 'voice', data: new Blob([]) }))).toBe('INVALID');
    const file = { type: 'file', data: new Blob(['x']) } as const;
    expect(await codeOf(consultation.send({ ...file, fileName: '' }))).toBe('INVALID');
    expect(await codeOf(consultation.send({ ...file, fileName: 'f', caption: 'x'.repeat(501) }))).toBe(
      'TOO_LARGE',
    );
    const large = new Blob([new Uint8Array(16 * 1024 * 1024)]);
    expect(await codeOf(consultation.send({ type: 'voice', data: large }))).toBe('TOO_LARGE');
    expect(consultation.outbox).toEqual([]);
    expect(server.payloads('message.send')).toEqual([]);
  });
});
