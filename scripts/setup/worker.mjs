// Provides the media worker: the native process of mediasoup that carries sound and pictures. mediasoup offers
// a prebuilt one for download; where that cannot be had, it is built here (media/worker). Either way it ends up
// in the user's cache, under a name that says what it was made from, and is used from there by every checkout.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWorker } from '../../media/worker/build.mjs';
import {
  DEBIAN_PACKAGES,
  RECIPE_DIR,
  REQUIRED_COMMANDS,
  REQUIRED_LIBRARIES,
  recipeHash,
} from '../../media/worker/recipe.mjs';
import { SetupFailure } from './failure.mjs';
import { withLock } from './lock.mjs';
import { cacheDir, NODE_MODULES } from './paths.mjs';
import { capture, isExecutable, lastLines, onPath } from './run.mjs';
import { aptCommand, isDebianFamily } from './system.mjs';

const MEDIASOUP_DIR = join(NODE_MODULES, 'mediasoup');
const FETCH_SCRIPT = fileURLToPath(new URL('fetch-file.mjs', import.meta.url));
const VERIFY_SCRIPT = join(RECIPE_DIR, 'verify.mjs');
const EXECUTABLE = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';

/** What a worker answers when it is started without the environment mediasoup gives it, if it can start at all. */
const EXIT_CODE_WITHOUT_PARENT = 41;
const START_TIMEOUT_MS = 10_000;
const VERIFY_TIMEOUT_MS = 30_000;

/**
 * A worker that is there already: the one the environment names, one in the cache, or the one mediasoup's own
 * install script downloaded. Undefined when there is none.
 *
 * @returns {Promise<string | undefined>}
 */
export async function findWorker(distribution) {
  const named = process.env.MEDIASOUP_WORKER_BIN;
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return named;
    throw new SetupFailure({
      wanted: 'use the media worker that MEDIASOUP_WORKER_BIN names',
      tried: [`${named}: not an executable file`],
      fix: ['Correct MEDIASOUP_WORKER_BIN, or unset it so that set-up provides a worker.'],
    });
  }
  const cached = cachedWorker(distribution);
  if (await starts(cached)) {
    pointCurrentAt(cached);
    return cached;
  }
  const installed = join(MEDIASOUP_DIR, 'worker/out/Release', EXECUTABLE);
  return (await starts(installed)) ? installed : undefined;
}

/** Downloads the prebuilt worker into the cache. Answers its path, or why there is none. */
export async function downloadWorker({ distribution, nodeBin, step }) {
  const url = prebuiltUrl(readMediasoup(), process.env);
  step.doing("downloading mediasoup's prebuilt worker");
  const folder = join(dirname(cachedWorker(distribution)), `download-${process.pid}`);
  const archive = join(folder, 'worker.tgz');
  makeCacheFolder(folder);
  try {
    const fetched = await capture(nodeBin, [FETCH_SCRIPT, url, archive], {
      env: { ...process.env, NODE_USE_ENV_PROXY: '1' },
    });
    if (fetched.code !== 0) return { reason: `${url}: ${fetched.output.trim()}` };
    const unpacked = await capture('tar', ['-xzf', archive, '-C', folder]);
    if (unpacked.code !== 0) return { reason: `${url}: ${lastLines(unpacked.output, 1)}` };
    const executable = join(folder, EXECUTABLE);
    const problem = await verifyWorker(executable, nodeBin);
    if (problem !== undefined) return { reason: `${url}: it does not work here: ${lastLines(problem, 1)}` };
    return { workerBin: putInCache(executable, distribution) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the build lacks on this machine: names of programs and libraries. */
export async function missingBuildTools() {
  const commands = REQUIRED_COMMANDS.filter((command) => onPath(command) === undefined);
  if (commands.includes('pkg-config')) return [...commands, ...REQUIRED_LIBRARIES];
  const found = await Promise.all(
    REQUIRED_LIBRARIES.map((library) => capture('pkg-config', ['--exists', library])),
  );
  return [...commands, ...REQUIRED_LIBRARIES.filter((_, index) => found[index].code !== 0)];
}

export { DEBIAN_PACKAGES as WORKER_BUILD_PACKAGES };

/**
 * The failure to show when the worker has to be built and the tools cannot be installed from here.
 *
 * @param {object} situation
 * @param {string[]} situation.missing what `missingBuildTools` answered
 * @param {string[]} situation.packages all packages of the distribution that set-up misses, for one command
 * @param {string} situation.downloadReason
 * @param {import('./system.mjs').Distribution} situation.distribution
 */
export function cannotBuild({ missing, packages, downloadReason, distribution }) {
  return new SetupFailure({
    wanted: 'provide the media worker, which carries sound and pictures',
    tried: [
      `the prebuilt worker: ${downloadReason}`,
      `building it: ${missing.join(', ')} missing, and packages can only be installed as root`,
    ],
    fix: isDebianFamily(distribution)
      ? [`sudo apt-get update && sudo ${aptCommand(packages)}`, 'and then the same command again.']
      : [
          'Install a C++20 compiler, flatc, pkg-config and the development files of libuv, OpenSSL 3, libsrtp 2,',
          'flatbuffers and abseil; or set MEDIASOUP_WORKER_BIN to a worker built elsewhere.',
        ],
  });
}

/** Builds the worker into the cache and returns its path. */
export async function buildWorkerIntoCache({ distribution, nodeBin, downloadReason, step }) {
  const cached = cachedWorker(distribution);
  const folder = dirname(cached);
  const build = async () => {
    // The set-up that held the lock has most likely built it.
    if (await starts(cached)) return cached;
    step.doing(`compiling mediasoup ${readMediasoup().version}'s media worker from source`);
    const buildDir = join(folder, 'build');
    try {
      const built = await buildWorker({
        workerDir: join(MEDIASOUP_DIR, 'worker'),
        buildDir,
        onProgress: (done, total) => step.detail(`compiled ${done}/${total}`),
      });
      const problem = await verifyWorker(built, nodeBin);
      if (problem !== undefined)
        throw new Error(`The worker that was built does not work:\n${lastLines(problem)}`);
      const workerBin = putInCache(built, distribution);
      rmSync(buildDir, { recursive: true, force: true });
      return workerBin;
    } catch (error) {
      throw new SetupFailure({
        wanted: 'build the media worker',
        tried: [`the prebuilt worker: ${downloadReason}`, `building it in ${buildDir}`],
        output: error.message,
        fix: [
          'Run the command again: files that are compiled already are kept.',
          'MEDIASOUP_WORKER_BIN=/path/to/mediasoup-worker uses a worker built elsewhere.',
        ],
      });
    }
  };
  return await withLock(join(folder, 'build.lock'), build, (holder) =>
    step.doing(`waiting for the build of process ${holder}`),
  );
}

/**
 * Where mediasoup publishes the prebuilt worker for this machine, or the place its own variable names.
 *
 * @param {{ version: string, repository: { url: string } }} mediasoup its package.json
 * @param {NodeJS.ProcessEnv} env
 * @param {{ platform: string, arch: string, release: string }} [machine]
 */
export function prebuiltUrl({ version, repository }, env, machine = thisMachine()) {
  const base =
    env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ||
    `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
  const kernel = machine.platform === 'linux' ? `-kernel${machine.release.split('.')[0]}` : '';
  return `${base}/${version}/mediasoup-worker-${version}-${machine.platform}-${machine.arch}${kernel}.tgz`;
}

/** The folder name of a worker in the cache: everything that decides what comes out of the build. */
export function cacheKey({ version, distribution, arch, recipe }) {
  return `${version}-${distribution.id}${distribution.version}-${arch}-${recipe}`;
}

function thisMachine() {
  return { platform: os.platform(), arch: os.arch(), release: os.release() };
}

function cachedWorker(distribution) {
  const { version } = readMediasoup();
  const key = cacheKey({ version, distribution, arch: os.arch(), recipe: recipeHash() });
  return join(cacheDir(), 'mediasoup-worker', key, EXECUTABLE);
}

function makeCacheFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new SetupFailure({
      wanted: 'write to its cache folder',
      tried: [error.message],
      fix: ['Set XDG_CACHE_HOME to a folder you may write to, and run the command again.'],
    });
  }
}

function readMediasoup() {
  return JSON.parse(readFileSync(join(MEDIASOUP_DIR, 'package.json'), 'utf8'));
}

/** A cheap check that also notices a library the system has replaced since the worker was built. */
async function starts(executable) {
  if (!existsSync(executable)) return false;
  const { code } = await capture(executable, [], { env: {}, timeoutMs: START_TIMEOUT_MS });
  return code === EXIT_CODE_WITHOUT_PARENT;
}

/** Undefined when the worker does its work, else what went wrong. */
async function verifyWorker(executable, nodeBin) {
  const { code, output } = await capture(nodeBin, [VERIFY_SCRIPT, executable], {
    timeoutMs: VERIFY_TIMEOUT_MS,
  });
  return code === 0 ? undefined : output;
}

/** Another set-up may start the cached worker at this moment, so the file appears whole or not at all. */
function putInCache(executable, distribution) {
  const cached = cachedWorker(distribution);
  const unfinished = `${cached}.${process.pid}.tmp`;
  makeCacheFolder(dirname(cached));
  copyFileSync(executable, unfinished);
  renameSync(unfinished, cached);
  pointCurrentAt(cached);
  return cached;
}

/** Keeps a link named `current` beside the workers, for people who want to try one by hand. */
function pointCurrentAt(cached) {
  const link = join(dirname(dirname(cached)), 'current');
  const unfinished = `${link}.${process.pid}.tmp`;
  try {
    symlinkSync(basename(dirname(cached)), unfinished, 'dir');
    renameSync(unfinished, link);
  } catch {
    // Nothing depends on the link, and some file systems have none.
    rmSync(unfinished, { force: true });
  }
}
