import { RecordingView } from '@teleconsult/protocol';
import { recordingIdOf } from '@teleconsult/server/recordings/purposes';
import { MemoryAudit } from '@teleconsult/server/storage/memory/memory-audit';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { expect, test } from 'vitest';
import { openDisk } from '../../../contract/track-files.fixtures.ts';
import { eventually } from '../../../helpers/eventually.ts';
import {
  aCall,
  asked,
  callee,
  caller,
  consultationId,
  openTapeStage,
  packets,
  phoneCallId,
  phoneSound,
} from './tape.fixtures.ts';

const both = () => ({ left: true, right: true });

test('[TAP1] the recording of a phone call is on the audit trail, in the store and on the disk before its tape takes a byte', async () => {
  const steps: string[] = [];
  class Store extends MemoryRecordings {
    override async createRecording(...given: Parameters<MemoryRecordings['createRecording']>) {
      steps.push('recording');
      return super.createRecording(...given);
    }
    override async createFile(...given: Parameters<MemoryRecordings['createFile']>) {
      steps.push('file');
      return super.createFile(...given);
    }
  }
  class Audit extends MemoryAudit {
    override async append(...given: Parameters<MemoryAudit['append']>) {
      steps.push(`audit ${given[0].action} ${given[0].result}`);
      return super.append(...given);
    }
  }
  await using stage = await openTapeStage({ store: new Store(), audit: new Audit() });
  const tape = await stage.tapes.open(aCall());
  steps.push('open');
  expect(steps).toEqual(['audit phone.record granted', 'recording', 'file', 'open']);
  expect(tape).not.toBeNull();
  expect((await stage.disk.folder.list()).length).toBe(1);
  expect(await stage.stateOf()).toBe('running');
  await tape?.close();
});

test('[TAP2] a phone call is one file of what was said, sealed, of both people by name of their channel and with no number', async () => {
  await using stage = await openTapeStage();
  const sound = phoneSound(3, both);
  const tape = await stage.tapes.open(aCall());
  for (const packet of packets(sound)) tape?.append(packet);
  await tape?.close();
  await tape?.close();
  const [file, ...others] = await stage.filesOf();
  expect(others).toEqual([]);
  expect(file?.bytes.equals(sound)).toBe(true);
  expect(file?.stored).toMatchObject({ state: 'whole', byteSize: 48_000 });
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  expect(recordings.map((recording) => RecordingView.parse(recording))).toMatchObject([
    {
      recordingId: recordingIdOf(phoneCallId(1)),
      purpose: 'phone_call',
      callId: null,
      phoneCallId: phoneCallId(1),
      startedBy: caller,
      state: 'ready',
      files: [
        {
          personId: caller,
          channels: [[caller], [callee]],
          source: 'microphone',
          contentType: 'audio/wav',
          durationMs: 3_000,
          state: 'whole',
          truncated: null,
        },
      ],
    },
  ]);
  expect(JSON.stringify([recordings, stage.logged, stage.audit.rows])).not.toMatch(/\+\d/);
});

test('[TAP3] nothing is recorded, and the call hears nothing of it, where nobody may know of it or it cannot be kept', async () => {
  const failing = new MemoryAudit();
  failing.fail('STORAGE_UNAVAILABLE');
  await using unaudited = await openTapeStage({ audit: failing });
  expect(await unaudited.tapes.open(aCall())).toBeNull();
  expect(await unaudited.stateOf()).toBeNull();

  await using stage = await openTapeStage();
  const strange = stage.open({ callOf: async () => null });
  expect(await strange.open(aCall(1))).toBeNull();
  const lost = stage.open({
    callOf: async () => {
      throw new Error('the store of bindings is away');
    },
  });
  expect(await lost.open(aCall(2))).toBeNull();
  const full = stage.disk.files({ roomToBegin: Number.MAX_SAFE_INTEGER });
  expect(await stage.open({ files: full }).open(aCall(3))).toBeNull();
  await full.close();
  expect([await stage.stateOf(1), await stage.stateOf(2), await stage.stateOf(3)]).toEqual([
    null,
    null,
    'ready',
  ]);
  expect(await stage.filesOf(3)).toEqual([]);
  expect(stage.logged.filter(({ step }) => step === 'recording.tapeNotOpened')).toHaveLength(3);
});

test('[TAP4] a call has one tape at a time, calls have no more tapes than there may be, and a tape ends at its limit', async () => {
  await using stage = await openTapeStage();
  const tapes = stage.open({ maxTapes: 2, maxBytes: 960 });
  const first = await tapes.open(aCall(1));
  expect(await tapes.open(aCall(1))).toBeNull();
  expect(await tapes.open(aCall(2))).not.toBeNull();
  expect(await tapes.open(aCall(3))).toBeNull();
  const sound = phoneSound(1, both);
  for (const packet of packets(sound)) first?.append(packet);
  const [file] = await eventually('the tape to end', async () => {
    const files = await stage.filesOf(1);
    return files[0]?.stored.state === 'truncated' && files;
  });
  expect(file?.bytes.equals(sound.subarray(0, 960))).toBe(true);
  expect(file?.facts.truncated?.reason).toBe('recorder_failed');
  await eventually('its place to be free', () => tapes.running === 1);
  expect(await tapes.open(aCall(3))).not.toBeNull();
  await tapes.close();
  await tapes.close();
  expect(await tapes.open(aCall(4))).toBeNull();
});

test('[TAP5] a tape that takes too long to open is not waited for, and leaves no file', async () => {
  const opening = Promise.withResolvers<void>();
  class Slow extends MemoryRecordings {
    override async createFile(...given: Parameters<MemoryRecordings['createFile']>) {
      await opening.promise;
      return super.createFile(...given);
    }
  }
  await using stage = await openTapeStage({ store: new Slow() });
  const tapes = stage.open({ openMs: 20 });
  expect(await tapes.open(aCall())).toBeNull();
  opening.resolve();
  await eventually('the recording to end', async () => (await stage.stateOf()) === 'ready');
  await eventually('nothing to be left', () => tapes.running === 0);
  expect(await stage.filesOf()).toEqual([]);
});

test('[TAP6] when the server stops, tapes end where they are, say so, and their recordings are over', async () => {
  await using stage = await openTapeStage();
  const tape = await stage.tapes.open(aCall());
  const sound = phoneSound(1, both);
  tape?.append(sound);
  await stage.tapes.close();
  tape?.append(sound);
  await tape?.close();
  const [file] = await stage.filesOf();
  expect(file?.bytes.equals(sound)).toBe(true);
  expect(file?.facts).toMatchObject({
    durationMs: 1_000,
    truncated: { reason: 'server_stopped', at: stage.time.now + 1_000 },
  });
  expect(await stage.stateOf()).toBe('ready');
});

test('[TAP7] a call that is recorded again is the same recording with a further file; one that was erased is not recorded', async () => {
  await using stage = await openTapeStage();
  for (let round = 0; round < 2; round += 1) {
    const tape = await stage.tapes.open(aCall());
    tape?.append(phoneSound(1, both));
    await tape?.close();
  }
  expect((await stage.filesOf()).map(({ stored }) => stored.state)).toEqual(['whole', 'whole']);
  expect(await stage.stateOf()).toBe('ready');
  const recordingId = recordingIdOf(phoneCallId(1));
  await stage.playback.delete({ consultationId, recordingId }, asked('doc'));
  expect(await stage.filesOf()).toEqual([]);
  expect(await stage.tapes.open(aCall())).toBeNull();
  expect(await stage.stateOf()).toBe('erased');
});

test('[TAP8] while a call is recorded its recording cannot be erased or played; afterwards nothing of an erased one is left', async () => {
  await using stage = await openTapeStage();
  const recording = { consultationId, recordingId: recordingIdOf(phoneCallId(1)) };
  const tape = await stage.tapes.open(aCall());
  tape?.append(phoneSound(2, both));
  await expect(stage.playback.delete(recording, asked('doc'))).rejects.toMatchObject({ code: 'WRONG_STATE' });
  const [growing] = await stage.filesOf();
  if (growing === undefined) throw new Error('There is no file.');
  const wish = { ...recording, fileId: growing.stored.fileId, right: 'play' } as const;
  await expect(stage.playback.link(wish, asked('doc'))).rejects.toMatchObject({ code: 'WRONG_STATE' });
  await tape?.close();
  expect((await stage.playback.link(wish, asked('pat'))).contentType).toBe('audio/wav');
  await stage.playback.delete(recording, asked('doc'));
  expect(await stage.disk.folder.list()).toEqual([]);
  const left: string[] = [];
  for await (const key of stage.disk.objects.list('recordings/')) left.push(key);
  expect(left).toEqual([]);
});

test('[TAP9] packets whose memory is used again are kept as they were, also while one part ends and the next begins', async () => {
  await using disk = await openDisk();
  const files = disk.files({ limits: { bytes: 5_000, ms: 600_000 } });
  await using stage = await openTapeStage({ disk, files });
  const sound = Buffer.from(Array.from({ length: 64_000 }, (_, at) => (at * 7_919) >> 8));
  const tape = await stage.tapes.open(aCall());
  for (const packet of packets(sound)) tape?.append(packet);
  await tape?.close();
  const [file] = await stage.filesOf();
  expect(file?.stored.parts).toBeGreaterThan(1);
  expect(file?.bytes.equals(sound)).toBe(true);
  await files.close();
});
