import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  AppError,
  ConsultationId,
  type ConsultationView,
  DeviceId,
  type FactName,
  FileId,
  type MediaSource,
  type ParticipantRole,
  PersonId,
  RecordingId,
  type RecordingPurpose,
} from '@teleconsult/protocol';
import { findPrlimit } from '@teleconsult/server/attachments/limited-child';
import { Playback, type PlaybackParts } from '@teleconsult/server/playback/playback';
import type { FilePlace, GrowingFile, OpenedFile, TrackFiles } from '@teleconsult/server/recordings/ports';
import { isOfCall } from '@teleconsult/server/recordings/purposes';
import {
  type FileFacts,
  sealFileFacts,
  sealRecordingFacts,
} from '@teleconsult/server/recordings/sealed-facts';
import { MemoryAudit } from '@teleconsult/server/storage/memory/memory-audit';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';

const run = promisify(execFile);
export const FFMPEG = process.env['FFMPEG_PATH'] ?? 'ffmpeg';

const id = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;
export const consultationId = ConsultationId.parse(id('cns', 1));
export const recordingId = (number: number) => RecordingId.parse(id('rec', number));
export const fileId = (number: number) => FileId.parse(id('fil', number));
export const person = (name: string) => PersonId.parse(name);
export const device = DeviceId.parse('device-0001');

/** What ffmpeg writes to a pipe. */
export async function converted(...args: readonly string[]): Promise<Buffer> {
  const { stdout } = await run(FFMPEG, ['-v', 'error', '-nostdin', ...args, 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

/** As a recorder writes it: without a length and an index. */
export const recorded = (...args: readonly string[]): Promise<Buffer> =>
  converted(...args, '-cluster_time_limit', '250', '-f', 'webm');

/** A tone of so many seconds, as a microphone is recorded. */
export const tone = (seconds: number, hertz = 440): Promise<Buffer> =>
  recorded('-f', 'lavfi', '-i', `sine=${hertz}:d=${seconds}`, '-c:a', 'libopus', '-b:a', '32k');

/** A moving picture of so many seconds, as a camera is recorded. */
export const picture = (seconds: number, size = '320x180'): Promise<Buffer> =>
  recorded(
    '-f',
    'lavfi',
    '-i',
    `testsrc=d=${seconds}:s=${size}:r=15`,
    '-c:v',
    'libvpx',
    '-g',
    '30',
    '-b:v',
    '200k',
  );

/** Sealed files stood in for by memory; counts what is read. */
export class MemoryTrackFiles implements TrackFiles {
  readonly kept = new Map<string, Buffer>();
  /** Ranges that were read, one line each. */
  readonly reads: string[] = [];
  /** Bytes of one piece of a read. */
  pieceSize = 64 * 1024;
  failing: AppError | null = null;

  async create({ fileId: file }: FilePlace): Promise<GrowingFile> {
    if (this.failing !== null) throw this.failing;
    const parts: Uint8Array[] = [];
    const kept = this.kept;
    const failing = (): AppError | null => this.failing;
    return {
      get byteSize() {
        return parts.reduce((sum, part) => sum + part.byteLength, 0);
      },
      append: (bytes) => {
        const error = failing();
        if (error !== null) throw error;
        parts.push(Uint8Array.from(bytes));
      },
      flush: async () => undefined,
      close: async () => {
        const whole = Buffer.concat(parts);
        kept.set(file, whole);
        return { byteSize: whole.byteLength, parts: 1 };
      },
    };
  }

  resume(place: FilePlace): Promise<GrowingFile> {
    return this.create(place);
  }

  async open({ fileId: file }: FilePlace): Promise<OpenedFile> {
    if (this.failing !== null) throw this.failing;
    const bytes = this.kept.get(file);
    if (bytes === undefined) throw new AppError('NOT_FOUND');
    const { reads, pieceSize } = this;
    return {
      byteSize: bytes.byteLength,
      async *read(range = { start: 0, endExclusive: bytes.byteLength }) {
        for (let at = range.start; at < range.endExclusive; at += pieceSize) {
          const end = Math.min(at + pieceSize, range.endExclusive);
          reads.push(`${at}-${end}`);
          yield bytes.subarray(at, end);
        }
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async remove({ fileId: file }: Omit<FilePlace, 'key'>): Promise<void> {
    if (this.failing !== null) throw this.failing;
    this.kept.delete(file);
  }
}

export interface Kept {
  readonly number: number;
  readonly bytes: Buffer;
  readonly facts?: Partial<FileFacts>;
  readonly state?: 'growing' | 'whole' | 'truncated';
}

export interface Stage extends AsyncDisposable {
  readonly playback: Playback;
  readonly parts: PlaybackParts;
  readonly store: MemoryRecordings;
  readonly files: MemoryTrackFiles;
  readonly audit: MemoryAudit;
  readonly key: ConsultationKey;
  /** Who takes part; may be changed. */
  readonly roles: Map<string, ParticipantRole>;
  /** Devices that are there, `person device`; may be changed. */
  readonly connected: Set<string>;
  /** Dictations that a signed note holds. */
  readonly held: Set<RecordingId>;
  /** Facts that were published, in order. */
  readonly told: { readonly to: string; readonly name: FactName }[];
  readonly time: { now: number };
  /** Another server on the same store and files. */
  restarted(): Playback;
  record(
    number: number,
    options?: {
      readonly purpose?: RecordingPurpose;
      readonly startedBy?: string;
      readonly state?: 'running' | 'ready' | 'erased';
      readonly files?: readonly Kept[];
    },
  ): Promise<RecordingId>;
}

const SOURCE: MediaSource = 'microphone';

/** Playback with everything around it in memory, and the real ffmpeg. */
export async function openStage(kind: ConsultationView['kind'] = 'visit'): Promise<Stage> {
  const store = new MemoryRecordings();
  const files = new MemoryTrackFiles();
  const audit = new MemoryAudit();
  const key = new ConsultationKey(consultationId, randomBytes(32));
  const roles = new Map<string, ParticipantRole>([
    ['pat', 'patient'],
    ['doc', 'doctor'],
  ]);
  const connected = new Set([`pat ${device}`, `doc ${device}`]);
  const held = new Set<RecordingId>();
  const told: Stage['told'] = [];
  const time = { now: 1_800_000_000_000 };
  let lastFile = 900;
  const visible = (by: PersonId | null): void => {
    if (by !== null && !roles.has(by)) throw new AppError('NOT_FOUND');
  };
  const parts: PlaybackParts = {
    store,
    files,
    audit,
    host: {
      view: async (asked, by) => {
        if (asked !== consultationId) throw new AppError('NOT_FOUND');
        visible(by);
        const participants = [...roles].map(([name, role]) => ({
          personId: person(name),
          role,
          displayName: name,
        }));
        // Only what playback looks at.
        return { consultationId, kind, participants } as ConsultationView;
      },
      sealing: async (asked, by) => {
        if (asked !== consultationId) throw new AppError('NOT_FOUND');
        visible(by);
        return { key };
      },
    },
    publisher: {
      toWatchers: (_consultation, name) => void told.push({ to: 'watchers', name }),
      toPerson: (to, name) => void told.push({ to, name }),
      isConnected: (by, deviceId) => connected.has(`${by} ${deviceId}`),
    },
    ids: { fileId: () => fileId(++lastFile) },
    signed: { signedNote: async () => null, signedNotes: async () => [] },
    clock: () => time.now,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    tools: { ffmpegPath: FFMPEG, prlimitPath: await findPrlimit() },
    isHeld: async (_consultation, recording) => held.has(recording),
  };
  const opened: Playback[] = [];
  const open = (): Playback => {
    const playback = new Playback(parts);
    opened.push(playback);
    return playback;
  };
  return {
    playback: open(),
    parts,
    store,
    files,
    audit,
    key,
    roles,
    connected,
    held,
    told,
    time,
    restarted: open,
    record: async (number, options = {}) => {
      const { purpose = 'consultation', startedBy = 'doc', state = 'ready', files: kept = [] } = options;
      const recording = recordingId(number);
      await store.createRecording({
        recordingId: recording,
        consultationId,
        purpose,
        startedBy: person(startedBy),
        startedAt: 1_000_000 + number,
        endedAt: state === 'running' ? null : 2_000_000,
        state,
        clientId: isOfCall({ purpose }) ? null : `dictation-${number}`,
        sealed: sealRecordingFacts(key, recording, {
          callId: null,
          followUpId: null,
          composition: { state: 'none' },
        }),
      });
      for (const { number: file, bytes, facts = {}, state: fileState = 'whole' } of kept) {
        const all: FileFacts = {
          personId: person(startedBy),
          source: SOURCE,
          contentType: 'audio/webm;codecs=opus',
          startedAt: 1_000_000,
          durationMs: null,
          truncated: null,
          waveform: null,
          ...facts,
        };
        const sealed = sealFileFacts(key, fileId(file), all);
        files.kept.set(fileId(file), bytes);
        await store.createFile({
          fileId: fileId(file),
          recordingId: recording,
          consultationId,
          kind: 'track',
          createdAt: 1_000_000 + file,
          state: 'growing',
          byteSize: bytes.byteLength,
          parts: 1,
          sealed,
        });
        if (fileState !== 'growing')
          await store.updateFile({
            fileId: fileId(file),
            state: fileState,
            byteSize: bytes.byteLength,
            parts: 1,
            sealed,
          });
      }
      return recording;
    },
    [Symbol.asyncDispose]: async () => {
      for (const playback of opened) await playback.close();
    },
  };
}

export const asked = (name: string) => ({ by: person(name), deviceId: device, onlyConsultation: null });
