import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildPages } from './pages.ts';

/**
 * What one page loads before anything is pressed, SDK included, in bytes after gzip. Rising means that a visitor on a
 * train waits longer. The SDK is 105,000 of it (WebRTC, Socket.IO, resumable uploads), both languages 17,000; dialogs,
 * menus, search, QR codes and the small window of a call are fetched when they are needed.
 */
const BUDGET_BYTES = 180_000;

it('[WEB9] the built pages hold no mock, no inline script or style, no data URL, and stay in their budget', async () => {
  await using pages = await buildPages('pages');
  const names = readdirSync(pages.folder, { recursive: true, encoding: 'utf8' });
  const read = (name: string): string => readFileSync(join(pages.folder, name), 'utf8');
  expect(names.filter((name) => name.endsWith('.html')).sort()).toEqual([
    'doctor.html',
    'index.html',
    'patient.html',
  ]);
  // The service worker is one file at the root: its path is its scope.
  expect(read('sw.js')).not.toMatch(/^import |\bimport\(/m);

  for (const name of names.filter((file) => /\.(js|html|css)$/.test(file))) {
    expect(read(name), name).not.toMatch(/MockClient|showScene/);
    if (!name.endsWith('.js')) expect(read(name), name).not.toMatch(/data:(?!text)/);
  }
  for (const page of ['patient.html', 'doctor.html', 'index.html']) {
    const markup = read(page);
    expect(markup, page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    const assets = [...markup.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)];
    const bytes = assets.reduce((sum, [, name = '']) => sum + gzipSync(read(name)).length, 0);
    expect(bytes, page).toBeGreaterThan(5_000);
    expect(bytes, page).toBeLessThan(BUDGET_BYTES);
  }
}, 60_000);

it('[WEB119] the small window of a call is fetched with a call, not with the page', async () => {
  await using pages = await buildPages('pages');
  const names = readdirSync(join(pages.folder, 'assets')).filter((name) => name.endsWith('.js'));
  const own = names.filter((name) =>
    readFileSync(join(pages.folder, 'assets', name), 'utf8').includes('floating-go-on'),
  );
  expect(own).toHaveLength(1);
  for (const page of ['patient.html', 'doctor.html'])
    expect(readFileSync(join(pages.folder, page), 'utf8'), page).not.toContain(own[0]);
}, 60_000);
