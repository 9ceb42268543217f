import type { FileId, MediaSource, PersonId } from '@teleconsult/protocol';
import type { SampleFormat } from '../recordings/sample-format.ts';
import { DECODERS } from './measure-file.ts';
import { inputPipe } from './media-child.ts';

/** One recorded track, on the clock that the tracks of a recording share. */
export interface ComposedTrack {
  readonly fileId: FileId;
  readonly personId: PersonId;
  readonly source: MediaSource;
  readonly startedAt: number;
  readonly durationMs: number;
  /** ffmpeg’s name of its format. */
  readonly demuxer: string;
  /** What is stored are samples and nothing else; left out: it is as its demuxer reads it. */
  readonly samples?: SampleFormat;
}

/** What is to be made of the tracks. Inputs are the tracks in this order. */
export interface CompositionPlan {
  readonly tracks: readonly ComposedTrack[];
  readonly durationMs: number;
  readonly contentType: 'audio/webm;codecs=opus' | 'video/webm;codecs="vp8,opus"';
  /** When its first moment was. */
  readonly startedAt: number;
  readonly args: readonly string[];
}

/** Six hours: longer than any consultation. */
export const MAX_COMPOSED_MS = 6 * 3_600_000;
/** Each input is a pipe and a decoder. A call in which tracks began more often than this stays in its tracks. */
export const MAX_COMPOSED_TRACKS = 128;

const PICTURE_WIDTH = 640;
const PICTURE_HEIGHT = 360;
const SCREEN_WIDTH = 1_280;
const SCREEN_HEIGHT = 720;
const RATE = 15;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * One file of all tracks: each begins where it began, the sound is mixed, the pictures stand side by side and what was
 * shown of a screen above them. null: there is nothing to compose.
 */
export function planComposition(all: readonly ComposedTrack[]): CompositionPlan | null {
  const tracks = all.filter(({ durationMs }) => durationMs > 0);
  if (tracks.length === 0) return null;
  const startedAt = Math.min(...tracks.map((track) => track.startedAt));
  const durationMs = Math.max(...tracks.map((track) => track.startedAt + track.durationMs)) - startedAt;
  const hasPicture = tracks.some(({ source }) => source !== 'microphone');
  const inputs = tracks.flatMap(({ demuxer }, index) => [
    '-protocol_whitelist',
    'pipe',
    '-codec_whitelist',
    DECODERS,
    '-threads',
    '1',
    '-thread_queue_size',
    '64',
    '-f',
    demuxer,
    '-i',
    `pipe:${inputPipe(index)}`,
  ]);
  const graph = [
    soundGraph(tracks, startedAt, durationMs),
    ...(hasPicture ? pictureGraph(tracks, startedAt, durationMs) : []),
  ];
  const args = [
    ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'quiet', '-filter_complex_threads', '1'],
    ['-stats_period', '0.5', '-progress', 'pipe:3'],
    inputs,
    ['-filter_complex', graph.join(';'), '-map_metadata', '-1', '-map_chapters', '-1'],
    hasPicture ? ['-map', '[picture]', ...PICTURE] : [],
    ['-map', '[sound]', '-c:a', 'libopus', '-b:a', '48k', '-application', 'voip'],
    ['-fflags', '+bitexact', '-flags:a', '+bitexact', '-t', seconds(durationMs)],
    ['-cluster_time_limit', '2000', '-f', 'webm', 'pipe:1'],
  ].flat();
  const contentType = hasPicture ? 'video/webm;codecs="vp8,opus"' : 'audio/webm;codecs=opus';
  return { tracks, durationMs, contentType, startedAt, args };
}

/** Fast rather than small: it is made while people call. A key frame every two seconds, so that a player can seek. */
const PICTURE = [
  ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-threads', '2', '-b:v', '900k'],
  ['-maxrate', '1500k', '-bufsize', '3000k', '-g', String(2 * RATE), '-flags:v', '+bitexact'],
].flat();

/** Silence as long as the whole, and every voice where it belongs. */
function soundGraph(tracks: readonly ComposedTrack[], origin: number, durationMs: number): string {
  const voices = tracks.flatMap(({ source, startedAt }, index) =>
    source === 'microphone' ? [{ index, delayMs: startedAt - origin }] : [],
  );
  const chains = voices.map(
    ({ index, delayMs }, voice) =>
      // Gaps in the time stamps become silence, so that what follows them stays where it was.
      `[${index}:a:0]aresample=48000:async=1:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=mono,adelay=${delayMs}:all=1[voice${voice}]`,
  );
  const silence = `anullsrc=r=48000:cl=mono,atrim=duration=${seconds(durationMs)},aformat=sample_fmts=fltp[silence]`;
  const mix = `[silence]${voices.map((_, voice) => `[voice${voice}]`).join('')}amix=inputs=${voices.length + 1}:duration=first:normalize=0,alimiter=limit=0.97:level=0[sound]`;
  return [...chains, silence, mix].join(';');
}

/** A black canvas as long as the whole, and over it every picture while it was there. */
function pictureGraph(tracks: readonly ComposedTrack[], origin: number, durationMs: number): string[] {
  const people = [
    ...new Set(tracks.filter(({ source }) => source === 'camera').map(({ personId }) => personId)),
  ];
  const hasScreen = tracks.some(({ source }) => source === 'screen');
  const { canvas, screen, places } = layout(people.length, hasScreen);
  const graph = [
    `color=c=black:s=${canvas.width}x${canvas.height}:r=${RATE}:d=${seconds(durationMs)},format=yuv420p[under0]`,
  ];
  let layer = 0;
  for (const [index, { source, personId, startedAt, durationMs: length }] of tracks.entries()) {
    if (source === 'microphone') continue;
    const box = source === 'screen' ? screen : places[people.indexOf(personId)];
    if (box === undefined) continue;
    const from = seconds(startedAt - origin);
    const to = seconds(startedAt - origin + length);
    graph.push(
      `[${index}:v:0]fps=${RATE},scale=${box.width}:${box.height}:force_original_aspect_ratio=decrease,setsar=1,` +
        `pad=${box.width}:${box.height}:(ow-iw)/2:(oh-ih)/2,format=yuv420p,setpts=PTS+${from}/TB[seen${layer}]`,
      `[under${layer}][seen${layer}]overlay=${box.x}:${box.y}:eof_action=pass:enable='between(t,${from},${to})'[under${layer + 1}]`,
    );
    layer += 1;
  }
  return [...graph, `[under${layer}]null[picture]`];
}

/** Up to two people in a row, four in two rows, eight in rows of four; a screen above them at its full width. */
function layout(people: number, hasScreen: boolean): { canvas: Box; screen: Box; places: readonly Box[] } {
  const columns = people <= 1 ? 1 : people <= 4 ? 2 : 4;
  const rows = Math.ceil(people / columns);
  const fullWidth = hasScreen || people > 1 ? SCREEN_WIDTH : PICTURE_WIDTH;
  const width = people > 4 ? fullWidth / 4 : Math.min(PICTURE_WIDTH, fullWidth / columns);
  const height = (width * PICTURE_HEIGHT) / PICTURE_WIDTH;
  const top = hasScreen ? SCREEN_HEIGHT : 0;
  const left = (fullWidth - columns * width) / 2;
  return {
    canvas: { x: 0, y: 0, width: fullWidth, height: top + rows * height },
    screen: { x: 0, y: 0, width: SCREEN_WIDTH, height: SCREEN_HEIGHT },
    places: Array.from({ length: people }, (_, place) => ({
      x: left + (place % columns) * width,
      y: top + Math.floor(place / columns) * height,
      width,
      height,
    })),
  };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);
