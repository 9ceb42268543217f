import type { PersonId, RecordingView, TruncationReason } from '@teleconsult/protocol';
import { timelineFor } from './lane-timeline.ts';

/** What the list says of a recording. */
export interface RecordingSummary {
  readonly state: 'running' | 'sealing' | 'ready' | 'erased';
  /** What of it was lost, each reason once with the earliest moment. */
  readonly losses: readonly { readonly reason: TruncationReason; readonly at: number }[];
  readonly people: readonly PersonId[];
  readonly lengthMs: number;
  readonly hasPicture: boolean;
  /** Something of it can be played. */
  readonly isPlayable: boolean;
}

export function summaryOf(recording: RecordingView, now = Date.now()): RecordingSummary {
  const { files, startedAt, endedAt } = recording;
  const timeline = timelineFor(recording);
  const isGrowing = files.some(({ state }) => state === 'growing');
  const losses = new Map<TruncationReason, number>();
  for (const { truncated } of files)
    if (truncated !== null)
      losses.set(truncated.reason, Math.min(truncated.at, losses.get(truncated.reason) ?? truncated.at));
  const isRunning = recording.state === 'running' && endedAt === null;
  return {
    state:
      recording.state === 'erased'
        ? 'erased'
        : isRunning
          ? 'running'
          : isGrowing || recording.state === 'running'
            ? 'sealing'
            : 'ready',
    losses: [...losses].map(([reason, at]) => ({ reason, at })),
    people: [...new Set(files.flatMap(({ personId, channels }) => channels?.flat() ?? [personId]))],
    lengthMs: isRunning ? Math.max(0, now - startedAt) : timeline.lengthMs,
    hasPicture: files.some(({ source }) => source !== 'microphone'),
    isPlayable: recording.state !== 'erased' && timeline.lengthMs > 0,
  };
}
