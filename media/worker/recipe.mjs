// What the worker is built with: flags, stand-ins for libraries no distribution has, and the one correction it
// needs. All that decides what comes out of the build stands here and in shim/, so that a hash over these names
// the result; build.mjs only carries it out.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const RECIPE_DIR = fileURLToPath(new URL('.', import.meta.url));

/** Stand-ins for libraries that the worker includes and no distribution packages. */
export const SHIM_DIR = join(RECIPE_DIR, 'shim');
const SHIM_FILES = ['srtp.h', 'ankerl/unordered_dense.h'];

/** Programs the build calls. */
export const REQUIRED_COMMANDS = ['g++', 'flatc', 'pkg-config'];

/** Libraries the worker links, under the names pkg-config knows them by. */
export const REQUIRED_LIBRARIES = [
  'libuv',
  'openssl',
  'libsrtp2',
  'flatbuffers',
  'absl_strings',
  'absl_optional',
];

/** The Debian and Ubuntu packages that provide all of the above. */
export const DEBIAN_PACKAGES = [
  'g++',
  'pkg-config',
  'flatbuffers-compiler',
  'libflatbuffers-dev',
  'libuv1-dev',
  'libssl-dev',
  'libsrtp2-dev',
  'libabsl-dev',
];

/**
 * Corrections to mediasoup's sources. `find` must occur exactly once, else the build stops: a patch that no
 * longer fits a new mediasoup version has to be looked at by a person.
 */
export const PATCHES = [
  {
    file: 'src/RTC/DtlsTransport.cpp',
    // OpenSSL calls a BIO callback before and after each operation, and marks the second call by a bit in the
    // operation. Compared as a number the mark is never seen, so every BIO control call seems to answer 1.
    // Where OpenSSL is built with kernel TLS (Debian's is) it concludes that the kernel encrypts, allocates no
    // write buffer, and the first handshake writes to address 0 and takes the worker down.
    find: '(operationType == BIO_CB_RETURN)',
    replace: '((operationType & BIO_CB_RETURN) != 0)',
  },
];

/** Compiler flags: those of mediasoup's release build, and the hardening a parser of foreign packets deserves. */
export function compileFlags() {
  return [
    '-std=c++20',
    '-O3',
    '-DNDEBUG',
    '-fPIE',
    '-pthread',
    '-fstack-protector-strong',
    '-U_FORTIFY_SOURCE',
    '-D_FORTIFY_SOURCE=2',
    // The sources are not ours to correct, and their warnings would only hide what matters.
    '-w',
    '-DMS_EXECUTABLE',
    os.endianness() === 'LE' ? '-DMS_LITTLE_ENDIAN' : '-DMS_BIG_ENDIAN',
    // musl has no strtoull_l, which the flatbuffers headers would otherwise call.
    `-DFLATBUFFERS_LOCALE_INDEPENDENT=${usesGlibc() ? 1 : 0}`,
  ];
}

export const LINK_FLAGS = ['-pie', '-pthread', '-Wl,-z,relro,-z,now'];

/** How the headers of the messages between server and worker are generated, as in mediasoup's fbs/FBS/meson.build. */
export const FLATC_FLAGS = [
  '--cpp',
  '--cpp-field-case-style',
  'lower',
  '--reflect-names',
  '--scoped-enums',
  '--filename-suffix',
  '',
];

/** Headers of the standard library and of other projects that many of the sources include. */
export const PRELUDE = [
  'algorithm',
  'array',
  'chrono',
  'functional',
  'map',
  'memory',
  'optional',
  'span',
  'sstream',
  'string',
  'string_view',
  'unordered_map',
  'variant',
  'vector',
  'absl/types/optional.h',
  'ankerl/unordered_dense.h',
  'flatbuffers/flatbuffers.h',
  'openssl/ssl.h',
  'srtp.h',
  'uv.h',
];

/** A short name for the recipe: a changed flag, stand-in or correction makes another worker. */
export function recipeHash() {
  const values = {
    REQUIRED_LIBRARIES,
    PATCHES,
    LINK_FLAGS,
    FLATC_FLAGS,
    PRELUDE,
    compileFlags: compileFlags(),
  };
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const file of SHIM_FILES) hash.update(readFileSync(join(SHIM_DIR, file)));
  return hash.digest('hex').slice(0, 12);
}

function usesGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}
