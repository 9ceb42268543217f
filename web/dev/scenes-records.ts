import type {
  CallRecording,
  ConsultationId,
  ConsultationView,
  ParticipantRole,
  PersonId,
} from '@teleconsult/protocol';
import { language } from '../i18n/language.ts';
import * as ids from './mock-ids.ts';
import { mockFilm } from './mock-media.ts';
import { MockRecords } from './mock-records.ts';
import { speech } from './mock-speech.ts';
import { type MockThread, words } from './mock-thread.ts';
import type { MockVisit } from './mock-visit.ts';
import { press } from './press.ts';

/** The states of recordings, dictations, notes and follow-ups. The names are those of `?scene=`. */
export const RECORDS_SCENES = [
  'recording-asked',
  'recording-late',
  'recording-asking',
  'recording-running',
  'recording-paused',
  'recording-small',
  'recording-thread',
  'records-none',
  'records',
  'records-player',
  'notes',
  'note-draft',
  'note-conflict',
  'dictating',
  'dictation-paused',
  'dictation-interrupted',
  'dictation-offline',
  'dictation-bar',
  'follow-ups',
  'follow-up-form',
  'follow-up-result',
  'follow-up-refused',
] as const;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const held = new Map<string, MockRecords>();

/** One for each visit of the scene. */
export function recordsOf(consultationId: string): MockRecords {
  const records = held.get(consultationId) ?? new MockRecords(consultationId as ConsultationId);
  held.set(consultationId, records);
  return records;
}

export const startsEnded = (scene: string): boolean => scene.startsWith('follow-up');

/** The lines of the thread. */
export function writesRecords(scene: string, view: ConsultationView, thread: MockThread): void {
  if (scene !== 'recording-thread') return;
  const [patient, doctor] = view.participants.map(({ personId }) => personId);
  const of = { recordingId: ids.recordingId() };
  const followUpId = ids.followUpId();
  const dueAt = Date.now() + 7 * DAY;
  const text = words[language()];
  thread.add({ kind: 'recording.asked', callId: ids.callId(), ...of }, doctor ?? null, 20_000);
  thread.add({ kind: 'recording.agreed', ...of }, patient ?? null, 5000);
  thread.add({ kind: 'recording.started', ...of }, null, 1000);
  thread.add({ kind: 'recording.paused', ...of }, doctor ?? null, 9000);
  thread.add({ kind: 'recording.resumed', ...of }, doctor ?? null, 9000);
  thread.add({ kind: 'recording.stopped', ...of, reason: 'consent_withdrawn' }, patient ?? null, 60_000);
  thread.add({ kind: 'note.signed', noteId: ids.noteId(), purpose: 'summary' }, doctor ?? null, 60_000);
  thread.add({ kind: 'followUp.planned', followUpId, dueAt, reason: text.note }, doctor ?? null, 60_000);
  thread.add({ kind: 'contact.changed', refused: true }, patient ?? null, 60_000);
}

/** What there is before the page opens its consultation. */
export async function prepareRecords(scene: string, role: ParticipantRole, visit: MockVisit): Promise<void> {
  const records = recordsOf(visit.id);
  const [patient, doctor] = visit.view.participants.map(({ personId }) => personId);
  if (patient === undefined || doctor === undefined) return;
  records.self = role === 'doctor' ? doctor : patient;
  const text = words[language()];
  if (scene === 'records' || scene === 'records-player')
    await addRecordings(records, { patient, doctor, role });
  if (scene === 'dictation-interrupted')
    records
      .addDictation({ purpose: 'summary' })
      .become({ state: 'interrupted', durationMs: 74_000, keptMs: 74_000, savedMs: 61_000 });
  if (scene.startsWith('note')) addNotes(records, { scene, role });
  if (scene.startsWith('follow-up')) {
    records.addFollowUp({ dueAt: Date.now() + 9 * DAY, reason: text.note });
    const isUnderWay = scene === 'follow-up-result';
    const { followUpId } = records.addFollowUp({
      dueAt: Date.now() - 2 * 60 * MINUTE,
      reason: text.advice,
      state: isUnderWay ? 'in_progress' : 'due',
    });
    records.addFollowUp({
      dueAt: Date.now() - 30 * DAY,
      reason: text.more,
      state: 'done',
      outcome: 'not_reached',
    });
    if (isUnderWay) records.addNote({ purpose: 'follow_up', followUpId, text: text.answer, audio: null });
    if (scene === 'follow-up-refused') await records.refuseContact(true);
  }
}

/** Plays one of `RECORDS_SCENES`; any other name does nothing. */
export async function playRecords(scene: string, role: ParticipantRole, visit: MockVisit): Promise<void> {
  if (!RECORDS_SCENES.some((known) => known === scene)) return;
  if (scene.startsWith('recording-') && scene !== 'recording-thread') return playCall(scene, visit);
  const records = recordsOf(visit.id);
  if (scene.startsWith('dictati') && scene !== 'dictation-interrupted') await playDictation(scene, records);
  else if (scene.startsWith('records')) {
    await open('records');
    if (scene === 'records-player') await press('recording-listen');
  } else if (scene.startsWith('note')) {
    await open('notes');
    if (scene !== 'notes') await press('note-edit');
  } else if (scene.startsWith('follow-up')) {
    await open('followUps');
    if (scene === 'follow-up-form' && role === 'doctor') await press('follow-up-plan');
    if (scene === 'follow-up-result' && role === 'doctor') await press('follow-up-complete');
  }
}

async function open(dialog: 'records' | 'notes' | 'followUps'): Promise<void> {
  await press('visit-menu');
  await press(`menu-${dialog}`);
}

async function playDictation(scene: string, records: MockRecords): Promise<void> {
  const dictation = records.addDictation({ purpose: 'summary' });
  dictation.isOffline = scene === 'dictation-offline';
  dictation.become({
    state: 'recording',
    durationMs: 48_000,
    keptMs: 47_600,
    savedMs: dictation.isOffline ? 12_000 : 46_800,
  });
  if (scene === 'dictation-paused') dictation.pause();
  if (scene !== 'dictation-bar') await open('notes');
}

async function playCall(scene: string, visit: MockVisit): Promise<void> {
  const call = visit.ring('video', 'answered');
  call.cameraOn = true;
  await settled(250);
  const isLate = scene === 'recording-late';
  const isAsked = scene === 'recording-asked' || scene === 'recording-asking';
  const doctor = visit.view.participants.find(({ role }) => role === 'doctor')?.personId ?? call.self;
  const phase: CallRecording['phase'] = isAsked
    ? 'asking'
    : scene === 'recording-paused'
      ? 'paused'
      : 'running';
  const people = visit.view.participants.map(({ personId }) => personId);
  call.recordingIs({
    recordingId: ids.recordingId(),
    startedBy: doctor,
    phase,
    since: Date.now() - (isAsked ? 3_000 : 42_000),
    answerUntil: isAsked ? Date.now() + MINUTE : null,
    consents: people.map((personId) => ({
      personId,
      state: personId !== doctor && (isAsked || isLate) ? 'asked' : 'granted',
      since: Date.now(),
    })),
    recorded: phase === 'running' && !isLate ? people : [],
  });
  if (scene === 'recording-small') await press('call-small');
}

async function addRecordings(
  records: MockRecords,
  {
    patient,
    doctor,
    role,
  }: { readonly patient: PersonId; readonly doctor: PersonId; readonly role: ParticipantRole },
): Promise<void> {
  const startedAt = Date.now() - 3 * 60 * MINUTE;
  const length = 24_000;
  const rights = role === 'doctor' ? (['play', 'download', 'delete'] as const) : (['play'] as const);
  const film = await mockFilm('#2f6f8f', 1500);
  records.add({ startedAt: startedAt - 2 * DAY, state: 'erased', rights: [] });
  const lost = records.addFile({
    personId: doctor,
    startedAt: startedAt - DAY,
    durationMs: length,
    spoken: speech(length, 0),
    truncated: { at: startedAt - DAY + length, reason: 'server_stopped' },
  });
  records.add({
    startedAt: startedAt - DAY,
    files: [lost],
    rights: [...rights],
    composition: { state: 'working', progress: 0.4 },
  });
  const growing = {
    ...records.addFile({ personId: doctor, startedAt, durationMs: 5000 }),
    state: 'growing' as const,
    durationMs: null,
  };
  records.add({ startedAt: Date.now() - 4 * MINUTE, files: [growing], rights: [...rights] });
  const files = [
    records.addFile({ personId: doctor, startedAt, durationMs: length, spoken: speech(length, 0) }),
    records.addFile({
      personId: patient,
      startedAt: startedAt + 2000,
      durationMs: length - 2000,
      spoken: speech(length - 2000, 1),
    }),
    records.addFile({ personId: patient, startedAt: startedAt + 2000, durationMs: 1500, film }),
  ];
  records.add({ startedAt, files, rights: [...rights], composition: { state: 'none' } });
}

function addNotes(
  records: MockRecords,
  { scene, role }: { readonly scene: string; readonly role: ParticipantRole },
): void {
  const text = words[language()];
  const by = records.self;
  records.self = ids.personId('doctor-1');
  const said = records.addDictated('summary', 14_000);
  const audio = { recordingId: said.recordingId, startMs: 0, endMs: null };
  const { noteId } = records.addNote({ purpose: 'summary', followUpId: null, text: text.advice, audio });
  void records.signNote(records.notes.find((note) => note.noteId === noteId) ?? never());
  void records.addToNote(noteId, { text: text.note, audio: null });
  if (role === 'doctor') {
    const more = records.addDictated('summary', 21_000);
    const draft = records.addNote({
      purpose: 'summary',
      followUpId: null,
      text: text.more,
      audio: { recordingId: more.recordingId, startMs: 1500, endMs: 18_000 },
    });
    void records.saveNote(draft, { ...draft.current, text: text.complaint });
    if (scene === 'note-conflict') conflict(records, draft.noteId);
  }
  records.self = by;
}

/** As soon as the draft is written in, another device turns out to have saved it. */
function conflict(records: MockRecords, noteId: string): void {
  const text = words[language()];
  setTimeout(() => {
    const note = records.notes.find((held) => held.noteId === noteId);
    if (note === undefined) return;
    const area = field(document, 'note-text');
    if (area === null) return conflict(records, noteId);
    area.value = text.answer;
    area.dispatchEvent(new Event('input'));
    records.saveElsewhere(noteId, { text: text.question, audio: note.current.audio });
    area.dispatchEvent(new Event('blur'));
  }, 300);
}

function field(root: ParentNode, testId: string): HTMLTextAreaElement | null {
  const found = root.querySelector<HTMLTextAreaElement>(`[data-testid="${testId}"]`);
  if (found !== null) return found;
  for (const element of root.querySelectorAll('*')) {
    const inside = element.shadowRoot === null ? null : field(element.shadowRoot, testId);
    if (inside !== null) return inside;
  }
  return null;
}

const never = (): never => {
  throw new Error('no such note');
};

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
