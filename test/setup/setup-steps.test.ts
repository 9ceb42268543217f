import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countLine } from '../../scripts/setup/checks.mjs';
import { findChromium } from '../../scripts/setup/chromium.mjs';
import { SetupFailure } from '../../scripts/setup/failure.mjs';
import { findFfmpeg } from '../../scripts/setup/ffmpeg.mjs';
import { withLock } from '../../scripts/setup/lock.mjs';
import { isAtLeast } from '../../scripts/setup/node.mjs';
import { isInstalled } from '../../scripts/setup/packages.mjs';
import { cacheDir } from '../../scripts/setup/paths.mjs';
import { createProgress, elapsed } from '../../scripts/setup/progress.mjs';
import { isDebianFamily, parseOsRelease } from '../../scripts/setup/system.mjs';
import { hashOfFiles } from '../../scripts/setup/web.mjs';

/** Beyond the largest process id Linux hands out. */
const NO_PROCESS = 4_194_305;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'teleconsult-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, exitCode = 0): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('packages', () => {
  const machine = { os: 'linux', cpu: 'x64', libc: 'glibc' };
  const installed = { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'i' } } };
  const check = (packages: object) =>
    isInstalled({ packages: { ...installed.packages, ...packages } }, installed, machine);

  test('that npm recorded as installed need no second install', () => {
    expect(check({ '': { version: '9' }, server: { version: '9' } })).toBe(true);
  });

  test.each([
    ['is missing', { 'node_modules/b': { version: '1.0.0' } }],
    ['has another version', { 'node_modules/a': { version: '1.0.1', integrity: 'i' } }],
    ['has other contents', { 'node_modules/a': { version: '1.0.0', integrity: 'j' } }],
    [
      'is the variant for this machine and missing',
      { 'node_modules/b': { optional: true, os: 'linux', cpu: ['x64'] } },
    ],
  ])('are installed again when one %s', (_, packages) => {
    expect(check(packages)).toBe(false);
  });

  test.each([
    ['another system', { os: ['darwin'] }],
    ['another processor', { os: 'linux', cpu: 'arm64' }],
    ['any system but this', { os: ['!linux'] }],
    ['another C library', { os: 'linux', cpu: 'x64', libc: ['musl'] }],
    ['a variant that was left out', {}],
  ])('for %s may be missing', (_, fields) => {
    expect(check({ 'node_modules/b': { optional: true, ...fields } })).toBe(true);
  });
});

describe('versions', () => {
  test.each([
    ['24.15.0', '24.15', true],
    ['24.21.0', '24.15', true],
    ['26.0.0', '24.15', true],
    ['24.9.0', '24.15', false],
    ['20.20.2', '24.15', false],
  ])('%s against %s: %s', (version, minimum, enough) => {
    expect(isAtLeast(version, minimum)).toBe(enough);
  });
});

describe('the distribution', () => {
  test('is read from os-release, quoted or not', () => {
    expect(parseOsRelease('ID=debian\nVERSION_ID="12"\n')).toEqual({ id: 'debian', version: '12', like: [] });
    expect(parseOsRelease('ID=linuxmint\nID_LIKE="ubuntu debian"').like).toEqual(['ubuntu', 'debian']);
  });

  test('has packages with names of Debian when it is derived from it', () => {
    expect(isDebianFamily(parseOsRelease('ID=linuxmint\nID_LIKE="ubuntu debian"'))).toBe(true);
    expect(isDebianFamily(parseOsRelease('ID=fedora\nVERSION_ID=42'))).toBe(false);
  });

  test('leaves a relative cache folder unused, as the XDG specification says', () => {
    expect(cacheDir({ XDG_CACHE_HOME: '/var/cache' })).toBe('/var/cache/teleconsult');
    expect(cacheDir({ XDG_CACHE_HOME: 'cache' })).not.toContain('cache/teleconsult/cache');
  });
});

describe('a program', () => {
  test('named by the environment comes before the one on PATH', async () => {
    program('ffmpeg');
    const named = program('my-ffmpeg');
    expect(await findFfmpeg({ PATH: folder, FFMPEG_BIN: named })).toBe(named);
    expect(findChromium({ PATH: folder, CHROMIUM_PATH: named })).toBe(named);
  });

  test('is found on PATH', () => {
    const browser = program('google-chrome');
    expect(findChromium({ PATH: folder })).toBe(browser);
  });

  test('that the environment names and that does not run is reported and not replaced by another', async () => {
    const broken = program('broken', 1);
    await expect(findFfmpeg({ PATH: '', FFMPEG_PATH: broken })).rejects.toThrow(/FFMPEG_PATH/);
    expect(() => findChromium({ PATH: '', CHROMIUM_PATH: join(folder, 'none') })).toThrow(/CHROMIUM_PATH/);
  });
});

describe('a failure', () => {
  test('says what was tried, why it failed, and what to do', () => {
    const failure = new SetupFailure({
      wanted: 'find x',
      tried: ['y: not there'],
      output: 'E: z\n',
      fix: ['install x'],
    });
    expect(failure.message).toBe(
      'Set-up could not find x.\n\nTried:\n  - y: not there\n\n  | E: z\n\nTo go on:\n  install x\n\nMore: docs/SETUP.md',
    );
  });
});

describe('progress', () => {
  function recorded() {
    const written: string[] = [];
    const clock = { atMs: 0 };
    const out = { write: (text: string) => written.push(text) };
    return { written, clock, progress: createProgress({ out, now: () => clock.atMs, plain: true }) };
  }

  test('of a step without work is silence', async () => {
    const { progress, written } = recorded();
    expect(await progress.step('packages', async () => 42)).toBe(42);
    expect(written).toEqual([]);
  });

  test('in a log is a line at the start, at the end, and now and then between', async () => {
    const { progress, written, clock } = recorded();
    await progress.step('worker', async (step) => {
      step.doing('compiling');
      for (const done of [1, 2, 3]) {
        clock.atMs += 10_000;
        step.detail(`${done}/3`);
      }
    });
    expect(written.slice(1)).toEqual([
      '  worker     compiling ...\n',
      '  worker     2/3 (20 s)\n',
      '  worker     done (30 s)\n',
    ]);
  });

  test('of a step that fails says so and passes the failure on', async () => {
    const { progress, written } = recorded();
    const failing = progress.step('worker', async (step) => {
      step.doing('compiling');
      throw new Error('no compiler');
    });
    await expect(failing).rejects.toThrow('no compiler');
    expect(written.at(-1)).toBe('  worker     failed (0.0 s)\n');
  });

  test.each([
    [420, '0.4 s'],
    [41_300, '41 s'],
    [302_000, '5 min 02 s'],
  ])('shows %d ms as %s', (durationMs, text) => {
    expect(elapsed(durationMs)).toBe(text);
  });
});

describe('a lock', () => {
  test('lets one piece of work in at a time', async () => {
    const path = join(folder, 'locks/a.lock');
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} in`);
      await Promise.resolve();
      events.push(`${name} out`);
    };
    await Promise.all([
      withLock(path, work('first')),
      withLock(path, work('second'), () => events.push('second waits')),
    ]);
    expect(events.filter((event) => event !== 'second waits')).toEqual([
      'first in',
      'first out',
      'second in',
      'second out',
    ]);
  });

  test('left behind by a process that died is taken over', async () => {
    const path = join(folder, 'a.lock');
    writeFileSync(path, String(NO_PROCESS));
    expect(await withLock(path, async () => 'done')).toBe('done');
  });

  test('that nobody has touched for long is taken over, whoever has its process id by now', async () => {
    const path = join(folder, 'a.lock');
    writeFileSync(path, String(process.pid));
    utimesSync(path, new Date(0), new Date(0));
    expect(await withLock(path, async () => 'done')).toBe('done');
  });

  test('is given back when the work fails', async () => {
    const path = join(folder, 'a.lock');
    await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(path, async () => 'done')).toBe('done');
  });
});

describe('the web pages', () => {
  test('are built again when a source changes its contents or its name, and not for what the build wrote', () => {
    mkdirSync(join(folder, 'web/dist'), { recursive: true });
    writeFileSync(join(folder, 'web/a.ts'), '1');
    const first = hashOfFiles(folder, ['web']);
    writeFileSync(join(folder, 'web/dist/a.js'), 'built');
    expect(hashOfFiles(folder, ['web'])).toBe(first);
    writeFileSync(join(folder, 'web/a.ts'), '2');
    const second = hashOfFiles(folder, ['web']);
    rmSync(join(folder, 'web/a.ts'));
    writeFileSync(join(folder, 'web/b.ts'), '2');
    expect(new Set([first, second, hashOfFiles(folder, ['web'])]).size).toBe(3);
  });
});

describe('the count of tests', () => {
  const file = (...statuses: string[]) => ({
    status: statuses.includes('failed') ? 'failed' : 'passed',
    assertionResults: statuses.map((status) => ({ status })),
  });

  test('adds up the files, and names skipped tests only if there are any', () => {
    expect(countLine({ testResults: [file('passed', 'passed'), file('failed', 'passed')] }, true)).toBe(
      '3 passed, 1 failed',
    );
    expect(countLine({ testResults: [file('passed', 'skipped', 'todo')] }, false)).toBe(
      '1 passed, 0 failed, 2 skipped',
    );
  });

  test('never reads as success when the run failed', () => {
    expect(countLine({ testResults: [{ status: 'failed', assertionResults: [] }] }, true)).toBe(
      '0 passed, 1 failed',
    );
    expect(countLine({ testResults: [file('passed')] }, true)).toBe('1 passed, 1 failed');
    expect(countLine({ testResults: [] }, true)).toBe('0 passed, 1 failed');
  });
});
