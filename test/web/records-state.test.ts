import type {
  CallRecording,
  ConsultationId,
  FileId,
  FollowUp,
  FollowUpId,
  Note,
  NoteId,
  NoteVersion,
  PersonId,
  RecordingFile,
  RecordingId,
  RecordingView,
  TruncationReason,
} from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { dialogs as dialogsEn } from '../../web/i18n/en/dialogs.ts';
import { records as recordsEn } from '../../web/i18n/en/records.ts';
import { dialogs as dialogsZh } from '../../web/i18n/zh-cn/dialogs.ts';
import { records as recordsZh } from '../../web/i18n/zh-cn/records.ts';
import { safetyOf } from '../../web/state/dictation-safety.ts';
import { dateOf, dueAtOf, followUpOrder } from '../../web/state/follow-up-order.ts';
import { looseDictations } from '../../web/state/loose-dictations.ts';
import { OpenVisits } from '../../web/state/open-visits.ts';
import { isHeard, recordingNews } from '../../web/state/recording-news.ts';
import { summaryOf } from '../../web/state/recording-summary.ts';
import { audioOf, isCut, moveEnd, trimOf, trimWithin } from '../../web/state/trim.ts';

const NOW = new Date(2026, 2, 10, 14, 30).getTime();
const doctor = 'doctor' as PersonId;
const patient = 'patient' as PersonId;

function texts(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') return [[path, String(node('1', '2'))]];
  return Object.entries(node as object).flatMap(([key, value]) => texts(value, `${path}.${key}`));
}

describe('the words about what is recorded', () => {
  it.each([
    ['records', recordsEn, recordsZh],
    ['dialogs', dialogsEn, dialogsZh],
  ])(
    '[WEB126] %s: both languages say the same things, none is empty, the Chinese are Chinese',
    (_name, en, zhCn) => {
      const [english, chinese] = [texts(en), texts(zhCn)];
      for (const [path, text] of [...english, ...chinese]) expect(text.trim(), path).not.toBe('');
      expect(chinese.map(([path]) => path)).toEqual(english.map(([path]) => path));
      for (const [path, text] of chinese) expect(text, path).toMatch(/\p{Script=Han}|：/u);
    },
  );
});

describe('what is told of the recording of a call', () => {
  const of = (phase: CallRecording['phase'], state: 'asked' | 'granted' = 'granted'): CallRecording => ({
    recordingId: 'rec_1' as RecordingId,
    startedBy: doctor,
    phase,
    since: NOW,
    answerUntil: null,
    consents: [{ personId: patient, state, since: NOW }],
    recorded: [],
  });
  const told = (before: CallRecording | null, after: CallRecording | null, isFirst = false) =>
    recordingNews({ before, after, isFirst, self: patient });

  it('[WEB130] its beginning, pause, going on and end are told once each, and those that are heard are heard', () => {
    expect(told(of('asking'), of('running'))).toBe('began');
    expect(told(of('running'), of('running'))).toBeNull();
    expect(told(of('running'), of('paused'))).toBe('paused');
    expect(told(of('paused'), of('running'))).toBe('resumed');
    expect(told(of('running'), null)).toBe('over');
    expect((['began', 'runs', 'resumed'] as const).every(isHeard)).toBe(true);
    expect((['asked', 'paused', 'over'] as const).some(isHeard)).toBe(false);
  });

  it('[WEB130] whoever joins late or reloads is told that it runs, and is asked when they have to be', () => {
    expect(told(null, of('running'), true)).toBe('runs');
    expect(told(null, of('running', 'asked'), true)).toBe('asked');
    expect(told(of('running', 'asked'), of('running', 'asked'))).toBeNull();
    expect(told(null, of('asking', 'asked'))).toBe('asked');
  });

  it('[WEB130] what was asked for and did not begin is no recording that ends', () => {
    expect(told(of('asking'), null)).toBeNull();
    expect(told(null, null)).toBeNull();
  });
});

describe('what the list says of a recording', () => {
  const view = (change: Partial<RecordingView>): RecordingView =>
    ({
      recordingId: 'rec_1',
      purpose: 'consultation',
      startedAt: NOW - 60_000,
      endedAt: NOW,
      state: 'ready',
      files: [],
      ...change,
    }) as RecordingView;
  const part = (change: Partial<RecordingFile>): RecordingFile => ({
    fileId: 'fil_1' as FileId,
    personId: doctor,
    channels: null,
    source: 'microphone',
    contentType: 'audio/webm;codecs=opus',
    startedAt: NOW,
    durationMs: 1000,
    byteSize: 9,
    state: 'whole',
    truncated: null,
    ...change,
  });

  it('[WEB131] it is being recorded, being sealed, complete or erased', () => {
    const growing = part({ state: 'growing', durationMs: null });
    const states = [
      view({ state: 'running', endedAt: null }),
      view({ state: 'running' }),
      view({ files: [growing] }),
      view({}),
      view({ state: 'erased' }),
    ].map((recording) => summaryOf(recording, NOW).state);
    expect(states).toEqual(['running', 'sealing', 'sealing', 'ready', 'erased']);
    expect(summaryOf(view({ state: 'running', endedAt: null }), NOW).lengthMs).toBe(60_000);
  });

  it('[WEB131] what was lost is told once for each reason, with when it began', () => {
    const lost = (at: number, reason: TruncationReason) =>
      part({ state: 'truncated', truncated: { at, reason } });
    const files = [lost(9, 'server_stopped'), lost(5, 'server_stopped'), lost(7, 'storage_failed')];
    const summary = summaryOf(view({ files }), NOW);
    expect(summary.losses).toEqual([
      { reason: 'server_stopped', at: 5 },
      { reason: 'storage_failed', at: 7 },
    ]);
    expect(summary.isPlayable).toBe(true);
  });
});

describe('the ends of a dictation', () => {
  it('[WEB132] an end moves no further than half a second from the other, and not out of the dictation', () => {
    const trim = { startMs: 1000, endMs: 4000 };
    expect(moveEnd(trim, { startMs: 9000 }, 5000)).toEqual({ startMs: 3500, endMs: 4000 });
    expect(moveEnd(trim, { endMs: 200 }, 5000)).toEqual({ startMs: 1000, endMs: 1500 });
    expect(moveEnd(trim, { startMs: -5 }, 5000).startMs).toBe(0);
    expect(moveEnd(trim, { endMs: 9e9 }, 5000).endMs).toBe(5000);
    expect(trimWithin({ startMs: 8000, endMs: 9000 }, 5000)).toEqual({ startMs: 4500, endMs: 5000 });
    expect(trimWithin({ startMs: 0, endMs: 10 }, 200)).toEqual({ startMs: 0, endMs: 200 });
  });

  it('[WEB132] an end that was not cut stays open, so that it is the end of the dictation', () => {
    const id = 'rec_1' as RecordingId;
    expect(audioOf(id, { startMs: 0, endMs: 5000 }, 5000)).toEqual({
      recordingId: id,
      startMs: 0,
      endMs: null,
    });
    expect(audioOf(id, { startMs: 100, endMs: 4000 }, 5000).endMs).toBe(4000);
    expect(trimOf({ startMs: 100, endMs: null }, 5000)).toEqual({ startMs: 100, endMs: 5000 });
    expect(isCut({ startMs: 0, endMs: 5000 }, 5000)).toBe(false);
    expect(isCut({ startMs: 0, endMs: 4999 }, 5000)).toBe(true);
  });
});

describe('what is safe of a dictation', () => {
  it('[WEB133] the words claim no more than the figures: server, device, or still being written', () => {
    const of = (keptMs: number, savedMs: number) => safetyOf({ durationMs: 20_000, keptMs, savedMs });
    expect(of(20_000, 19_500)).toBe('server');
    expect(of(20_000, 12_000)).toBe('device');
    expect(of(12_000, 12_000)).toBe('risk');
    expect(safetyOf({ durationMs: 0, keptMs: 0, savedMs: 0 })).toBe('device');
  });

  it('[WEB133] a visit with a dictation that runs is never let go of', async () => {
    const closed: string[] = [];
    const visits = new OpenVisits({
      follow: async (id) => ({
        call: null,
        visit: { outbox: [], draft: '' },
        replyTo: null,
        isDictating: id === 'a',
        close: async () => void closed.push(id),
      }),
      shownId: () => null,
      most: 1,
    });
    for (const id of ['a', 'b', 'c']) await visits.open(id);
    expect(closed).toEqual(['b']);
  });

  it('[WEB134] a finished dictation that no note holds is offered, one of an earlier version or of somebody else is not', () => {
    const dictated = (recordingId: string, change: object = {}) =>
      ({ recordingId, purpose: 'summary', startedBy: doctor, state: 'ready', ...change }) as RecordingView;
    const version = (recordingId: string | null): NoteVersion => ({
      version: 1,
      at: NOW,
      by: doctor,
      text: '',
      audio:
        recordingId === null ? null : { recordingId: recordingId as RecordingId, startMs: 0, endMs: null },
    });
    const note: Note = {
      noteId: 'not_1' as NoteId,
      consultationId: 'cns_1' as ConsultationId,
      purpose: 'summary',
      followUpId: null,
      author: doctor,
      createdAt: NOW,
      state: 'signed',
      signedAt: NOW,
      current: version('held'),
      additions: [version('added'), version(null)],
    };
    const recordings = [
      dictated('loose'),
      dictated('held'),
      dictated('added'),
      dictated('earlier'),
      dictated('erased', { state: 'erased' }),
      dictated('running', { state: 'running' }),
      dictated('call', { purpose: 'consultation' }),
      dictated('other', { startedBy: 'other' }),
    ];
    const found = looseDictations({ recordings, notes: [note], history: new Set(['earlier']), self: doctor });
    expect(found.map(({ recordingId }) => recordingId)).toEqual(['loose']);
  });
});

describe('follow-ups', () => {
  it('[WEB135] what is under way or due comes first, then what is planned by date, then what is over', () => {
    const of = (id: string, state: FollowUp['state'], dueAt: number, since = 0) =>
      ({ followUpId: id as FollowUpId, state, dueAt, since }) as FollowUp;
    const order = followUpOrder([
      of('done-old', 'done', 1, 1),
      of('later', 'planned', 9),
      of('soon', 'planned', 5),
      of('cancelled-new', 'cancelled', 2, 8),
      of('due', 'due', 4),
      of('now', 'in_progress', 7),
    ]);
    expect(order.map(({ followUpId }) => followUpId)).toEqual([
      'now',
      'due',
      'soon',
      'later',
      'cancelled-new',
      'done-old',
    ]);
  });

  it('[WEB135] a day is taken from today on within five years, and one for today still lies ahead', () => {
    expect(dueAtOf('2026-03-11', NOW)).toBe(new Date(2026, 2, 11, 9).getTime());
    expect(dueAtOf('2026-03-10', NOW)).toBe(NOW + 5 * 60_000);
    for (const wrong of ['', '2026-03-09', '2026-02-31', '2036-03-10', 'soon', '2026-13-01'])
      expect(dueAtOf(wrong, NOW), wrong).toBeNull();
    expect(dateOf(NOW)).toBe('2026-03-10');
  });
});
