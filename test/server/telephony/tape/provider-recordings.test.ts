import { AppError } from '@teleconsult/protocol';
import { waveHead } from '@teleconsult/server/playback/wave-head';
import { recordingIdOf } from '@teleconsult/server/recordings/purposes';
import { Recovery } from '@teleconsult/server/recordings/recovery';
import { PHONE_CALL_SOUND } from '@teleconsult/server/recordings/sample-format';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { type FetchedRecording, RelayError } from '@teleconsult/server/telephony/ports';
import { ProviderRecordings } from '@teleconsult/server/telephony/tape/provider-recordings';
import { expect, test } from 'vitest';
import { noLog } from '../../../contract/track-files.fixtures.ts';
import { eventually } from '../../../helpers/eventually.ts';
import {
  asked,
  bindingId,
  callee,
  caller,
  consultationId,
  openTapeStage,
  phoneCallId,
  phoneSound,
  type TapeStage,
} from './tape.fixtures.ts';

const samples = phoneSound(2, () => ({ left: true, right: false }));
const sound = Buffer.concat([waveHead(PHONE_CALL_SOUND, samples.byteLength), samples]);
const recordingId = recordingIdOf(phoneCallId(1));
const report = {
  provider: 'acme',
  recordingRef: 'RE1',
  phoneCallId: phoneCallId(1),
  bindingId,
  consultationId,
};

interface Acme extends AsyncDisposable {
  readonly fetching: ProviderRecordings;
  /** What was asked of the provider, and how it stood here then. */
  readonly asked: string[];
  /** What it answers next, instead of what it has. */
  readonly failures: { readonly of: 'fetch' | 'delete'; readonly error: Error }[];
  /** What it answers next as if it were sound. */
  readonly pages: Buffer[];
  /** What was asked for, by its name there. */
  readonly refs: string[];
}

function acme(stage: TapeStage): Acme {
  const calls: string[] = [];
  const failures: { of: 'fetch' | 'delete'; error: Error }[] = [];
  const pages: Buffer[] = [];
  const refs: string[] = [];
  const failing = (of: 'fetch' | 'delete'): void => {
    const index = failures.findIndex((failure) => failure.of === of);
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  };
  const note = async (what: string): Promise<void> => {
    const files = await stage.filesOf();
    calls.push([what, ...files.map(({ stored }) => stored.state)].join(' '));
  };
  const fetching = new ProviderRecordings({
    store: stage.store,
    host: { sealing: async () => ({ key: stage.key }) },
    callOf: async () => ({ consultationId, caller, callee, startedAt: 1_000, endedAt: 3_000 }),
    tapes: stage.tapes,
    providerOf: (name) =>
      name !== 'acme'
        ? null
        : {
            fetchRecording: async (ref): Promise<FetchedRecording> => {
              refs.push(`fetch ${ref}`);
              await note('fetch');
              failing('fetch');
              const answer = pages.shift() ?? sound;
              return {
                body: (async function* () {
                  yield answer;
                })(),
                contentType: 'audio/x-wav',
                channels: 2,
              };
            },
            deleteRecording: async (ref) => {
              refs.push(`delete ${ref}`);
              await note('delete');
              failing('delete');
            },
          },
    clock: () => stage.time.now,
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (step) => void stage.logged.push({ step, fields: {} }),
    },
    waitsMs: [0],
  });
  return { fetching, asked: calls, failures, pages, refs, [Symbol.asyncDispose]: () => fetching.close() };
}

const ready = (stage: TapeStage) =>
  eventually('the recording to be ready', async () => (await stage.stateOf()) === 'ready');

test('[TAP36] what a provider has recorded is written down as wanted, fetched, sealed, and only then deleted there', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  await provider.fetching.wanted(report);
  await ready(stage);
  expect(provider.asked).toEqual(['fetch', 'delete whole']);
  const [file] = await stage.filesOf();
  expect(file?.bytes.equals(sound)).toBe(true);
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  expect(recordings).toMatchObject([{ recordingId, startedAt: 1_000, endedAt: 3_000, state: 'ready' }]);
  // Told again, whenever: nothing is fetched, and what may still lie there goes.
  await provider.fetching.wanted(report);
  expect(provider.asked).toEqual(['fetch', 'delete whole', 'delete whole']);
  expect(await stage.filesOf()).toHaveLength(1);
});

test('[TAP37] a provider that is away is asked again, and one that does not delete keeps nobody from the recording', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  stage.time.now = 3_000;
  provider.failures.push(
    { of: 'fetch', error: new RelayError('not_found') },
    { of: 'fetch', error: new RelayError('unavailable') },
    { of: 'delete', error: new RelayError('unavailable') },
  );
  await provider.fetching.wanted(report);
  await ready(stage);
  expect(provider.asked).toEqual(['fetch', 'fetch', 'fetch', 'delete whole', 'delete whole']);
});

test('[TAP37] what was wanted before the server stopped is fetched after its start, and taking up ends no such recording', async () => {
  await using stage = await openTapeStage();
  {
    await using provider = acme(stage);
    for (let tries = 0; tries < 100; tries += 1)
      provider.failures.push({ of: 'fetch', error: new RelayError('unavailable') });
    stage.time.now = 3_000;
    await provider.fetching.wanted(report);
    await eventually('a first try', () => provider.asked.length > 0);
    await provider.fetching.close();
  }
  expect(await stage.stateOf()).toBe('running');
  const recovery = new Recovery({
    store: stage.store,
    files: stage.disk.files(),
    clock: () => stage.time.now,
    log: noLog,
    news: { changed: () => undefined },
    keyOf: async () => stage.key,
    recordingOf: async () => null,
    measuring: () => undefined,
    signal: AbortSignal.timeout(60_000),
  });
  await recovery.finishFiles();
  await recovery.endRecordings();
  expect(await stage.stateOf()).toBe('running');
  await using next = acme(stage);
  next.fetching.look();
  await ready(stage);
  expect(next.asked).toEqual(['fetch', 'delete whole']);
});

test('[TAP38] what a provider refuses for good, and what could not be fetched for a week, is given up and told', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  provider.failures.push({ of: 'fetch', error: new RelayError('refused') });
  stage.time.now = 3_000;
  await provider.fetching.wanted(report);
  await ready(stage);
  expect(provider.asked).toEqual(['fetch']);
  const lost = (): number => stage.logged.filter(({ step }) => step === 'recording.notFetchedAtAll').length;
  expect(lost()).toBe(1);
  stage.time.now += 8 * 24 * 3_600_000;
  for (let tries = 0; tries < 2; tries += 1)
    provider.failures.push({ of: 'fetch', error: new RelayError('unavailable') });
  await provider.fetching.wanted(report);
  await eventually('it to be given up', () => lost() === 2);
  await ready(stage);
  expect(await stage.filesOf()).toEqual([]);
});

test('[TAP39] what was erased here is deleted at the provider and not fetched; a report that cannot be written down is told again', async () => {
  class Store extends MemoryRecordings {
    failing = false;
    override async createRecording(...given: Parameters<MemoryRecordings['createRecording']>) {
      if (this.failing) throw new AppError('STORAGE_UNAVAILABLE');
      return super.createRecording(...given);
    }
  }
  const store = new Store();
  await using stage = await openTapeStage({ store });
  await using provider = acme(stage);
  store.failing = true;
  await expect(provider.fetching.wanted(report)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(provider.asked).toEqual([]);
  store.failing = false;
  await provider.fetching.wanted(report);
  await ready(stage);
  await stage.playback.delete({ consultationId, recordingId }, asked('doc'));
  await provider.fetching.wanted(report);
  expect(provider.asked).toEqual(['fetch', 'delete whole', 'delete']);
  expect(await stage.stateOf()).toBe('erased');
  expect(await stage.filesOf()).toEqual([]);
});

test.each([
  ['a page', '<html>This network wants you to sign in.</html>'],
  ['nothing', ''],
  ['less than a head', 'RIFF'],
])(
  '[TAP60] a provider that answers %s instead of the sound is asked again, and nothing is deleted there',
  async (_, page) => {
    await using stage = await openTapeStage();
    await using provider = acme(stage);
    stage.time.now = 3_000;
    provider.pages.push(Buffer.from(page), Buffer.from(page));
    await provider.fetching.wanted(report);
    await ready(stage);
    expect(provider.asked).toEqual(['fetch', 'fetch', 'fetch', 'delete whole']);
    expect(stage.logged.filter(({ step }) => step === 'recording.notFetchedAtAll')).toEqual([]);
    const [file, ...others] = await stage.filesOf();
    expect(file?.bytes.equals(sound)).toBe(true);
    expect(others).toEqual([]);
  },
);

test('[TAP61] a provider that refuses to delete is asked again as long as it may, and then it is told', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  const steps = (): string[] =>
    stage.logged.map(({ step }) => step).filter((step) => step.startsWith('recording.not'));
  stage.time.now = 3_000;
  const error = new RelayError('refused');
  provider.failures.push({ of: 'delete', error }, { of: 'delete', error });
  await provider.fetching.wanted(report);
  await ready(stage);
  expect(provider.asked).toEqual(['fetch', 'delete whole', 'delete whole', 'delete whole']);
  expect(steps()).toEqual([]);
});

test('[TAP61] one that refuses to delete for a week is told of as what it is, and the recording stays', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  stage.time.now = 8 * 24 * 3_600_000;
  const error = new RelayError('refused');
  for (let tries = 0; tries < 2; tries += 1) provider.failures.push({ of: 'delete', error });
  await provider.fetching.wanted(report);
  await ready(stage);
  expect(stage.logged.map(({ step }) => step)).toContain('recording.notDeletedThere');
  expect(stage.logged.map(({ step }) => step)).not.toContain('recording.notFetchedAtAll');
  expect(await stage.filesOf()).toHaveLength(1);
});

test('[TAP62] what is erased before it could be fetched is deleted at the provider, as often as it takes', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  stage.time.now = 3_000;
  const away = new RelayError('unavailable');
  for (let tries = 0; tries < 1_000; tries += 1) provider.failures.push({ of: 'fetch', error: away });
  provider.failures.push({ of: 'delete', error: away });
  await provider.fetching.wanted(report);
  await eventually('a first try', () => provider.asked.length > 0);
  const recording = await stage.store.loadRecording(recordingId);
  if (recording === null) throw new Error('no recording');
  // As erasing its consultation does, whose key could not say any more where it lies.
  await stage.store.updateRecording({ ...recording, state: 'erased', endedAt: 3_000 }, ['running']);
  const deletes = (): number => provider.asked.filter((what) => what.startsWith('delete')).length;
  await eventually('it is deleted there', () => deletes() === 2);
  const asked = provider.asked.length;
  provider.fetching.look();
  await provider.fetching.close();
  expect(provider.asked).toHaveLength(asked);
  expect(await stage.filesOf()).toEqual([]);
});

test('[TAP63] another recording of the same call is neither thrown away unheard nor put in the place of the first', async () => {
  await using stage = await openTapeStage();
  await using provider = acme(stage);
  const told = (): number => stage.logged.filter(({ step }) => step === 'recording.furtherNotFetched').length;
  stage.time.now = 3_000;
  provider.failures.push({ of: 'fetch', error: new RelayError('unavailable') });
  await provider.fetching.wanted(report);
  await provider.fetching.wanted({ ...report, recordingRef: 'RE2' });
  expect(told()).toBe(1);
  await ready(stage);
  await provider.fetching.wanted({ ...report, recordingRef: 'RE2' });
  expect(told()).toBe(2);
  expect(provider.refs).toEqual(['fetch RE1', 'fetch RE1', 'delete RE1']);
  // Of an erased call nothing is to stay there, whatever its name.
  await stage.playback.delete({ consultationId, recordingId }, asked('doc'));
  await provider.fetching.wanted({ ...report, recordingRef: 'RE2' });
  expect(provider.refs.at(-1)).toBe('delete RE2');
});
