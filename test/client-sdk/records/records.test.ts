import type { Call, TeleconsultClient } from '@teleconsult/client-sdk';
import { openRecords, type Records } from '@teleconsult/client-sdk/records';
import {
  AppError,
  type CallRecording,
  ConsultationId,
  FileId,
  type FollowUpBoard,
  FollowUpId,
  type Note,
  NoteId,
  RecordingId,
  type RecordingView,
} from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from '../helpers/clients.ts';
import { codeOf, eventually } from '../helpers/eventually.ts';
import { doctor, minted, ringingCall } from '../helpers/samples.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';

const consultationId = ConsultationId.parse(minted('cns'));
const nobody: FollowUpBoard = { followUps: [], contactRefusedSince: null };

function recordingView(startedAt: number): RecordingView {
  return {
    recordingId: RecordingId.parse(minted('rec')),
    consultationId,
    purpose: 'summary',
    callId: null,
    phoneCallId: null,
    followUpId: null,
    startedBy: doctor,
    startedAt,
    endedAt: 2,
    state: 'ready',
    files: [],
    composition: { state: 'none' },
    rights: ['play'],
  };
}

function noteOf(text: string, version = 1): Note {
  return {
    noteId: NoteId.parse(minted('not')),
    consultationId,
    purpose: 'summary',
    followUpId: null,
    author: doctor,
    createdAt: 1,
    state: 'draft',
    signedAt: null,
    current: { version, at: 1, by: doctor, text, audio: null },
    additions: [],
  };
}

/** A server with one recording, one note and no follow-ups, and records that have loaded them. */
async function started() {
  const server = await ScriptedServer.start();
  const kept = { recordings: [recordingView(1)], notes: [noteOf('one')], board: nobody };
  server.on('recording.list', () => ({ recordings: [...kept.recordings] }));
  server.on('note.list', () => ({ notes: [...kept.notes] }));
  server.on('followUp.list', () => ({ board: kept.board }));
  const client = clientOf(server, { requestTimeoutMs: 300 });
  await client.connect();
  return { server, client, kept };
}

async function loaded(client: TeleconsultClient): Promise<Records> {
  const records = openRecords(client, consultationId);
  await records.load();
  return records;
}

const names = (server: ScriptedServer): string[] => server.received.map(({ name }) => name);

describe('the records of a consultation', () => {
  it('[SDK265] are loaded at once, and what this person may not see is empty', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = openRecords(client, consultationId);
    expect([records.recordings, records.notes, records.followUps, records.dictations]).toEqual([
      [],
      [],
      nobody,
      [],
    ]);
    await records.load();
    expect(records.recordings).toEqual(kept.recordings);
    expect(records.notes).toEqual(kept.notes);
    server.refuse('recording.list', 'FORBIDDEN');
    server.refuse('note.list', 'NOT_CONFIGURED');
    await records.load();
    expect([records.recordings, records.notes]).toEqual([[], []]);
    server.refuse('followUp.list', 'NOT_FOUND');
    expect(await codeOf(records.load())).toBe('NOT_FOUND');
  });

  it('[SDK265] show nothing any more once the person takes no part', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    expect(records.recordings).toEqual(kept.recordings);
    for (const name of ['recording.list', 'note.list', 'followUp.list'] as const)
      server.refuse(name, 'NOT_FOUND');
    server.tell('recording.changed', { consultationId, recordingId: RecordingId.parse(minted('rec')) });
    await eventually(
      () => records.recordings.length,
      (count) => count === 0,
    );
  });

  it('[SDK266] follow what the server tells of this consultation, and ask once for what is told often', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const asked = names(server).length;
    kept.recordings.unshift(recordingView(5));
    kept.notes.push(noteOf('two'));
    const recordingId = RecordingId.parse(minted('rec'));
    for (let n = 0; n < 20; n += 1) server.tell('recording.changed', { consultationId, recordingId });
    server.tell('recording.changed', { consultationId: ConsultationId.parse(minted('cns')), recordingId });
    server.tell('note.changed', { consultationId });
    const board = { ...nobody, contactRefusedSince: 7 };
    server.tell('followUps.changed', { consultationId, board });
    await eventually(
      () => [records.recordings.length, records.notes.length, records.followUps.contactRefusedSince],
      (seen) => JSON.stringify(seen) === '[2,2,7]',
    );
    expect(names(server).slice(asked).sort()).toEqual(['note.list', 'recording.list']);
    records.close();
    server.tell('followUps.changed', { consultationId, board: nobody });
    await client.listConsultations();
    expect(records.followUps).toEqual(board);
  });

  it('[SDK267] catch up after a lost connection', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const told = recorded(records.on, 'recordings');
    kept.recordings.unshift(recordingView(5));
    server.cutAll();
    await eventually(
      () => told.at(-1)?.length,
      (length) => length === 2,
    );
  });

  it('[SDK268] an older answer never overwrites what was told since', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const newer = { ...nobody, contactRefusedSince: 9 };
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answer, resolve: give } = Promise.withResolvers<void>();
    server.on('followUp.list', () => ({ board: newer }));
    server.once('followUp.list', async () => {
      ask();
      await answer;
      return { board: nobody };
    });
    const loading = records.load();
    await asked;
    server.tell('followUps.changed', { consultationId, board: newer });
    await eventually(
      () => records.followUps.contactRefusedSince,
      (since) => since === 9,
    );
    const told = recorded(records.on, 'followUps');
    give();
    await loading;
    expect(told.filter(({ contactRefusedSince }) => contactRefusedSince === null)).toEqual([]);
    expect(records.followUps).toEqual(newer);
  });

  it('[SDK269] a note or follow-up whose answer was lost is made once, also when the app asks again', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const draft = { purpose: 'summary', text: 'words', audio: null } as const;
    const note = noteOf('words');
    server.on('note.create', () => ({ note }));
    server.once('note.create', () => 'silence');
    expect(await records.createNote(draft)).toEqual(note);
    const ids = () => server.payloads('note.create').map(({ clientNoteId }) => clientNoteId);
    expect(ids().length).toBe(2);
    expect(new Set(ids()).size).toBe(1);
    expect(records.notes.length).toBe(2);
    // The next is another note, though it says the same.
    server.on('note.create', () => 'silence');
    const giveUp = new AbortController();
    const given = codeOf(records.createNote(draft, { signal: giveUp.signal }));
    await eventually(
      () => ids().length,
      (length) => length >= 3,
    );
    giveUp.abort();
    expect(await given).toBe('ABORTED');
    server.on('note.create', () => ({ note }));
    await records.createNote(draft);
    expect(new Set(ids()).size).toBe(2);
    expect(ids().at(-1)).toBe(ids()[2]);
    const followUpId = FollowUpId.parse(minted('fup'));
    server.on('followUp.plan', () => ({ board: { ...nobody, contactRefusedSince: 3 }, followUpId }));
    server.once('followUp.plan', () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    });
    const planned = await records.planFollowUp({ dueAt: 9, reason: 'look' });
    expect(planned.followUpId).toBe(followUpId);
    expect(records.followUps.contactRefusedSince).toBe(3);
    expect(new Set(server.payloads('followUp.plan').map((one) => one.clientFollowUpId)).size).toBe(1);
  });

  it('[SDK270] notes are saved from the version that was shown, signed once, added to, and thrown away', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const [note] = kept.notes;
    if (note === undefined) throw new Error('no note');
    server.refuse('note.save', 'CONFLICT');
    expect(await codeOf(records.saveNote(note, { text: 'mine', audio: null }))).toBe('CONFLICT');
    const saved = { ...note, current: { ...note.current, version: 2, text: 'mine' } };
    server.on('note.save', () => ({ note: saved }));
    await records.saveNote(note, { text: 'mine', audio: null });
    expect(records.notes).toEqual([saved]);
    expect(server.payloads('note.save').at(-1)?.from).toBe(1);
    const signed: Note = { ...saved, state: 'signed', signedAt: 5 };
    server.once('note.sign', () => 'silence');
    // Nothing is signed later than it was asked for.
    expect(await codeOf(records.signNote(saved))).toBe('TIMEOUT');
    server.on('note.sign', () => ({ note: signed }));
    await records.signNote(saved);
    expect(server.payloads('note.sign').map(({ version }) => version)).toEqual([2, 2]);
    server.on('note.add', () => ({ note: signed }));
    await records.addToNote(note.noteId, { text: 'more', audio: null });
    expect(server.payloads('note.add')[0]).toMatchObject({ noteId: note.noteId, text: 'more' });
    server.on('note.history', () => ({ versions: [note.current, saved.current] }));
    expect((await records.noteHistory(note.noteId)).length).toBe(2);
    server.on('note.discard', () => ({}));
    await records.discardNote(note.noteId);
    expect(records.notes).toEqual([]);
  });

  it('[SDK271] what records less is asked until the server has heard it; what records more is asked once', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const recording: CallRecording = {
      recordingId: RecordingId.parse(minted('rec')),
      startedBy: doctor,
      phase: 'running',
      since: 1,
      answerUntil: null,
      consents: [],
      recorded: [],
    };
    const view = ringingCall(consultationId, { recording, state: 'live' });
    // Of a call the records need no more than its view.
    const call = { view } as Call;
    const control = records.callRecording;
    const lose = new Set(['recording.start', 'recording.answer', 'recording.pause', 'recording.stop']);
    for (const name of [
      'recording.start',
      'recording.answer',
      'recording.pause',
      'recording.resume',
      'recording.stop',
    ] as const)
      server.on(name, () => {
        if (lose.delete(name)) throw new AppError('STORAGE_UNAVAILABLE');
        return { call: view };
      });
    expect(await codeOf(control.start(call))).toBe('STORAGE_UNAVAILABLE');
    expect(await control.start(call)).toEqual(recording);
    expect(await codeOf(control.answer(call, true))).toBe('STORAGE_UNAVAILABLE');
    lose.add('recording.answer');
    expect(await control.answer(call, false)).toEqual(recording);
    expect(await control.pause(call)).toEqual(recording);
    expect(await control.stop(call)).toEqual(recording);
    server.refuse('recording.resume', 'WRONG_STATE');
    expect(await codeOf(control.resume(call))).toBe('WRONG_STATE');
    expect(server.payloads('recording.answer').map(({ granted }) => granted)).toEqual([true, false, false]);
    const other = { view: { ...view, recording: null } } as Call;
    expect(await codeOf(control.stop(other))).toBe('WRONG_STATE');
    const elsewhere = { view: { ...view, consultationId: ConsultationId.parse(minted('cns')) } } as Call;
    expect(await codeOf(control.stop(elsewhere))).toBe('INVALID');
  });

  it('[SDK272] media is linked to on this server, composed and erased', async () => {
    const { server, client, kept } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const [recording] = kept.recordings;
    if (recording === undefined) throw new Error('no recording');
    const fileId = FileId.parse(minted('fil'));
    server.on('recording.link', () => ({ url: '/v1/media/x', contentType: 'audio/webm', expiresAt: 9 }));
    const link = await records.link({ fileId }, recording, 'play');
    expect(link.url).toBe(`${server.url}/v1/media/x`);
    server.on('recording.waveform', () => ({ stepMs: 100, peaks: [1, 2] }));
    expect((await records.waveform({ fileId }, recording)).peaks).toEqual([1, 2]);
    const working: RecordingView = { ...recording, composition: { state: 'working', progress: 0.5 } };
    server.on('recording.compose', () => ({ recording: working }));
    await records.compose(recording.recordingId);
    expect(records.recordings).toEqual([working]);
    const erased: RecordingView = { ...recording, state: 'erased' };
    server.on('recording.delete', () => ({ recording: erased }));
    await records.erase(recording.recordingId);
    expect(records.recordings).toEqual([erased]);
  });

  it('[SDK273] follow-ups are changed, begun, completed and refused, and the newest board is shown', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    const records = await loaded(client);
    const followUpId = FollowUpId.parse(minted('fup'));
    let since = 10;
    for (const name of [
      'followUp.change',
      'followUp.cancel',
      'followUp.begin',
      'followUp.complete',
      'contact.set',
    ] as const)
      server.on(name, () => ({ board: { ...nobody, contactRefusedSince: (since += 1) } }));
    await records.changeFollowUp(followUpId, { dueAt: 1, reason: 'r' });
    await records.beginFollowUp(followUpId);
    await records.completeFollowUp(followUpId, { outcome: 'reached' });
    await records.cancelFollowUp(followUpId);
    await records.refuseContact(true);
    expect(records.followUps.contactRefusedSince).toBe(15);
    server.once('contact.set', () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    });
    await records.refuseContact(true);
    server.once('contact.set', () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    });
    expect(await codeOf(records.refuseContact(false))).toBe('STORAGE_UNAVAILABLE');
  });

  it('[SDK274] only a client of the SDK has records, and a dictation names its follow-up if it is of one', async () => {
    const { server, client } = await started();
    await using _server = server;
    await using _client = client;
    expect(() => openRecords({} as TeleconsultClient, consultationId)).toThrow(AppError);
    const records = await loaded(client);
    expect(await codeOf(records.dictate({ purpose: 'follow_up' }))).toBe('INVALID');
    expect(await codeOf(records.dictate({ purpose: 'summary' }))).toBe('UNSUPPORTED_BROWSER');
  });
});
