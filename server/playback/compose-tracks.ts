import { AppError, type FileId } from '@teleconsult/protocol';
import type { FilePlace, OpenedFile, StoredFile, TrackFiles } from '../recordings/ports.ts';
import type { ComposedTrack, CompositionPlan } from './composition-plan.ts';
import { type MediaChildLimits, type MediaTools, runMediaChild } from './media-child.ts';
import { servedFile } from './served-file.ts';
import { waveIndex } from './wave-head.ts';

export type ComposeOutcome =
  | { readonly ended: 'done'; readonly byteSize: number; readonly parts: number }
  | { readonly ended: 'media' | 'storage' };

export interface ComposeOptions {
  readonly files: TrackFiles;
  /** Where the composed file goes. */
  readonly place: FilePlace;
  readonly stored: ReadonlyMap<FileId, StoredFile>;
  readonly tools: MediaTools;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (progress: number) => void;
}

/** What was made is flushed after so many bytes, so that no more than these wait for the disk. */
const FLUSH_BYTES = 4 * 1024 * 1024;
/** Less than this much of what was to come is no composition. */
const MIN_SHARE = 0.9;
const MICROSECONDS = /^out_time_us=(\d+)$/;

/** Lets ffmpeg mix the tracks: sealed media are opened into its pipes, and what it makes is sealed as it comes. */
export async function composeTracks(plan: CompositionPlan, options: ComposeOptions): Promise<ComposeOutcome> {
  const { files, place, tools, signal, onProgress } = options;
  const growing = await files.create(place);
  let unflushed = 0;
  let madeMs = 0;
  const outcome = await runMediaChild({
    tools,
    args: plan.args,
    inputs: plan.tracks.map((track) => () => mediaOf(options, track)),
    limits: limitsFor(plan),
    signal,
    onOutput: async (bytes) => {
      growing.append(bytes);
      unflushed += bytes.byteLength;
      if (unflushed < FLUSH_BYTES) return;
      unflushed = 0;
      await growing.flush();
    },
    onProgress: (line) => {
      const [, microseconds] = MICROSECONDS.exec(line) ?? [];
      if (microseconds === undefined) return;
      madeMs = Number(microseconds) / 1_000;
      onProgress(madeMs / plan.durationMs);
    },
  });
  const { byteSize, parts } = await growing.close();
  if (outcome.ended === 'broken') return { ended: isDamage(outcome.cause) ? 'media' : 'storage' };
  if (outcome.ended !== 'done' || byteSize === 0 || madeMs < plan.durationMs * MIN_SHARE)
    return { ended: 'media' };
  return { ended: 'done', byteSize, parts };
}

async function* mediaOf(
  { files, place, stored }: ComposeOptions,
  { fileId, samples }: ComposedTrack,
): AsyncGenerator<Uint8Array> {
  const size = stored.get(fileId);
  if (size === undefined) throw new AppError('NOT_FOUND');
  await using opened: OpenedFile = await files.open({ ...place, fileId }, size);
  const served = servedFile(opened, samples === undefined ? null : waveIndex(samples, 0, opened.byteSize));
  yield* served.read({ start: 0, endExclusive: served.byteSize });
}

/** Four times as long as it lasts on one core is a slow machine; half an hour beside that, a busy one. */
function limitsFor({ durationMs }: CompositionPlan): MediaChildLimits {
  return {
    wallClockMs: 30 * 60_000 + 8 * durationMs,
    cpuSeconds: Math.ceil(600 + (4 * durationMs) / 1_000),
    memoryBytes: 2 * 1024 * 1024 * 1024,
    outputBytes: 4 * 1024 * 1024 * 1024,
  };
}

/** A track that fails its check is no matter of trying again. */
const isDamage = (cause: unknown): boolean =>
  cause instanceof AppError && (cause.code === 'INTEGRITY' || cause.code === 'NOT_FOUND');
