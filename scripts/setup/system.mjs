// Installs packages of the distribution, where that is allowed without asking: as root, or with a sudo that
// wants no password. Anywhere else set-up prints the command and leaves it to the reader.

import { readFileSync } from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { capture, lastLines, onPath } from './run.mjs';

/** Another apt-get may hold its lock for a while, for instance an unattended upgrade. */
const APT_LOCK_TIMEOUT_S = 300;

/**
 * @typedef {{ id: string, version: string, like: string[] }} Distribution
 * `id` and `version` as in /etc/os-release ("debian", "12"), or the platform's name where there is none.
 */

/** @returns {Distribution} */
export function readDistribution() {
  try {
    return parseOsRelease(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return { id: process.platform, version: '', like: [] };
  }
}

/** @param {string} text contents of an os-release file */
export function parseOsRelease(text) {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim());
      return match === null ? [] : [[match[1], match[3]]];
    }),
  );
  return {
    id: fields.get('ID') ?? 'linux',
    version: fields.get('VERSION_ID') ?? fields.get('VERSION_CODENAME') ?? 'rolling',
    like: (fields.get('ID_LIKE') ?? '').split(' ').filter((id) => id !== ''),
  };
}

/** Whether the distribution's packages have Debian's names. */
export function isDebianFamily({ id, like }) {
  return [id, ...like].some((name) => name === 'debian' || name === 'ubuntu');
}

export function aptCommand(packages) {
  return `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * How apt-get can be called here: a list of words to put before it, or undefined when it cannot.
 * @returns {Promise<string[] | undefined>}
 */
export async function aptPrefix(distribution) {
  if (!isDebianFamily(distribution) || onPath('apt-get') === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  const { code } = await capture('sudo', ['-n', 'true']);
  return code === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Installs the packages in one call.
 * @param {string[]} prefix from `aptPrefix`
 */
export async function aptInstall(packages, prefix, step) {
  const run = (args) => {
    const words = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return capture(words[0], [...words.slice(1), '-o', `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`]);
  };
  step.doing(`installing with apt-get: ${packages.join(' ')}`);
  // A failed update is not the end: the lists of an earlier one may do, and else the install says what is wrong.
  await run(['update', '-q']);
  const { code, output } = await run(['install', '-y', '-q', '--no-install-recommends', ...packages]);
  if (code === 0) return;
  throw new SetupFailure({
    wanted: 'install packages of the distribution',
    tried: [`${aptCommand(packages)}, which ended with code ${code}`],
    output: lastLines(output),
    fix: [
      `${prefix.length > 0 ? 'sudo ' : ''}apt-get update && ${prefix.length > 0 ? 'sudo ' : ''}${aptCommand(packages)}`,
    ],
  });
}
