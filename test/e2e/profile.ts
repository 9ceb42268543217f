import { type BrowserContext, chromium } from 'playwright-core';
import { FLAGS } from './browser.ts';

/** A browser whose profile lies in a folder: what its pages keep is there when they are opened again. */
export async function launchProfile(
  folder: string,
  options: Parameters<typeof chromium.launchPersistentContext>[1] = {},
): Promise<BrowserContext & AsyncDisposable> {
  return chromium.launchPersistentContext(folder, {
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    locale: 'en-US',
    ...options,
  });
}
