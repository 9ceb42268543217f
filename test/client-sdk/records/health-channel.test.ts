import { clipsOf, openHealthChannel, type Records } from '@teleconsult/client-sdk/records';
import {
  ConsultationId,
  type ConsultationView,
  type Note,
  NoteId,
  RecordingId,
  type RecordingView,
} from '@teleconsult/protocol';
import { expect, it } from 'vitest';
import { clientOf } from '../helpers/clients.ts';
import { codeOf } from '../helpers/eventually.ts';
import { doctor, minted } from '../helpers/samples.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';

const consultationId = ConsultationId.parse(minted('cns'));

const channel: ConsultationView = {
  consultationId,
  kind: 'health_channel',
  phase: 'active',
  phaseSince: 1,
  endReason: null,
  declineReason: null,
  requestedBy: doctor,
  subject: null,
  participants: [{ personId: doctor, role: 'doctor', displayName: 'Dr. An' }],
  createdAt: 1,
  lastSequence: 2,
};

function clip(
  text: string,
  change: { state?: Note['state']; recording?: Partial<RecordingView> | null } = {},
) {
  const recordingId = RecordingId.parse(minted('rec'));
  const { state = 'draft', recording = {} } = change;
  const note: Note = {
    noteId: NoteId.parse(minted('not')),
    consultationId,
    purpose: 'health_channel',
    followUpId: null,
    author: doctor,
    createdAt: 1,
    state,
    signedAt: state === 'signed' ? 2 : null,
    current: {
      version: 1,
      at: 1,
      by: doctor,
      text,
      audio: recording === null ? null : { recordingId, startMs: 0, endMs: null },
    },
    additions: [],
  };
  const view: RecordingView = {
    recordingId,
    consultationId,
    purpose: 'health_channel',
    callId: null,
    phoneCallId: null,
    followUpId: null,
    startedBy: doctor,
    startedAt: 1,
    endedAt: 2,
    state: 'ready',
    files: [],
    composition: { state: 'none' },
    rights: ['play'],
    ...recording,
  };
  return { note, view };
}

it('[HCH20] the channel is opened with its records; it waits for the connection', async () => {
  await using server = await ScriptedServer.start();
  let asked = 0;
  server.on('healthChannel.open', () => {
    asked += 1;
    return { consultation: channel };
  });
  server.on('recording.list', () => ({ recordings: [] }));
  server.on('note.list', () => ({ notes: [] }));
  server.on('followUp.list', () => ({ board: { followUps: [], contactRefusedSince: null } }));
  await using client = clientOf(server, { requestTimeoutMs: 300 });
  const connecting = client.connect();
  // Before there is a connection.
  const opening = openHealthChannel(client);
  await connecting;
  const { consultation, records } = await opening;
  expect(consultation).toEqual(channel);
  expect(records.consultationId).toBe(consultationId);
  await records.load();
  expect(clipsOf(records)).toEqual([]);
  records.close();
  expect(asked).toBe(1);
});

it('[HCH20] what is refused rejects with its code, as does a client that is not the SDK’s', async () => {
  await using server = await ScriptedServer.start();
  await using client = clientOf(server, { requestTimeoutMs: 300 });
  await client.connect();
  server.refuse('healthChannel.open', 'FORBIDDEN');
  expect(await codeOf(openHealthChannel(client))).toBe('FORBIDDEN');
  expect(await codeOf(openHealthChannel({} as typeof client))).toBe('INVALID');
});

it('[HCH21] clips are drafts, published or withdrawn, newest first, each with the title that is its first line', () => {
  const draft = clip('  Walking \nafter an operation');
  const written = clip('', { recording: null });
  const published = clip('Washing hands', { state: 'signed' });
  const withdrawn = clip('Colds', { state: 'signed', recording: { state: 'erased', rights: [] } });
  const summary: Note = { ...draft.note, purpose: 'summary' };
  const held: Pick<Records, 'notes' | 'recordings'> = {
    notes: [withdrawn.note, published.note, summary, draft.note, written.note],
    recordings: [withdrawn.view, published.view, draft.view],
  };
  expect(
    clipsOf(held).map(({ state, title, recording }) => [state, title, recording?.recordingId ?? null]),
  ).toEqual([
    ['draft', '', null],
    ['draft', 'Walking', draft.view.recordingId],
    ['published', 'Washing hands', published.view.recordingId],
    ['withdrawn', 'Colds', withdrawn.view.recordingId],
  ]);
});
