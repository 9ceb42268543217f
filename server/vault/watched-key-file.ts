import { stat } from 'node:fs/promises';
import type { KeyringNode } from '@aws-crypto/client-node';
import type { Log } from '../host/ports.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import type { KeyProvider } from './key-provider.ts';
import { keyringsOf, type LocalKeyFileOptions, openLocalKeyFile, providerOf } from './local-key-file.ts';
import { VaultError } from './vault-error.ts';

/** How often the file's time of change is looked at: one cheap system call. */
const LOOK_MS = 5_000;

export interface WatchedKeyFileOptions extends LocalKeyFileOptions {
  readonly log: Log;
}

/**
 * The key file of a server that runs: a key that is added or made current is taken up without a restart.
 *
 * A file that is missing, exposed or damaged while the server runs changes nothing: it goes on with the keys it has, and
 * says so. A key that was taken out of the file is kept in memory until somebody says that nothing needs it
 * (`dropVanished`): what this very process was still writing under it would be lost otherwise.
 */
export class WatchedKeyFile implements KeyProvider {
  readonly #path: string;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #keyrings: ReadonlyMap<string, KeyringNode>;
  #inFile: ReadonlySet<string>;
  #provider: KeyProvider;
  #seen: string;
  #looking: Promise<void> = Promise.resolve();

  /**
   * Opens the file, making it when there is none and `mayCreate` allows it.
   * @throws VaultError when there is no usable key; the server must not start then
   */
  static async open(options: WatchedKeyFileOptions): Promise<WatchedKeyFile> {
    await openLocalKeyFile(options);
    const seen = await signature(options.path);
    return new WatchedKeyFile(options, await readExisting(options.path), seen);
  }

  private constructor({ path, log }: WatchedKeyFileOptions, file: KeyFile, seen: string) {
    this.#path = path;
    this.#log = log;
    this.#keyrings = keyringsOf(file);
    this.#inFile = new Set(this.#keyrings.keys());
    this.#provider = providerOf(this.#keyrings, file.current);
    this.#seen = seen;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  get currentKeyId(): string {
    return this.#provider.currentKeyId;
  }

  get keyIds(): readonly string[] {
    return this.#provider.keyIds;
  }

  get wrapping(): KeyringNode {
    return this.#provider.wrapping;
  }

  get unwrapping(): KeyringNode {
    return this.#provider.unwrapping;
  }

  /** Is told after the keys have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Reads the file anew where it has changed. Never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Nothing stored or under way needs a key that is no longer in the file: those are forgotten. */
  dropVanished(): void {
    if (this.#keyrings.size === this.#inFile.size) return;
    this.#keyrings = new Map([...this.#keyrings].filter(([id]) => this.#inFile.has(id)));
    this.#provider = providerOf(this.#keyrings, this.currentKeyId);
    this.#log.info('vault.keysForgotten', { count: this.#keyrings.size });
  }

  /** Looks no more. May be called twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    const seen = await signature(this.#path);
    if (seen === this.#seen) return;
    // Remembered also where it is refused: it is complained about once.
    this.#seen = seen;
    try {
      this.#take(await readExisting(this.#path));
    } catch (error) {
      const reason = error instanceof VaultError ? error.reason : 'KEY_FILE_UNAVAILABLE';
      this.#log.error('vault.keyFileRefused', { reason, error });
    }
  }

  #take(file: KeyFile): void {
    const read = keyringsOf(file);
    this.#inFile = new Set(read.keys());
    this.#keyrings = new Map([...this.#keyrings, ...read]);
    this.#provider = providerOf(this.#keyrings, file.current);
    this.#log.info('vault.keysRead', { count: read.size, reason: file.current });
    for (const listener of this.#listeners) listener();
  }
}

/** Differs whenever the file was replaced or written. A replaced file has another inode, however fast it was. */
async function signature(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, ctimeNs, size } = await stat(path, { bigint: true });
    return [ino, mtimeNs, ctimeNs, size].join(' ');
  } catch {
    return 'missing';
  }
}

async function readExisting(path: string): Promise<KeyFile> {
  const file = await readKeyFile(path);
  if (file === null) throw new VaultError('KEY_FILE_MISSING', `There is no key file at ${path}.`);
  return file;
}
