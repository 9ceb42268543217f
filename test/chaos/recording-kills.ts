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
  // Of what plays, whatever of it was lost at its end: a file of a second has one at least, and one may be cut by an end.
  const expected = Math.floor((end + PACKET_MS) / BEEP_MS) - 1;
  if (beeps.length < expected) complaints.push(`${beeps.length} of ${expected} beeps are heard`);
  return { victim, lostMs, ranMs, complaints };
}

export interface RoundWish {
  readonly calls: number;
  /** How often recording processes are killed, one of each call at the same moment. */
  readonly recorders: number;
  readonly workers: number;
  /** How long files run before they are cut: at least and at most. */
  readonly runMs: readonly [number, number];
}

export interface RoundOutcome {
  readonly losses: readonly Loss[];
  /** From the death of a recording process to the first sound of the next. */
  readonly slowestSegmentMs: number;
  /** How many times something was killed. */
  readonly kills: number;
  readonly leftovers: readonly string[];
}

/** Kills recording processes, then workers, then the server; answers what each kill cost each track. */
export async function killRound(places: Places, wish: RoundWish): Promise<RoundOutcome> {
  const cuts = new Map<string, { readonly victim: Victim; readonly killedAt: number }>();
  const leftovers: string[] = [];
  let slowestSegmentMs = 0;
  let kills = 0;
  await using server = await RecordingServer.start(places);
  await using stack = new AsyncDisposableStack();
  const calls: RecordedCall[] = [];
  for (let index = 0; index < wish.calls; index += 1) calls.push(stack.use(await startRecordedCall(server)));
  const all = async () => (await Promise.all(calls.map((call) => call.files()))).flat();
  const growing = async () => (await all()).filter(({ state }) => state === 'growing');
  const tracks = calls.length * 2;
  const everyTrackRuns = async (): Promise<void> => {
    const ms = wish.runMs[0] + Math.random() * (wish.runMs[1] - wish.runMs[0]);
    const doRun = async () => {
      const files = await growing();
      return files.length === tracks && files.every(({ startedAt }) => ranFor(startedAt) >= ms);
    };
    await eventually('every track to run', doRun, { withinMs: 30_000 });
  };

  for (let step = 0; step < wish.recorders; step += 1) {
    await everyTrackRuns();
    const before = await growing();
    const pids = [...server.recorders].sort(() => Math.random() - 0.5).slice(0, wish.calls);
    const killedAt = Date.now();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    kills += pids.length;
    const cut = await eventually('the files that were cut', async () => {
      const ended = (await all()).filter(
        ({ state, fileId }) => state !== 'growing' && before.some((file) => file.fileId === fileId),
      );
      return ended.length === pids.length ? ended : null;
    });
    for (const { fileId, personId } of cut) {
      cuts.set(fileId, { victim: 'recorder', killedAt });
      const next = await eventually(
        'the next file of the track',
        async () => (await growing()).find((file) => file.personId === personId && file.startedAt !== null),
        { withinMs: 2 * NEW_SEGMENT_MS },
      );
      slowestSegmentMs = Math.max(slowestSegmentMs, (next.startedAt ?? Number.NaN) - killedAt);
    }
  }

  for (let step = 0; step < wish.workers; step += 1) {
    await everyTrackRuns();
    const before = await growing();
    const [pid] = await server.workers();
    if (pid === undefined) throw new Error('no worker runs');
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    kills += 1;
    for (const { fileId } of before) cuts.set(fileId, { victim: 'worker', killedAt });
    for (const call of calls) await call.rebuild();
  }

  await everyTrackRuns();
  const last = await growing();
  const processes = [...server.recorders, ...(await server.workers())];
  const killedAt = Date.now();
  await server.kill();
  kills += 1;
  for (const { fileId } of last) cuts.set(fileId, { victim: 'server', killedAt });
  const note = (error: unknown): void => void leftovers.push(String(error));
  await eventually('no process to be left', () => processes.every((pid) => !runs(pid))).catch(note);
  await using after = await RecordingServer.start(places);
  const losses: Loss[] = [];
  for (const { visit, recordingId } of calls)
    for (const file of await after.files(visit.id, recordingId, true)) {
      const cut = cuts.get(file.fileId);
      if (cut !== undefined) losses.push(await lossOf(file, cut.victim, cut.killedAt));
    }
  if (losses.length < cuts.size) leftovers.push(`${cuts.size - losses.length} files are gone`);
  await eventually('no journal to be left', async () => (await after.journals()) === 0).catch(note);
  if ((await after.stop()) !== 0) leftovers.push('the server did not stop with 0');
  return { losses, slowestSegmentMs, kills, leftovers };
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
