import type { ParticipantRole } from '@teleconsult/protocol';
import {
  type Onlooker,
  onlookerOf,
  type RecordingAct,
  recordingRights,
  type Standing,
} from '@teleconsult/server/playback/recording-rights';
import { expect, test } from 'vitest';
import { asked, consultationId, openStage, person, recordingId } from './playback.fixtures.ts';

const ACTS: readonly RecordingAct[] = ['list', 'play', 'download', 'delete'];

/** l: list, p: play, d: download, e: erase. Written down a second time, so that a slip in the table is seen. */
const expected: Record<Standing, Record<Onlooker, string>> = {
  call: {
    patient: 'lp',
    doctor: 'lpde',
    colleague: 'lp',
    relative: '',
    interpreter: '',
    author: '',
    host: 'le',
  },
  dictation: {
    patient: '',
    doctor: '',
    colleague: '',
    relative: '',
    interpreter: '',
    author: 'lpde',
    host: 'le',
  },
  'held dictation': {
    patient: 'lp',
    doctor: 'lp',
    colleague: '',
    relative: '',
    interpreter: '',
    author: 'lpd',
    host: 'l',
  },
  'published clip': {
    patient: '',
    doctor: '',
    colleague: '',
    relative: '',
    interpreter: '',
    author: 'lpd',
    host: 'lde',
  },
};

const letters: Record<RecordingAct, string> = { list: 'l', play: 'p', download: 'd', delete: 'e' };

const cells = (Object.keys(expected) as Standing[]).flatMap((standing) =>
  (Object.keys(expected[standing]) as Onlooker[]).flatMap((onlooker) =>
    ACTS.map((act) => ({ standing, onlooker, act })),
  ),
);

test.for(cells)('[PLAY1] $onlooker, $standing: $act', ({ standing, onlooker, act }) => {
  expect(recordingRights[standing][onlooker].includes(act)).toBe(
    expected[standing][onlooker].includes(letters[act]),
  );
});

test('[PLAY1] the table has no cell that is not expected', () => {
  for (const [standing, row] of Object.entries(recordingRights))
    expect(Object.keys(row).sort(), standing).toEqual(Object.keys(expected[standing as Standing]).sort());
});

test('[PLAY2] in a thread of colleagues the one who recorded has a doctor’s rights, the others a colleague’s', () => {
  const participants = ['ann', 'bob'].map((name) => ({
    personId: person(name),
    role: 'doctor' as const,
    displayName: name,
  }));
  const recording = { purpose: 'consultation' as const, startedBy: person('ann') };
  const view = { kind: 'colleagues' as const, participants };
  expect(onlookerOf(person('ann'), view, recording)).toBe('doctor');
  expect(onlookerOf(person('bob'), view, recording)).toBe('colleague');
  expect(onlookerOf(person('eve'), view, recording)).toBeNull();
  expect(onlookerOf(null, view, recording)).toBe('host');
});

test.for([
  ['patient', ['play']],
  ['doctor', ['play', 'download', 'delete']],
  ['colleague', ['play']],
  ['relative', null],
  ['interpreter', null],
] as const)(
  '[PLAY3] to a %s a recording of a call shows what may be done with it, or is not there',
  async ([role, rights]) => {
    await using stage = await openStage();
    stage.roles.set('who', role);
    await stage.record(1);
    const { recordings } = await stage.playback.list({ consultationId }, asked('who'));
    expect(recordings.map((recording) => recording.rights)).toEqual(rights === null ? [] : [rights]);
  },
);

test('[PLAY3] a dictation is its author’s alone until a signed note holds it, and then cannot be erased', async () => {
  await using stage = await openStage();
  stage.roles.set('other', 'doctor');
  const recording = { consultationId, recordingId: await stage.record(1, { purpose: 'summary' }) };
  const rightsOf = async (name: string) => {
    const { recordings } = await stage.playback.list({ consultationId }, asked(name));
    return recordings[0]?.rights ?? null;
  };
  expect(await rightsOf('doc')).toEqual(['play', 'download', 'delete']);
  expect([await rightsOf('pat'), await rightsOf('other')]).toEqual([null, null]);
  stage.held.add(recording.recordingId);
  expect(await rightsOf('doc')).toEqual(['play', 'download']);
  expect([await rightsOf('pat'), await rightsOf('other')]).toEqual([['play'], ['play']]);
  await expect(stage.playback.delete(recording, asked('doc'))).rejects.toMatchObject({ code: 'WRONG_STATE' });
  await expect(stage.playback.deleteForHost(consultationId, recording.recordingId)).rejects.toMatchObject({
    code: 'WRONG_STATE',
  });
  await expect(stage.playback.delete(recording, asked('pat'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test('[PLAY4] to who left, was taken out or never took part there is no recording, whatever they ask', async () => {
  await using stage = await openStage();
  const roles: [string, ParticipantRole][] = [['col', 'colleague']];
  for (const [name, role] of roles) stage.roles.set(name, role);
  const recording = { consultationId, recordingId: await stage.record(1) };
  const { recordings } = await stage.playback.list({ consultationId }, asked('col'));
  expect(recordings).toHaveLength(1);
  stage.roles.delete('col');
  const { playback } = stage;
  const file = { ...recording, fileId: 'fil_0000000000000000000001' as never };
  for (const name of ['col', 'stranger'])
    for (const ask of [
      () => playback.list({ consultationId }, asked(name)),
      () => playback.link({ ...file, right: 'play' }, asked(name)),
      () => playback.waveform(file, asked(name)),
      () => playback.compose(recording, asked(name)),
      () => playback.delete(recording, asked(name)),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND', detail: undefined });
  stage.roles.set('rel', 'relative');
  const missing = { ...recording, recordingId: recordingId(77) };
  const answers = await Promise.allSettled([
    playback.delete(recording, asked('rel')),
    playback.delete(missing, asked('rel')),
  ]);
  expect(answers.map((answer) => answer.status === 'rejected' && answer.reason.code)).toEqual([
    'NOT_FOUND',
    'NOT_FOUND',
  ]);
});
