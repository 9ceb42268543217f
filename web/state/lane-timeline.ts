import type { MediaSource, PersonId, RecordingFile, RecordingView, Waveform } from '@teleconsult/protocol';

/** One file where it stands in the recording, in milliseconds from its beginning. */
export interface Clip {
  readonly file: RecordingFile;
  readonly startMs: number;
  readonly endMs: number;
}

/** One person: what was heard of them, and what was seen. Clips are in order and of one source never overlap. */
export interface Lane {
  readonly personId: PersonId;
  readonly voice: readonly Clip[];
  readonly camera: readonly Clip[];
  readonly screen: readonly Clip[];
}

export interface Timeline {
  readonly lanes: readonly Lane[];
  readonly lengthMs: number;
}

/** Quieter than this, of 100, nobody speaks: breath and rooms stay below. */
const SPEECH_PEAK = 6;
/** Shorter pauses belong to a sentence. */
const PAUSE_MS = 800;

/** The files of a call share one clock: each stands where it was taken. Files that still grow cannot be played yet. */
export function callTimeline({ files }: Pick<RecordingView, 'files'>): Timeline {
  const whole = files.filter(isPlayable);
  const beginsAt = Math.min(...whole.map(({ startedAt }) => startedAt));
  return timelineOf(whole.map((file) => clipAt(file, file.startedAt - beginsAt)));
}

/** The files of a dictation count one after the other, however long lay between them. */
export function dictationTimeline({ files }: Pick<RecordingView, 'files'>): Timeline {
  const clips: Clip[] = [];
  for (const file of files.filter(isPlayable)) clips.push(clipAt(file, clips.at(-1)?.endMs ?? 0));
  return timelineOf(clips);
}

export const timelineFor = (recording: RecordingView): Timeline =>
  recording.purpose === 'consultation' || recording.purpose === 'phone_call'
    ? callTimeline(recording)
    : dictationTimeline(recording);

/** What is to be heard or seen of a lane at this moment. */
export const clipAtMs = (clips: readonly Clip[], atMs: number): Clip | null =>
  clips.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) ?? null;

/** The next clip to come, so that it can be fetched ahead. */
export const nextClip = (clips: readonly Clip[], atMs: number): Clip | null =>
  clips.find(({ startMs }) => startMs > atMs) ?? null;

/** The loudness of a lane over the whole recording as so many columns of 0 to 100; null where nothing was recorded. */
export function lanePeaks({
  clips,
  waveforms,
  lengthMs,
  columns,
}: {
  readonly clips: readonly Clip[];
  readonly waveforms: ReadonlyMap<string, Waveform>;
  readonly lengthMs: number;
  readonly columns: number;
}): readonly (number | null)[] {
  const stepMs = lengthMs / columns;
  return Array.from({ length: columns }, (_, index) => {
    const [from, to] = [index * stepMs, (index + 1) * stepMs];
    const within = clips.filter(({ startMs, endMs }) => startMs < to && endMs > from);
    if (within.length === 0) return null;
    return Math.max(0, ...within.map((clip) => loudest(clip, waveforms.get(clip.file.fileId), { from, to })));
  });
}

/** When somebody spoke, as spans without the pauses within a sentence. */
export function speechOf(
  clips: readonly Clip[],
  waveforms: ReadonlyMap<string, Waveform>,
): readonly (readonly [fromMs: number, toMs: number])[] {
  const spans: [number, number][] = [];
  for (const { file, startMs, endMs } of clips) {
    const waveform = waveforms.get(file.fileId);
    if (waveform === undefined) continue;
    for (const [index, peak] of waveform.peaks.entries()) {
      if (peak < SPEECH_PEAK) continue;
      const from = startMs + index * waveform.stepMs;
      const to = Math.min(endMs, from + waveform.stepMs);
      const last = spans.at(-1);
      if (last !== undefined && from - last[1] <= PAUSE_MS) last[1] = Math.max(last[1], to);
      else if (from < endMs) spans.push([from, to]);
    }
  }
  return spans;
}

export const spokenMs = (spans: readonly (readonly [number, number])[]): number =>
  spans.reduce((sum, [from, to]) => sum + to - from, 0);

export const speaksAt = (spans: readonly (readonly [number, number])[], atMs: number): boolean =>
  spans.some(([from, to]) => atMs >= from && atMs < to);

/** Marks of the time axis: at most so many, at lengths that people count in. */
export function axisMarks(lengthMs: number, most: number): readonly number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map(
    (seconds) => seconds * 1000,
  );
  const step = steps.find((candidate) => lengthMs / candidate <= most) ?? lengthMs;
  const marks: number[] = [];
  // A mark at the very end would be cut off by it.
  for (let at = 0; at <= lengthMs - step / 2; at += step) marks.push(at);
  return marks;
}

const isPlayable = ({ durationMs, state, byteSize }: RecordingFile): boolean =>
  durationMs !== null && durationMs > 0 && state !== 'growing' && byteSize > 0;

const clipAt = (file: RecordingFile, startMs: number): Clip => ({
  file,
  startMs,
  endMs: startMs + (file.durationMs ?? 0),
});

function timelineOf(clips: readonly Clip[]): Timeline {
  const lanes = new Map<PersonId, Record<MediaSource, Clip[]>>();
  for (const clip of [...clips].sort((a, b) => a.startMs - b.startMs)) {
    const lane = lanes.get(clip.file.personId) ?? { microphone: [], camera: [], screen: [] };
    lanes.set(clip.file.personId, lane);
    lane[clip.file.source].push(clip);
  }
  return {
    lanes: [...lanes].map(([personId, { microphone, camera, screen }]) => ({
      personId,
      voice: microphone,
      camera,
      screen,
    })),
    lengthMs: Math.max(0, ...clips.map(({ endMs }) => endMs)),
  };
}

function loudest(
  clip: Clip,
  waveform: Waveform | undefined,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  if (waveform === undefined) return 0;
  const first = Math.max(0, Math.floor((from - clip.startMs) / waveform.stepMs));
  const last = Math.max(first + 1, Math.ceil((to - clip.startMs) / waveform.stepMs));
  let most = 0;
  for (const peak of waveform.peaks.slice(first, last)) most = Math.max(most, peak);
  return most;
}
