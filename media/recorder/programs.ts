import { access, constants } from 'node:fs/promises';

/** The server's own search path is not used: a program is chosen by the configuration or by the system, nothing else. */
const PROGRAM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'];

/** The path of a program that is given by its path or, if it is where programs usually are, by its name; or null. */
export async function findProgram(nameOrPath: string): Promise<string | null> {
  const isPath = nameOrPath.includes('/');
  for (const path of isPath ? [nameOrPath] : PROGRAM_FOLDERS.map((folder) => `${folder}/${nameOrPath}`)) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
