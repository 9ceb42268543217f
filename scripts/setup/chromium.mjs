// Finds a Chromium for the browser tests and the demo. None is downloaded: the distribution's own is used.

import { SetupFailure } from './failure.mjs';
import { capture, isExecutable, onPath } from './run.mjs';

/** Without it, screenshots show boxes where the interface is Chinese. */
const FONT_PACKAGE = 'fonts-noto-cjk';
const CHROMIUM_PACKAGES = ['chromium', FONT_PACKAGE];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FIXED_PLACES = [
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** @returns {string | undefined} */
export function findChromium(env = process.env) {
  const named = env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return named;
    throw new SetupFailure({
      wanted: 'use the browser that CHROMIUM_PATH names',
      tried: [`${named}: not an executable file`],
      fix: ['Correct CHROMIUM_PATH, or unset it so that set-up looks for a browser.'],
    });
  }
  for (const name of NAMES) {
    const found = onPath(name, env);
    if (found !== undefined) return found;
  }
  return FIXED_PLACES.find(isExecutable);
}

/**
 * The distribution's packages that are missing for browser tests here.
 * @param {string | undefined} chromiumPath from `findChromium`
 */
export async function missingChromiumPackages(chromiumPath, distribution) {
  if (!hasChromiumPackage(distribution)) return [];
  if (chromiumPath === undefined) return CHROMIUM_PACKAGES;
  const { code, output } = await capture('fc-list', [':lang=zh', 'family']);
  return code === 0 && output.trim() === '' ? [FONT_PACKAGE] : [];
}

/** Ubuntu's package of this name only leads to a snap, which neither containers nor most servers can run. */
function hasChromiumPackage({ id }) {
  return id === 'debian';
}

export function withoutChromium(distribution) {
  return new SetupFailure({
    wanted: 'find Chromium, which the browser tests and the demo drive',
    tried: [`CHROMIUM_PATH (not set) and ${NAMES.join(', ')} on PATH`],
    fix: [
      hasChromiumPackage(distribution)
        ? `sudo apt-get update && sudo apt-get install -y ${CHROMIUM_PACKAGES.join(' ')}`
        : 'Install Chromium or Google Chrome, or set CHROMIUM_PATH to one.',
      'npm run check   (runs everything that needs no browser)',
    ],
  });
}
