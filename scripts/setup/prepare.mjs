// Everything a fresh clone needs before the server or the tests can run, in order. Each step looks first whether
// its work is done, so that calling this again costs a fraction of a second.

import { delimiter, dirname, join } from 'node:path';
import { findChromium, missingChromiumPackages, withoutChromium } from './chromium.mjs';
import { SetupFailure } from './failure.mjs';
import { downloadFfmpeg, FFMPEG_PACKAGES, findFfmpeg, withoutFfmpeg } from './ffmpeg.mjs';
import { findNode } from './node.mjs';
import { ensurePackages } from './packages.mjs';
import { NODE_MODULES } from './paths.mjs';
import { missingPeerPackages } from './peers.mjs';
import { createProgress, elapsed } from './progress.mjs';
import { aptInstall, aptPrefix, readDistribution } from './system.mjs';
import { ensureWebPages } from './web.mjs';
import {
  buildWorkerIntoCache,
  cannotBuild,
  downloadWorker,
  findWorker,
  missingBuildTools,
  WORKER_BUILD_PACKAGES,
} from './worker.mjs';

/**
 * @typedef {object} Prepared
 * @property {string} nodeBin a Node that can run the server
 * @property {string} workerBin mediasoup's media worker
 * @property {string | undefined} ffmpegPath undefined when there is none; recordings are then refused
 * @property {string | undefined} chromiumPath defined when `browser` was asked for
 * @property {NodeJS.ProcessEnv} env the environment for the server or the tests: this one, with the above in the
 *   variables that name them and the project's Node first on PATH
 */

/**
 * Prepares the checkout and the machine. Throws a SetupFailure that says what to do when something is missing
 * that cannot be provided from here.
 *
 * @param {object} [wanted]
 * @param {boolean} [wanted.browser] a Chromium, for browser tests and the demo
 * @param {boolean} [wanted.web] the built web pages
 * @param {import('./progress.mjs').Progress} [wanted.progress]
 * @returns {Promise<Prepared>}
 */
export async function prepare({ browser = false, web = false, progress = createProgress() } = {}) {
  const startedAt = Date.now();
  await ensurePackages(progress);
  const { nodeBin, version } = await findNode();
  const { workerBin, ffmpegPath, chromiumPath } = await ensurePrograms({ nodeBin, browser, progress });
  if (web) await ensureWebPages({ nodeBin, progress });
  process.stderr.write(`Set-up is complete: Node ${version}, ${elapsed(Date.now() - startedAt)}.\n`);
  const env = environment({ nodeBin, workerBin, ffmpegPath, chromiumPath });
  return { nodeBin, workerBin, ffmpegPath, chromiumPath, env };
}

/** The native programs. What the distribution has to provide for all of them is installed in one go. */
async function ensurePrograms({ nodeBin, browser, progress }) {
  const distribution = readDistribution();
  const worker = await progress.step(
    'worker',
    async (step) => await lookForWorker({ distribution, nodeBin, step }),
  );
  const missingTools = worker.workerBin === undefined ? await missingBuildTools() : [];
  const chromiumIsMissing = browser && findChromium() === undefined;
  const missingPackages = [
    ...(missingTools.length > 0 ? WORKER_BUILD_PACKAGES : []),
    ...((await findFfmpeg()) === undefined ? FFMPEG_PACKAGES : []),
    ...(browser ? await missingChromiumPackages(findChromium(), distribution) : []),
  ];
  if (missingPackages.length > 0) {
    const prefix = await aptPrefix(distribution);
    if (prefix !== undefined) {
      const needed = missingTools.length > 0 || chromiumIsMissing;
      await installFromDistribution({ packages: missingPackages, prefix, needed, progress });
    } else if (missingTools.length > 0) {
      throw cannotBuild({
        missing: missingTools,
        packages: missingPackages,
        downloadReason: worker.reason,
        distribution,
      });
    }
  }
  if (browser) await installPeers({ distribution, progress });
  const chromiumPath = browser ? findChromium() : undefined;
  if (browser && chromiumPath === undefined) throw withoutChromium(distribution);
  return {
    workerBin: worker.workerBin ?? (await buildTheWorker({ distribution, nodeBin, worker, progress })),
    ffmpegPath: (await findFfmpeg()) ?? (await downloadTheFfmpeg({ nodeBin, progress })),
    chromiumPath,
  };
}

/** By itself: a package of these that cannot be set up takes nothing with it that is needed. */
async function installPeers({ distribution, progress }) {
  const packages = missingPeerPackages(distribution);
  const prefix = packages.length > 0 ? await aptPrefix(distribution) : undefined;
  if (prefix !== undefined) await installFromDistribution({ packages, prefix, needed: false, progress });
}

/** A failure counts only where it is `needed`: without FFmpeg, a font or a program to test against the work goes on. */
async function installFromDistribution({ packages, prefix, needed, progress }) {
  try {
    await progress.step('system', async (step) => await aptInstall(packages, prefix, step));
  } catch (error) {
    if (needed || !(error instanceof SetupFailure)) throw error;
    progress.warn(`going on without ${packages.join(' ')}`);
  }
}

async function lookForWorker({ distribution, nodeBin, step }) {
  const found = await findWorker(distribution);
  if (found !== undefined) return { workerBin: found };
  const downloaded = await downloadWorker({ distribution, nodeBin, step });
  step.done(downloaded.reason === undefined ? 'done' : `not possible: ${downloaded.reason}`);
  return downloaded;
}

async function buildTheWorker({ distribution, nodeBin, worker, progress }) {
  return await progress.step('worker', (step) =>
    buildWorkerIntoCache({ distribution, nodeBin, downloadReason: worker.reason, step }),
  );
}

async function downloadTheFfmpeg({ nodeBin, progress }) {
  const { ffmpegPath, reason } = await progress.step('ffmpeg', async (step) => {
    const downloaded = await downloadFfmpeg({ nodeBin, step });
    if (downloaded.reason !== undefined) step.done('not possible');
    return downloaded;
  });
  if (ffmpegPath === undefined) progress.warn(withoutFfmpeg(reason));
  return ffmpegPath;
}

function environment({ nodeBin, workerBin, ffmpegPath, chromiumPath }) {
  return {
    ...process.env,
    PATH: [dirname(nodeBin), join(NODE_MODULES, '.bin'), process.env.PATH].join(delimiter),
    MEDIASOUP_WORKER_BIN: workerBin,
    ...(ffmpegPath === undefined ? {} : { FFMPEG_PATH: ffmpegPath }),
    ...(chromiumPath === undefined ? {} : { CHROMIUM_PATH: chromiumPath }),
  };
}
