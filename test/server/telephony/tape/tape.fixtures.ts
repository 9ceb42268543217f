import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  AppError,
  type ConsultationView,
  DeviceId,
  type ParticipantRole,
  PersonId,
  PhoneBindingId,
  PhoneCallId,
} from '@teleconsult/protocol';
import { findPrlimit } from '@teleconsult/server/attachments/limited-child';
import type { LogFields } from '@teleconsult/server/host/ports';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { Playback } from '@teleconsult/server/playback/playback';
import type { RecordingStore, StoredFile, TrackFiles } from '@teleconsult/server/recordings/ports';
import { recordingIdOf } from '@teleconsult/server/recordings/purposes';
import { type FileFacts, openFileFacts } from '@teleconsult/server/recordings/sealed-facts';
import { MemoryAudit } from '@teleconsult/server/storage/memory/memory-audit';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { PhoneTapes, type PhoneTapesParts } from '@teleconsult/server/telephony/tape/phone-tapes';
import type { ConsultationKey } from '@teleconsult/server/vault/consultation-key';
import { consultationId, type Disk, openDisk } from '../../../contract/track-files.fixtures.ts';
import { eventually } from '../../../helpers/eventually.ts';

export { consultationId } from '../../../contract/track-files.fixtures.ts';

export const FFMPEG = process.env['FFMPEG_PATH'] ?? 'ffmpeg';
export const caller = PersonId.parse('pat');
export const callee = PersonId.parse('doc');
export const device = DeviceId.parse('device-0001');
export const bindingId = PhoneBindingId.parse(`pbd_${'B'.repeat(22)}`);
export const phoneCallId = (number: number) => PhoneCallId.parse(`pcl_${String(number).padStart(22, '0')}`);
export const aCall = (number = 1) => ({
  phoneCallId: phoneCallId(number),
  bindingId,
  startedAt: 1_800_000_000_000,
});
export const asked = (name: string) => ({
  by: PersonId.parse(name),
  deviceId: device,
  onlyConsultation: null,
});

export interface TapeStage extends AsyncDisposable {
  readonly disk: Disk;
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly audit: MemoryAudit;
  readonly key: ConsultationKey;
  readonly tapes: PhoneTapes;
  readonly playback: Playback;
  readonly roles: Map<string, ParticipantRole>;
  readonly logged: { readonly step: string; readonly fields: LogFields }[];
  readonly time: { now: number };
  /** Other tapes on the same store. */
  open(change?: Partial<PhoneTapesParts>): PhoneTapes;
  /** What of a phone call is stored. */
  filesOf(number?: number): Promise<{ stored: StoredFile; facts: FileFacts; bytes: Buffer }[]>;
  stateOf(number?: number): Promise<string | null>;
  measured(): Promise<unknown>;
}

/** Tapes with sealed files on a disk, and everything else around them in memory. */
export async function openTapeStage(
  options: {
    readonly disk?: Disk;
    readonly files?: TrackFiles;
    readonly store?: RecordingStore;
    readonly audit?: MemoryAudit;
  } = {},
): Promise<TapeStage> {
  await using parts = new AsyncDisposableStack();
  const disk = options.disk ?? parts.use(await openDisk());
  const files =
    options.files ??
    parts.adopt(disk.files({ limits: { bytes: 500_000, ms: 600_000 } }), (opened) => opened.close());
  const { key } = disk.place('x');
  const store = options.store ?? new MemoryRecordings();
  const audit = options.audit ?? new MemoryAudit();
  const time = { now: 1_800_000_000_000 };
  const roles = new Map<string, ParticipantRole>([
    ['pat', 'patient'],
    ['doc', 'doctor'],
  ]);
  const logged: TapeStage['logged'] = [];
  const note =
    () =>
    (step: string, fields: LogFields = {}): void =>
      void logged.push({ step, fields });
  const log = { info: note(), warn: note(), error: note() };
  const host = {
    view: async (_id: unknown, by: PersonId | null): Promise<ConsultationView> => {
      if (by !== null && !roles.has(by)) throw new AppError('NOT_FOUND');
      const participants = [...roles].map(([name, role]) => ({
        personId: PersonId.parse(name),
        role,
        displayName: name,
      }));
      // Only what playback looks at.
      return { consultationId, kind: 'visit', participants } as Partial<ConsultationView> as ConsultationView;
    },
    sealing: async () => ({ key }),
  };
  const publisher = { toWatchers: () => undefined, toPerson: () => undefined, isConnected: () => true };
  const playback = parts.adopt(
    new Playback({
      store,
      files,
      audit,
      host,
      publisher,
      ids: randomIds,
      clock: () => time.now,
      log,
      tools: { ffmpegPath: FFMPEG, prlimitPath: await findPrlimit() },
      isHeld: async () => false,
      signed: { signedNote: async () => null, signedNotes: async () => [] },
    }),
    (opened) => opened.close(),
  );
  const tapesParts: PhoneTapesParts = {
    store,
    files,
    audit,
    host,
    publisher,
    ids: randomIds,
    clock: () => time.now,
    log,
    callOf: async (ids) => (ids.bindingId === bindingId ? { consultationId, caller, callee } : null),
    measuring: () => playback.fileFinished(),
  };
  const opened: PhoneTapes[] = [];
  const open = (change: Partial<PhoneTapesParts> = {}): PhoneTapes => {
    const tapes = new PhoneTapes({ ...tapesParts, ...change });
    opened.push(tapes);
    return tapes;
  };
  parts.defer(async () => {
    for (const tapes of opened) await tapes.close();
  });
  const tapes = open();
  const owned = parts.move();
  return {
    disk,
    store,
    files,
    audit,
    key,
    tapes,
    playback,
    roles,
    logged,
    time,
    open,
    filesOf: async (number = 1) => {
      const recordingId = recordingIdOf(phoneCallId(number));
      const found = [];
      for (const stored of await store.filesOf(recordingId)) {
        const { fileId } = stored;
        const place = { consultationId, recordingId, fileId, key };
        const isOpen = stored.state === 'growing';
        const bytes = isOpen ? Buffer.alloc(0) : await read(files, place, stored);
        found.push({ stored, facts: openFileFacts(key, stored), bytes });
      }
      return found;
    },
    stateOf: async (number = 1) =>
      (await store.loadRecording(recordingIdOf(phoneCallId(number))))?.state ?? null,
    measured: () =>
      eventually('everything is measured', async () => (await store.unmeasuredFiles(1)).length === 0, {
        withinMs: 30_000,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function read(
  files: TrackFiles,
  place: Parameters<TrackFiles['open']>[0],
  stored: StoredFile,
): Promise<Buffer> {
  await using opened = await files.open(place, stored);
  return buffer(Readable.from(opened.read()));
}

/** ITU-T G.711 A-law of a value of 16 bits, written down apart from the decoder. */
export function alaw(value: number): number {
  const positive = value >= 0;
  let size = Math.min(32_635, positive ? value : -value - 1) >> 3;
  if (size < 0) size = 0;
  let segment = 0;
  for (let rest = size >> 5; rest > 0 && segment < 7; rest >>= 1) segment += 1;
  const step = segment < 2 ? (size >> 1) & 0x0f : (size >> segment) & 0x0f;
  const code = (segment << 4) | step;
  return code ^ (positive ? 0xd5 : 0x55);
}

/** Samples of a phone call: a tone on a side while it speaks, silence else. Interleaved, the caller left. */
export function phoneSound(
  seconds: number,
  speaks: (atMs: number) => { readonly left: boolean; readonly right: boolean },
): Buffer {
  const bytes = Buffer.alloc(seconds * 16_000);
  for (let moment = 0; moment < seconds * 8_000; moment += 1) {
    const { left, right } = speaks((moment * 1_000) / 8_000);
    const tone = Math.round(16_000 * Math.sin((2 * Math.PI * 440 * moment) / 8_000));
    bytes[2 * moment] = alaw(left ? tone : 0);
    bytes[2 * moment + 1] = alaw(right ? tone : 0);
  }
  return bytes;
}

/** As the relay hands it over: 20 ms at a time, in memory that it uses again. */
export function* packets(sound: Buffer): Generator<Uint8Array> {
  const packet = new Uint8Array(320);
  for (let at = 0; at < sound.byteLength; at += packet.byteLength) {
    const part = sound.subarray(at, at + packet.byteLength);
    packet.set(part);
    yield packet.subarray(0, part.byteLength);
  }
}
