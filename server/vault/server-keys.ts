import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Log } from '../host/ports.ts';
import { assertKeysAreThere } from './count-by-key.ts';
import type { KeyProvider } from './key-provider.ts';
import { type KmsOptions, openKms } from './kms-key-provider.ts';
import { type RewrapProgress, Rewrapper } from './rewrapper.ts';
import { StatusWriter } from './rotation-status.ts';
import { severalProviders } from './several-providers.ts';
import { WatchedKeyFile } from './watched-key-file.ts';
import type { WrappedValues } from './wrapped-values.ts';

/** Where a data folder has its key file. */
export const keyFileIn = (dataFolder: string): string => join(dataFolder, 'keys', 'vault-keys.json');

export interface ServerKeysOptions {
  readonly dataFolder: string;
  /** Whether there is a database: then missing keys are lost keys, and none are made. */
  readonly hasData: boolean;
  /** A key service that wraps instead of the key file; null: the file does. */
  readonly kms: KmsOptions | null;
  readonly log: Log;
  readonly clock: Clock;
}

export interface RotationOptions {
  readonly values: WrappedValues;
  /** Of this process, for the commands beside it. */
  readonly pid: number;
  /** The present moment as people read it. */
  readonly now: () => number;
}

/**
 * The keys of a running server: those of the key file, which is watched, or of a key service with what is left of the
 * file. Whoever opened them closes them, after everything that seals.
 */
export class ServerKeys {
  readonly provider: KeyProvider;
  readonly #options: ServerKeysOptions;
  readonly #file: WatchedKeyFile | null;
  readonly #closeService: () => void;
  #rewrapper: Rewrapper | null = null;
  #status: StatusWriter | null = null;

  /** @throws VaultError when there is no usable key; the server must not start then */
  static async open(options: ServerKeysOptions): Promise<ServerKeys> {
    const { dataFolder, kms, hasData, log, clock } = options;
    const path = keyFileIn(dataFolder);
    const openFile = (mayCreate: boolean) => WatchedKeyFile.open({ path, mayCreate, now: clock(), log });
    if (kms === null) {
      const file = await openFile(!hasData);
      return new ServerKeys(options, file, { provider: file, close: () => undefined });
    }
    // Back from a service to a file that is not there yet: what the service wrapped it goes on opening. Whether that
    // is everything is asked before anything is served (`startRotation`).
    const file = kms.keyId === null || existsSync(path) ? await openFile(kms.keyId === null) : null;
    const service = openKms(kms);
    const wraps = kms.keyId === null ? 'file' : 'service';
    const provider = file === null ? service : severalProviders({ service, file, wraps });
    return new ServerKeys(options, file, { provider, close: () => service.close() });
  }

  private constructor(
    options: ServerKeysOptions,
    file: WatchedKeyFile | null,
    { provider, close }: { provider: KeyProvider; close: () => void },
  ) {
    this.#options = options;
    this.#file = file;
    this.provider = provider;
    this.#closeService = close;
  }

  /**
   * Begins to seal anew what another than the current key wraps, now and whenever the current key changes.
   * @throws VaultError KEY_MISSING when something stored needs a key that is not there; the server must not start then
   */
  async startRotation({ values, pid, now }: RotationOptions): Promise<void> {
    const { dataFolder, log, clock } = this.#options;
    await assertKeysAreThere(values, this.provider);
    const status = new StatusWriter({
      dataFolder,
      pid,
      now,
      steady: clock,
      onFailure: (error) => log.warn('vault.statusNotWritten', { error }),
    });
    const rewrapper = new Rewrapper({
      values,
      keys: this.provider,
      clock,
      log,
      onProgress: (progress) => status.handleProgress(progress),
      onSettled: () => this.#file?.dropVanished(),
    });
    this.#file?.onChange(() => rewrapper.wake());
    this.#rewrapper = rewrapper;
    this.#status = status;
    rewrapper.start();
  }

  /** How far the values are that have to be sealed anew; null before that has begun. */
  get progress(): RewrapProgress | null {
    return this.#rewrapper?.progress ?? null;
  }

  /** Reads the key file again where it has changed, without waiting for the next look. Never rejects. */
  async look(): Promise<void> {
    await this.#file?.look();
  }

  /** Ends the rewrapping after the values under way; the keys go on being good. To be called before the store is closed. */
  async stopRotation(): Promise<void> {
    await this.#rewrapper?.close();
    await this.#status?.settled();
  }

  async close(): Promise<void> {
    await this.stopRotation();
    this.#file?.close();
    this.#closeService();
  }
}
