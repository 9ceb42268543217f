// Finds FFmpeg, which turns recordings into files that browsers play. The server starts without it and refuses
// to record, so its absence is a warning and not the end of set-up.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { NODE_MODULES } from './paths.mjs';
import { capture, lastLines, onPath } from './run.mjs';

export const FFMPEG_PACKAGES = ['ffmpeg'];

const STATIC_DIR = join(NODE_MODULES, 'ffmpeg-static');
const STATIC_BIN = join(STATIC_DIR, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg');
const DOWNLOAD_TIMEOUT_MS = 60_000;

/**
 * In the order the server looks as well: what the environment names, the npm package, PATH.
 * @returns {Promise<string | undefined>}
 */
export async function findFfmpeg(env = process.env) {
  for (const name of ['FFMPEG_PATH', 'FFMPEG_BIN']) {
    const named = env[name];
    if (named === undefined || named === '') continue;
    if (await runs(named)) return named;
    throw new SetupFailure({
      wanted: `use the FFmpeg that ${name} names`,
      tried: [`${named} -version: it does not run`],
      fix: [`Correct ${name}, or unset it so that set-up provides FFmpeg.`],
    });
  }
  if (existsSync(STATIC_BIN) && (await runs(STATIC_BIN))) return STATIC_BIN;
  return onPath('ffmpeg', env);
}

/** Runs the download of the npm package ffmpeg-static. Answers a path, or why there is none. */
export async function downloadFfmpeg({ nodeBin, step }) {
  if (!existsSync(join(STATIC_DIR, 'install.js')))
    return { reason: 'the npm package ffmpeg-static is not installed' };
  step.doing('downloading the build of the npm package ffmpeg-static');
  const { code, output } = await capture(nodeBin, ['install.js'], {
    cwd: STATIC_DIR,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  if (code === 0 && (await runs(STATIC_BIN))) return { ffmpegPath: STATIC_BIN };
  const reason = /Error: .*/.exec(output)?.[0] ?? lastLines(output, 1);
  return { reason: `the download of the npm package ffmpeg-static: ${reason}` };
}

export function withoutFfmpeg(reason) {
  return [
    'FFmpeg was not found; the server will start and refuse to record.',
    ...(reason === undefined ? [] : [`Tried ${reason}.`]),
    'Install it (Debian: apt-get install ffmpeg) or set FFMPEG_PATH.',
  ].join(' ');
}

async function runs(path) {
  const { code } = await capture(path, ['-version']);
  return code === 0;
}
