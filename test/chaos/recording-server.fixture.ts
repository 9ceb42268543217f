/**
 * The whole server as a process of its own, with a real media worker, real recording processes and real storage, for tests
 * that kill it. Devices send made sound into its rooms; the parent says which, and reads what was recorded.
 */
import { createFfmpegRecorder, createMediasoupSfu } from '@teleconsult/media';
import type { CallId, ConsultationId, RecordingId } from '@teleconsult/protocol';
import { openFileFacts } from '@teleconsult/server/recordings/sealed-facts';
import { startTestApp } from '../helpers/test-app.ts';
import { ffmpegPath, type MadeTrack } from '../helpers/tones.ts';
import { openDevice, type RtpDevice } from '../media/rtp-device.ts';

export type Asked =
  | { readonly type: 'sound'; readonly track: MadeTrack }
  | { readonly type: 'send'; readonly callId: CallId; readonly people: readonly string[] }
  | {
      readonly type: 'files';
      readonly consultationId: ConsultationId;
      readonly recordingId: RecordingId;
      /** Also what finished files hold. */
      readonly withBytes: boolean;
    }
  | { readonly type: 'workers' }
  | { readonly type: 'journals' };

/** A file of a recording as the parent is told of it. */
export interface ToldFile {
  readonly fileId: string;
  readonly personId: string;
  readonly state: 'growing' | 'whole' | 'truncated';
  readonly reason: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number | null;
  readonly bytes: Uint8Array | null;
}

export type Answer = readonly ToldFile[] | readonly number[] | null;

export type FromServer =
  | { readonly type: 'listening'; readonly origin: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

const tell = (message: FromServer): void => void process.send?.(message);

const [dataDir = '', workerBin = ''] = process.argv.slice(2);
const logger = { info: () => {}, warn: () => {}, error: () => {} };
const sfu = await createMediasoupSfu({
  ...(workerBin === '' ? {} : { workerBin }),
  workers: 1,
  listenIp: '127.0.0.1',
  firstPort: 0,
  maxIncomingBitrate: 3_000_000,
  initialOutgoingBitrate: 1_000_000,
  logger,
});
const recorder = createFfmpegRecorder({ ffmpegPath: ffmpegPath(), logger });
const app = await startTestApp({ dataDir, sfu, recorder });
const devices = new Map<string, RtpDevice>();
let sound: MadeTrack | null = null;

async function send(callId: CallId, people: readonly string[]): Promise<null> {
  const room = app.app.host.media.roomOf(callId);
  if (room === null || sound === null) throw new Error('there is no room, or no sound');
  for (const person of people) {
    devices.get(person)?.close();
    const device = await openDevice(room, person);
    devices.set(person, device);
    await device.send('microphone', sound);
  }
  return null;
}

async function files({
  consultationId,
  recordingId,
  withBytes,
}: Extract<Asked, { type: 'files' }>): Promise<ToldFile[]> {
  const { key } = await app.app.host.sealing(consultationId, null);
  const told: ToldFile[] = [];
  for (const file of await app.store.recordings.filesOf(recordingId)) {
    const { personId, truncated, startedAt } = openFileFacts(key, file);
    const { fileId, state } = file;
    let bytes: Uint8Array | null = null;
    if (withBytes && state !== 'growing') {
      const chunks: Uint8Array[] = [];
      await using opened = await app.trackFiles.open({ consultationId, recordingId, fileId, key }, file);
      for await (const chunk of opened.read()) chunks.push(chunk);
      bytes = Buffer.concat(chunks);
    }
    told.push({ fileId, personId, state, reason: truncated?.reason ?? null, startedAt, bytes });
  }
  return told;
}

async function answer(asked: Asked): Promise<Answer> {
  switch (asked.type) {
    case 'sound':
      sound = asked.track;
      return null;
    case 'send':
      return send(asked.callId, asked.people);
    case 'files':
      return files(asked);
    case 'workers':
      return sfu.workerPids;
    case 'journals':
      return [(await app.trackFiles.stored()).files.length];
  }
}

process.on('message', ({ id, asked }: { id: number; asked: Asked }) => {
  answer(asked).then(
    (told) => tell({ type: 'answer', id, answer: told }),
    (error: unknown) => tell({ type: 'failed', id, message: String(error) }),
  );
});
process.on('SIGTERM', () => {
  void (async () => {
    await app.app.close();
    await recorder.close();
    await sfu.close();
    process.exit(0);
  })();
});
tell({ type: 'listening', origin: app.origin });
