// Builds mediasoup's media worker from the C++ sources in its npm package and the libraries of the
// distribution. mediasoup's own build needs Meson, a Python package index and source archives from several
// sites; this one needs a compiler and the development packages named in recipe.mjs.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import { readSourceList } from './meson.mjs';
import {
  compileFlags,
  FLATC_FLAGS,
  LINK_FLAGS,
  PATCHES,
  PRELUDE,
  REQUIRED_LIBRARIES,
  SHIM_DIR,
} from './recipe.mjs';

/** What the largest sources take, in bytes, with room to spare. */
const MEMORY_PER_COMPILER = 2 ** 30;

/** A compiler's complaints start with the cause; the rest is template noise. */
const SHOWN_ERROR_LINES = 30;

/**
 * Builds the worker and returns the path of the executable.
 *
 * Objects stay in `buildDir`, each put there by a rename once it is whole, so a build that was interrupted goes
 * on where it stopped. The caller gives every recipe a `buildDir` of its own.
 *
 * @param {object} options
 * @param {string} options.workerDir mediasoup's `worker` folder, which is read and never written
 * @param {string} options.buildDir where generated files, objects and the result go
 * @param {(done: number, total: number) => void} [options.onProgress] called after each compiled file
 * @param {number} [options.jobs] compilers run at once
 */
export async function buildWorker({ workerDir, buildDir, onProgress = () => {}, jobs = jobsThatFit() }) {
  const objectDir = join(buildDir, 'objects');
  const generatedDir = join(buildDir, 'generated');
  mkdirSync(objectDir, { recursive: true });
  await generateFlatbuffersHeaders(workerDir, generatedDir);

  const flags = [
    ...compileFlags(),
    ...[
      SHIM_DIR,
      join(workerDir, 'include'),
      generatedDir,
      join(workerDir, 'deps/libwebrtc'),
      join(workerDir, 'deps/libwebrtc/libwebrtc'),
    ].map((folder) => `-I${folder}`),
    ...(await pkgConfig('--cflags')),
  ];
  flags.push('-include', await precompilePrelude(generatedDir, flags));
  const units = translationUnits(workerDir, buildDir).map(({ name, file }) => ({
    file,
    object: join(objectDir, `${name.replaceAll('/', '-')}.o`),
  }));
  const missing = units.filter(({ object }) => !existsSync(object));
  let done = units.length - missing.length;
  onProgress(done, units.length);
  await inParallel(jobs, missing, async ({ file, object }, signal) => {
    const unfinished = `${object}.${process.pid}.tmp`;
    await run('g++', [...flags, '-c', file, '-o', unfinished], { signal });
    renameSync(unfinished, object);
    done += 1;
    onProgress(done, units.length);
  });

  const executable = join(buildDir, 'mediasoup-worker');
  const objects = units.map(({ object }) => object);
  await run('g++', [...LINK_FLAGS, ...objects, ...(await pkgConfig('--libs')), '-o', executable]);
  return executable;
}

/** The files to compile. A patched one is compiled from its corrected copy below `buildDir`. */
function translationUnits(workerDir, buildDir) {
  const listIn = (mesonFile, name) => readSourceList(readFileSync(join(workerDir, mesonFile), 'utf8'), name);
  const names = [
    ...listIn('meson.build', 'common_sources'),
    'src/main.cpp',
    ...listIn('deps/libwebrtc/meson.build', 'libwebrtc_sources').map((source) => `deps/libwebrtc/${source}`),
  ];
  const unused = PATCHES.find(({ file }) => !names.includes(file));
  if (unused !== undefined) {
    throw new Error(
      `${unused.file} has a patch in media/worker/recipe.mjs and is no longer part of the worker.`,
    );
  }
  return names.map((name) => {
    const patches = PATCHES.filter(({ file }) => file === name);
    if (patches.length === 0) return { name, file: join(workerDir, name) };
    const file = join(buildDir, 'patched', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, patches.reduce(applyPatch, readFileSync(join(workerDir, name), 'utf8')));
    return { name, file };
  });
}

/** `text` with the patch applied; throws unless what it replaces occurs exactly once. */
export function applyPatch(text, { file, find, replace }) {
  const occurrences = text.split(find).length - 1;
  if (occurrences !== 1) {
    throw new Error(
      `The patch for ${file} does not fit this mediasoup version: "${find}" occurs ${occurrences} times instead of ` +
        'once. Look whether mediasoup has corrected it, and adapt PATCHES in media/worker/recipe.mjs.',
    );
  }
  return text.replace(find, () => replace);
}

async function generateFlatbuffersHeaders(workerDir, generatedDir) {
  const schemas = readSourceList(
    readFileSync(join(workerDir, 'fbs/meson.build'), 'utf8'),
    'flatbuffers_schemas',
  );
  const headerDir = join(generatedDir, 'FBS');
  mkdirSync(headerDir, { recursive: true });
  const inputs = schemas.map((schema) => join(workerDir, 'fbs', schema));
  await run('flatc', [...FLATC_FLAGS, '-o', headerDir, ...inputs]);
}

/**
 * Parses the headers most sources begin with once instead of once a source, which takes a fifth off the build.
 * Only foreign headers belong here: mediasoup's own expect macros that each source defines for itself.
 */
async function precompilePrelude(generatedDir, flags) {
  const generated = readdirSync(join(generatedDir, 'FBS')).map((header) => `FBS/${header}`);
  const prelude = join(generatedDir, 'prelude.h');
  const precompiled = `${prelude}.gch`;
  if (existsSync(precompiled)) return prelude;
  writeFileSync(prelude, [...PRELUDE, ...generated].map((header) => `#include <${header}>\n`).join(''));
  const unfinished = `${precompiled}.${process.pid}.tmp`;
  await run('g++', [...flags, '-x', 'c++-header', '-c', prelude, '-o', unfinished]);
  renameSync(unfinished, precompiled);
  return prelude;
}

async function pkgConfig(what) {
  const output = await run('pkg-config', [what, ...REQUIRED_LIBRARIES]);
  return output.split(/\s+/).filter((word) => word !== '');
}

/** One compiler a core, as long as the memory lasts. */
function jobsThatFit() {
  return Math.max(1, Math.min(os.cpus().length, Math.floor(os.totalmem() / MEMORY_PER_COMPILER)));
}

/** Runs `work` on every item, at most `limit` at once; the first failure stops the others and is thrown. */
async function inParallel(limit, items, work) {
  const queue = [...items];
  const stop = new AbortController();
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined && !stop.signal.aborted; item = queue.shift()) {
      await work(item, stop.signal);
    }
  };
  const failures = [];
  await Promise.all(
    Array.from({ length: limit }, () =>
      lane().catch((error) => {
        failures.push(error);
        stop.abort();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

async function run(command, args, { signal } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return output;
  const subject = args.includes('-c') ? ` on ${basename(args[args.indexOf('-c') + 1])}` : '';
  const shown = errors.trim().split('\n').slice(0, SHOWN_ERROR_LINES).join('\n');
  throw new Error(`${command} failed${subject} (exit code ${code}):\n${shown}`);
}
