import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyPatch } from '../../media/worker/build.mjs';
import { readSourceList } from '../../media/worker/meson.mjs';
import { PATCHES, recipeHash } from '../../media/worker/recipe.mjs';
import { cacheKey, prebuiltUrl } from '../../scripts/setup/worker.mjs';

const mediasoupDir = join(dirname(createRequire(import.meta.url).resolve('mediasoup')), '../..');
const workerSource = (path: string) => readFileSync(join(mediasoupDir, 'worker', path), 'utf8');

describe('the installed mediasoup version', () => {
  test('has source lists the recipe can read', () => {
    const sources = readSourceList(workerSource('meson.build'), 'common_sources');
    expect(sources).toContain('src/Worker.cpp');
    expect(sources).toContain('src/RTC/TransportCongestionControlServer.cpp');
    expect(sources.length).toBe(new Set(sources).size);
    expect(readSourceList(workerSource('deps/libwebrtc/meson.build'), 'libwebrtc_sources')).not.toEqual([]);
    expect(readSourceList(workerSource('fbs/meson.build'), 'flatbuffers_schemas')).toContain('worker.fbs');
  });

  test.each(PATCHES)('has the text that the patch of $file replaces', (patch) => {
    const patched = applyPatch(workerSource(patch.file), patch);
    expect(patched).toContain(patch.replace);
    expect(patched).not.toContain(patch.find);
  });
});

describe('a source list', () => {
  test('is what is assigned and what is appended, without comments', () => {
    const text = "a = [\n  'x.cpp', # why\n  # 'off.cpp',\n]\nb = [\n  'z.cpp',\n]\na += [\n  'y.cpp'\n]\n";
    expect(readSourceList(text, 'a')).toEqual(['x.cpp', 'y.cpp']);
  });

  test('under a condition of the release build is complete', () => {
    const text = "a = [\n'x',\n]\nif not get_option('ms_use_builtin_bwe')\n  a += [\n'y',\n]\nendif\n";
    expect(readSourceList(text, 'a')).toEqual(['x', 'y']);
  });

  test.each([
    [
      'depends on an unknown condition',
      "a = [\n'x',\n]\nif host_machine.system() == 'linux'\n  a += [\n'y',\n]\nendif",
    ],
    ['holds something other than strings', "a = [\n  files('x'),\n]"],
    ['does not exist', "b = [\n'x',\n]"],
    ['does not end', "a = [\n'x',"],
  ])('that %s stops the build', (_, text) => {
    expect(() => readSourceList(text, 'a')).toThrow('meson.build');
  });
});

describe('a patch', () => {
  const patch = { file: 'a.cpp', find: 'one', replace: '$& two' };

  test('replaces its text as it is written', () => {
    expect(applyPatch('zero one three', patch)).toBe('zero $& two three');
  });

  test.each([
    ['is missing', 'zero', '0 times'],
    ['occurs twice', 'one one', '2 times'],
  ])('whose text %s stops the build and names the file', (_, text, complaint) => {
    expect(() => applyPatch(text, patch)).toThrow(/a\.cpp/);
    expect(() => applyPatch(text, patch)).toThrow(complaint);
  });
});

describe('the worker in the cache', () => {
  test('is named after all that decides what the build makes', () => {
    const distribution = { id: 'debian', version: '12', like: [] };
    expect(cacheKey({ version: '3.27.1', distribution, arch: 'x64', recipe: 'abc' })).toBe(
      '3.27.1-debian12-x64-abc',
    );
    expect(recipeHash()).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe('the prebuilt worker', () => {
  const mediasoup = { version: '3.27.1', repository: { url: 'git+https://git.example/mediasoup.git' } };
  const machine = { platform: 'linux', arch: 'x64', release: '6.1.0-13-amd64' };

  test('is looked for where mediasoup publishes it for this machine', () => {
    expect(prebuiltUrl(mediasoup, {}, machine)).toBe(
      'https://git.example/mediasoup/releases/download/3.27.1/mediasoup-worker-3.27.1-linux-x64-kernel6.tgz',
    );
  });

  test("is looked for on a mirror when mediasoup's own variable names one", () => {
    const env = { MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: 'https://mirror.example' };
    expect(prebuiltUrl(mediasoup, env, { ...machine, platform: 'darwin' })).toBe(
      'https://mirror.example/3.27.1/mediasoup-worker-3.27.1-darwin-x64.tgz',
    );
  });
});
