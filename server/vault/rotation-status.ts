import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RewrapProgress } from './rewrapper.ts';

/** Progress is written at most this often; a change of state at once. */
const WRITE_MS = 1_000;

const Status = z.object({
  /** When it was written, ISO 8601. */
  at: z.iso.datetime(),
  pid: z.number(),
  state: z.enum(['rewrapping', 'waiting', 'settled']),
  currentKeyId: z.string(),
  /** For how long the server had wrapped under that key, in milliseconds; null: since it began. */
  wrappingForMs: z.number().nullable(),
  remaining: z.number(),
  rewrapped: z.number(),
  failed: z.number(),
});
/** What a running server tells the commands beside it about its keys. */
export type RotationStatus = z.infer<typeof Status>;

const pathIn = (dataFolder: string): string => join(dataFolder, 'vault-status.json');

/** What the server of this data folder last said; null when it never said anything that can be read. */
export async function readRotationStatus(dataFolder: string): Promise<RotationStatus | null> {
  try {
    return Status.parse(JSON.parse(await readFile(pathIn(dataFolder), 'utf8')));
  } catch {
    return null;
  }
}

export interface StatusWriterOptions {
  readonly dataFolder: string;
  readonly pid: number;
  /** The present moment as people read it, and a clock that never goes back. */
  readonly now: () => number;
  readonly steady: () => number;
  /** It could not be written; it is of use to operators only, so the server goes on. */
  readonly onFailure: (error: unknown) => void;
}

/** Writes down how far the server is, for `vault status` and `vault retire`. One write at a time, the newest wins. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #waiting: RewrapProgress | null = null;
  #writing: Promise<void> | null = null;
  #written: { readonly at: number; readonly state: string; readonly keyId: string } | null = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  handleProgress(progress: RewrapProgress): void {
    const written = this.#written;
    const isNews =
      written === null || written.state !== progress.state || written.keyId !== progress.currentKeyId;
    if (!isNews && this.#options.steady() - written.at < WRITE_MS) return;
    this.#written = {
      at: this.#options.steady(),
      state: progress.state,
      keyId: progress.currentKeyId,
    };
    this.#waiting = progress;
    this.#writing ??= this.#drain();
  }

  /** Waits for the last write. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting; next !== null; next = this.#waiting) {
      this.#waiting = null;
      try {
        await this.#write(next);
      } catch (error) {
        this.#options.onFailure(error);
      }
    }
    this.#writing = null;
  }

  async #write({ wrappingSince, ...progress }: RewrapProgress): Promise<void> {
    const { dataFolder, pid, now, steady } = this.#options;
    const status: RotationStatus = {
      at: new Date(now()).toISOString(),
      pid,
      wrappingForMs: wrappingSince === null ? null : steady() - wrappingSince,
      ...progress,
    };
    const path = pathIn(dataFolder);
    await writeFile(`${path}.new`, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}
