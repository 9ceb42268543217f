/** Kills of whatever takes part in a recording, and what each of them cost. */
import { eventually } from '../helpers/eventually.ts';
import { heard, type MadeTrack, playsTo } from '../helpers/tones.ts';
import type { ToldFile } from './recording-server.fixture.ts';
import { type RecordedCall, RecordingServer, startRecordedCall } from './recording-server.ts';

export type Victim = 'server' | 'recorder' | 'worker';

/** What one kill cost one track. */
export interface Loss {
  readonly victim: Victim;
  /** From the end of what plays to the kill, in milliseconds. */
  readonly lostMs: number;
  /** How long the file had run. */
  readonly ranMs: number;
  readonly complaints: readonly string[];
}

export interface Places {
  readonly dataDir: string;
  readonly tempDir: string;
  readonly sound: MadeTrack;
}

/** One packet of sound. */
const PACKET_MS = 20;
const BEEP_MS = 500;
/** Most that may be lost. */
export const LIMIT_MS = 1_000;
/** How soon a recorder that died is followed by another. */
export const NEW_SEGMENT_MS = 5_000;

/** What the file of a track that was cut by a kill at this moment is worth. */
export async function lossOf(file: ToldFile, victim: Victim, killedAt: number): Promise<Loss> {
  const complaints: string[] = [];
  const bytes = Buffer.from(file.bytes ?? []);
  const startedAt = file.startedAt ?? killedAt;
  const end = await playsTo(bytes);
  const ranMs = killedAt - startedAt;
  const lostMs = Math.max(0, ranMs - (end < 0 ? 0 : end + PACKET_MS));
  if (end < 0) complaints.push('it does not play');
  if (file.state !== 'truncated') complaints.push(`it is ${file.state}`);
  if (lostMs > LIMIT_MS) complaints.push(`${Math.round(lostMs)} ms are lost`);
  const { beeps } = await heard(bytes);
  // One may be cut by either end.
  const expected = Math.floor((ranMs - LIMIT_MS) / BEEP_MS) - 1;
  if (beeps.length < expected) complaints.push(`${beeps.length} of ${expected} beeps are heard`);
  return { victim, lostMs, ranMs, complaints };
}

/** Kills one recording process after another, then a worker if asked, then the server; answers what each cost. */
export async function killRound(
  places: Places,
  wish: {
    readonly calls: number;
    readonly recorders: number;
    readonly workers: number;
    /** How long a file runs before it is cut: at least and at most. */
    readonly runMs: readonly [number, number];
  },
): Promise<{ losses: Loss[]; slowestSegmentMs: number; leftovers: string[] }> {
  const losses: Loss[] = [];
  const leftovers: string[] = [];
  let slowestSegmentMs = 0;
  await using server = await RecordingServer.start(places);
  await using stack = new AsyncDisposableStack();
  const calls: RecordedCall[] = [];
  for (let index = 0; index < wish.calls; index += 1) calls.push(stack.use(await startRecordedCall(server)));
  const all = async (withBytes = false) =>
    (await Promise.all(calls.map((call) => call.files(withBytes)))).flat();
  const tracks = calls.length * 2;
  const everyTrackRuns = (ms: number) =>
    eventually(
      'every track to run',
      async () => {
        const growing = (await all()).filter(({ state }) => state === 'growing');
        return growing.length === tracks && growing.every(({ startedAt }) => ranFor(startedAt) >= ms);
      },
      { withinMs: 30_000, lastSeen: () => server.recorders.length },
    );
  const between = () => wish.runMs[0] + Math.random() * (wish.runMs[1] - wish.runMs[0]);

  for (let kill = 0; kill < wish.recorders; kill += 1) {
    await everyTrackRuns(between());
    const before = new Set(
      (await all()).filter(({ state }) => state !== 'growing').map((file) => file.fileId),
    );
    const pids = server.recorders;
    const pid = pids[Math.floor(Math.random() * pids.length)];
    if (pid === undefined) throw new Error('nothing records');
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    const cut = await eventually('the file that was cut', async () =>
      (await all()).find(({ state, fileId }) => state !== 'growing' && !before.has(fileId)),
    );
    const next = await eventually(
      'the next file of the track',
      async () =>
        (await all()).find(
          ({ personId, startedAt }) => personId === cut.personId && (startedAt ?? 0) >= killedAt,
        ),
      { withinMs: 2 * NEW_SEGMENT_MS },
    );
    slowestSegmentMs = Math.max(slowestSegmentMs, (next.startedAt ?? Number.NaN) - killedAt);
    const file = (await all(true)).find(({ fileId }) => fileId === cut.fileId);
    if (file !== undefined) losses.push(await lossOf(file, 'recorder', killedAt));
  }

  for (let kill = 0; kill < wish.workers; kill += 1) {
    await everyTrackRuns(between());
    const growing = new Set((await all()).filter(({ state }) => state === 'growing').map((f) => f.fileId));
    const [pid] = await server.workers();
    if (pid === undefined) throw new Error('no worker runs');
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    await eventually('the files that were cut', async () =>
      (await all()).every(({ fileId, state }) => !growing.has(fileId) || state !== 'growing'),
    );
    const cut = (await all(true)).filter(({ fileId }) => growing.has(fileId));
    losses.push(...(await Promise.all(cut.map((file) => lossOf(file, 'worker', killedAt)))));
    for (const call of calls) await call.rebuild();
  }

  await everyTrackRuns(between());
  const growing = new Set((await all()).filter(({ state }) => state === 'growing').map((f) => f.fileId));
  const processes = [...server.recorders, ...(await server.workers())];
  const killedAt = Date.now();
  await server.kill();
  await eventually('no process to be left', () => processes.every((pid) => !runs(pid)), {
    withinMs: 10_000,
  }).catch((error: unknown) => leftovers.push(String(error)));
  await using after = await RecordingServer.start(places);
  const recovered = (
    await Promise.all(calls.map(({ visit, recordingId }) => after.files(visit.id, recordingId, true)))
  ).flat();
  const cut = recovered.filter(({ fileId }) => growing.has(fileId));
  if (cut.length < tracks) leftovers.push(`${tracks - cut.length} files are gone`);
  losses.push(...(await Promise.all(cut.map((file) => lossOf(file, 'server', killedAt)))));
  await eventually('no journal to be left', async () => (await after.journals()) === 0, {
    withinMs: 10_000,
  }).catch((error: unknown) => leftovers.push(String(error)));
  if ((await after.stop()) !== 0) leftovers.push('the server did not stop with 0');
  return { losses, slowestSegmentMs, leftovers };
}

const ranFor = (startedAt: number | null): number => (startedAt === null ? 0 : Date.now() - startedAt);

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
