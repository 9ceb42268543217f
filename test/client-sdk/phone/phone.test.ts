import { openPhone, type PhoneBoard, type PhoneNews } from '@teleconsult/client-sdk/phone';
import { AppError, ConsultationId } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { phoneNews } from '../../../client-sdk/phone/phone-news.ts';
import { clientOf, recorded } from '../helpers/clients.ts';
import { codeOf, eventually } from '../helpers/eventually.ts';
import { doctor, minted, patient } from '../helpers/samples.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';
import { binding, board, consultationId, phoneCall } from './samples.ts';

/** A server whose board a test changes. */
async function started() {
  const server = await ScriptedServer.start();
  const kept = { board: board() };
  server.on('phone.get', () => ({ board: kept.board }));
  const client = clientOf(server, { requestTimeoutMs: 300 });
  await client.connect();
  const become = (next: PhoneBoard): void => {
    kept.board = next;
    server.tell('phone.changed', { consultationId });
  };
  return { server, client, kept, become };
}

const kinds = (news: readonly PhoneNews[]): string[] => news.map(({ kind }) => kind);

describe('masked calls of a visit', () => {
  it('[PSD10] are nothing before they are loaded, and nothing for whoever may not see them', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    expect(phone.board.available).toBe(false);
    await phone.load();
    expect(phone.board).toEqual(kept.board);
    server.refuse('phone.get', 'FORBIDDEN');
    await phone.load();
    expect(phone.board).toEqual({
      available: false,
      reachable: [],
      refused: [],
      label: '',
      recording: 'off',
      bindings: [],
    });
    server.refuse('phone.get', 'NOT_FOUND');
    expect(await codeOf(phone.load())).toBe('NOT_FOUND');
  });

  it('[PSD11] follow what the server tells of this visit, ask once for what is told often, and say what is new', async () => {
    const { server, client, become } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    const boards = recorded(phone.on, 'board');
    const news = recorded(phone.on, 'news');
    // Nobody has asked yet.
    server.tell('phone.changed', { consultationId });
    await phone.load();
    expect(boards).toHaveLength(1);
    expect(news).toEqual([]);
    const bound = binding();
    for (let n = 0; n < 20; n += 1) become(board({ bindings: [bound] }));
    server.tell('phone.changed', { consultationId: ConsultationId.parse(minted('cns')) });
    await eventually(
      () => news.length,
      (count) => count === 1,
    );
    expect(news).toEqual([{ kind: 'bound', binding: bound }]);
    expect(server.payloads('phone.get')).toHaveLength(2);
    phone.close();
    phone.close();
    become(board());
    await client.listConsultations();
    expect(phone.board.bindings).toEqual([bound]);
  });

  it('[PSD11] catch up after a lost connection', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    await phone.load();
    const news = recorded(phone.on, 'news');
    kept.board = board({ refused: [{ personId: doctor, since: 5 }] });
    server.cutAll();
    await eventually(
      () => news.length,
      (count) => count === 1,
    );
    expect(news).toEqual([{ kind: 'refused', personId: doctor, refused: true }]);
  });

  it('[PSD12] news are each step of a number and of its calls, and nothing twice', () => {
    const idle = binding({ state: 'binding', number: null });
    const bound = { ...idle, state: 'bound', number: '+8617000003333' } as const;
    const ringing = phoneCall();
    const talking = { ...ringing, state: 'talking' } as const;
    const next = phoneCall({ state: 'talking' });
    const ended = { ...bound, number: null, state: 'unbound', unboundReason: 'released' } as const;
    const boards = [
      board(),
      board({ bindings: [idle] }),
      board({ bindings: [bound] }),
      board({ bindings: [{ ...bound, call: ringing }] }),
      board({ bindings: [{ ...bound, call: talking }] }),
      // A board that was not seen lies between: one call ended, and another was answered.
      board({ bindings: [{ ...bound, call: next }] }),
      board({ bindings: [ended] }),
      board({ bindings: [ended], refused: [{ personId: patient, since: 1 }] }),
      board({ bindings: [], refused: [] }),
    ];
    const told = boards.slice(1).map((after, index) => kinds(phoneNews(boards[index] ?? board(), after)));
    expect(told).toEqual([
      [],
      ['bound'],
      ['callStarted'],
      ['callAnswered'],
      ['callEnded', 'callStarted', 'callAnswered'],
      ['callEnded', 'unbound'],
      ['refused'],
      ['refused'],
    ]);
    for (const same of boards) expect(phoneNews(same, same)).toEqual([]);
  });

  it('[PSD13] a number whose answer was lost is asked for with the same id, until there is an answer', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    const bound = binding();
    server.once('phone.bind', () => 'silence');
    server.once('phone.bind', () => {
      server.on('phone.bind', () => ({ board: board({ bindings: [bound] }), bindingId: bound.bindingId }));
      return 'silence';
    });
    expect(await phone.bind({ recorded: true })).toEqual(bound);
    const asked = server.payloads('phone.bind');
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked.map(({ clientBindingId }) => clientBindingId)).size).toBe(1);
    expect(asked[0]).toMatchObject({ direction: 'both', recorded: true });
    expect(phone.board.bindings).toEqual([bound]);
    // Answered: the next wish is another one.
    await phone.bind({ recorded: true });
    expect(new Set(server.payloads('phone.bind').map(({ clientBindingId }) => clientBindingId)).size).toBe(2);
  });

  it('[PSD13] a wait that was given up keeps its id, and what was given back since is asked for anew', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    server.on('phone.bind', () => 'silence');
    const given = new AbortController();
    const waiting = phone.bind({}, { signal: given.signal });
    await eventually(
      () => server.payloads('phone.bind').length,
      (count) => count === 1,
    );
    given.abort();
    expect(await codeOf(waiting)).toBe('ABORTED');
    const former = binding({ state: 'unbound', number: null, unboundReason: 'released' });
    const fresh = binding();
    const [first] = server.payloads('phone.bind');
    server.on('phone.bind', ({ clientBindingId }) => {
      const { bindingId } = clientBindingId === first?.clientBindingId ? former : fresh;
      return { board: board({ bindings: [fresh, former] }), bindingId };
    });
    expect(await phone.bind()).toEqual(fresh);
    expect(server.payloads('phone.bind').map(({ clientBindingId }) => clientBindingId)[1]).toBe(
      first?.clientBindingId,
    );
  });

  it('[PSD14] a refused wish is told at once, also that no number is free', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    for (const code of ['FORBIDDEN', 'WRONG_STATE', 'OVERLOADED', 'RATE_LIMITED'] as const) {
      server.refuse('phone.bind', code);
      expect(await codeOf(phone.bind())).toBe(code);
    }
    // Those that time may change keep their id; each was asked for once.
    const ids = server.payloads('phone.bind').map(({ clientBindingId }) => clientBindingId);
    expect([ids.length, new Set(ids).size]).toEqual([4, 3]);
  });

  it('[PSD15] “do not phone me” and giving back are asked until the server has heard them', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    const refused = board({ refused: [{ personId: patient, since: 3 }] });
    const bound = binding();
    server.on('phone.setRefused', () => ({ board: refused }));
    server.on('phone.unbind', () => ({ board: board() }));
    await server.goAway();
    const acts = [phone.setRefused(true), phone.unbind(bound.bindingId)] as const;
    await server.comeBack();
    expect(await Promise.all(acts)).toEqual([refused, board()]);
  });

  it('[PSD15] “phone me again” and ringing a telephone are asked once', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    server.on('phone.setRefused', () => 'silence');
    server.on('phone.join', () => 'silence');
    const acts = [phone.setRefused(false), phone.join(minted('cal'), doctor)];
    expect(await Promise.all(acts.map(codeOf))).toEqual(['TIMEOUT', 'TIMEOUT']);
    expect(server.received.filter(({ name }) => name.startsWith('phone.'))).toHaveLength(2);
    server.on('phone.join', () => ({}));
    const callId = minted('cal');
    await phone.join(callId, doctor);
    expect(server.payloads('phone.join').at(-1)).toEqual({ consultationId, callId, personId: doctor });
  });

  it('[PSD16] what was pressed last is what the server hears last', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const phone = openPhone(client, consultationId);
    const seen: boolean[] = [];
    server.on('phone.setRefused', ({ refused }) => {
      seen.push(refused);
      if (seen.length === 1) throw new AppError('STORAGE_UNAVAILABLE');
      return { board: board() };
    });
    const first = codeOf(phone.setRefused(true));
    await eventually(
      () => seen.length,
      (count) => count === 1,
    );
    await phone.setRefused(false);
    expect(await first).toBe('ABORTED');
    await client.listConsultations();
    expect(seen).toEqual([true, false]);
  });

  it('[PSD17] a signal closes it, and what is closed asks nothing', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const over = new AbortController();
    const phone = openPhone(client, consultationId, { signal: over.signal });
    await phone.load();
    over.abort();
    const asked = server.received.length;
    const acts = [phone.load(), phone.bind(), phone.setRefused(false), phone.setRefused(true)];
    expect(await Promise.all([...acts, phone.join(minted('cal'), doctor)].map(codeOf))).toEqual(
      Array.from({ length: 5 }, () => 'ABORTED'),
    );
    await client.listConsultations();
    expect(server.received.slice(asked).filter(({ name }) => name.startsWith('phone.'))).toEqual([]);
    const late = async () => openPhone(client, consultationId, { signal: over.signal });
    expect(await codeOf(late())).toBe('ABORTED');
    expect(await codeOf((async () => openPhone({ ...client }, consultationId))())).toBe('INVALID');
  });
});
