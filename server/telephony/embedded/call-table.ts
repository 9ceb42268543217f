import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AppError, PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import { z } from 'zod';
import type { Log } from '../../host/ports.ts';
import { makeFolder, syncFolder } from '../../storage/objects/durable-folder.ts';
import type { Vault } from '../../vault/vault.ts';
import type { DialogSnapshot } from '../sip/dialog-state.ts';

/** The connection it came by is gone with the server. */
const Flow = z.object({ protocol: z.enum(['udp', 'tcp']), address: z.string(), port: z.int() });

const Snapshot = z.strictObject({
  callId: z.string(),
  localTag: z.string(),
  remoteTag: z.string(),
  local: z.string(),
  remote: z.string(),
  localSeq: z.int(),
  remoteSeq: z.int().nullable(),
  routes: z.array(z.string()),
  target: z.string(),
  flow: Flow,
});

const Ringing = z.strictObject({
  /** Whoever called, where they were not answered yet. */
  caller: z.strictObject({ request: z.string(), flow: Flow }).nullable(),
  callee: z
    .strictObject({
      uri: z.string(),
      to: z.string(),
      via: Flow,
      from: z.string(),
      sdp: z.string(),
      callId: z.string(),
      localTag: z.string(),
      seq: z.int(),
      branch: z.string(),
    })
    .nullable(),
  /** After that it does not ring any more, in milliseconds since 1970. */
  until: z.number(),
});

const StoredCall = z.strictObject({
  callRef: z.string(),
  /** What the bindings are told of it; null: a phone of a consultation, which the host asks about itself. */
  relay: z
    .strictObject({
      bindingId: PhoneBindingId,
      phoneCallId: PhoneCallId,
      caller: z.enum(['a', 'b']),
      answeredAt: z.number().nullable(),
      maxTalkMs: z.number(),
      /** It is over, and that was not kept yet. */
      ended: z
        .strictObject({
          at: z.number(),
          end: z.enum([
            'completed',
            'cancelled',
            'busy',
            'no_answer',
            'declined',
            'failed',
            'unbound',
            'time_over',
            'lost',
          ]),
          talkMs: z.number(),
        })
        .nullable(),
    })
    .nullable(),
  /** null: nothing rings any more. */
  ringing: Ringing.nullable(),
  /** To say BYE in. */
  dialogs: z.array(Snapshot),
});
/** A call that runs, with what ends it. */
export type TabledCall = Omit<z.infer<typeof StoredCall>, 'dialogs'> & {
  readonly dialogs: readonly DialogSnapshot[];
};

const SUFFIX = '.call';
const PURPOSE = 'phone-call';

/** Whether it may be different in a moment: the file is as it was. */
const isPassing = (error: unknown): boolean =>
  error instanceof AppError
    ? error.code === 'STORAGE_UNAVAILABLE'
    : error instanceof Error && 'code' in error && error.code !== 'ENOENT';

/**
 * The calls that run, on disk, so that whoever comes after a crash can end them: a sealed file each, for dialogs hold
 * numbers. Sealed with the key that is current, since no call outlives the next rotation by much.
 */
export class CallTable {
  readonly #folder: string;
  readonly #vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
  readonly #onFailed: (error: unknown) => void;
  /** What is to be written next; null: removed. */
  readonly #next = new Map<string, TabledCall | null>();
  readonly #writing = new Map<string, Promise<void>>();

  /** Makes the folder where there is none. */
  static async open(
    folder: string,
    vault: Pick<Vault, 'sealRecord' | 'openRecord'>,
    onFailed: (error: unknown) => void,
  ): Promise<CallTable> {
    await makeFolder(folder);
    return new CallTable(folder, vault, onFailed);
  }

  private constructor(
    folder: string,
    vault: Pick<Vault, 'sealRecord' | 'openRecord'>,
    onFailed: (error: unknown) => void,
  ) {
    this.#folder = folder;
    this.#vault = vault;
    this.#onFailed = onFailed;
  }

  /**
   * What a server that died has left. What can never be opened is of no use to anybody, and removed; what only cannot be opened
   * now, because a disk or the service of the keys is not there, is tried again, and else kept for the next start.
   */
  async leftOver(log: Log, { withinMs = 5_000, againMs = 500 } = {}): Promise<readonly TabledCall[]> {
    const found: TabledCall[] = [];
    const until = performance.now() + withinMs;
    for (const name of await readdir(this.#folder)) {
      try {
        if (!name.endsWith(SUFFIX)) throw new Error('a write that did not finish');
        found.push(await this.#readSoon(name, until, againMs));
      } catch (error) {
        if (name.endsWith(SUFFIX)) log.error('phone.tableUnreadable', { error });
        if (!isPassing(error)) await rm(join(this.#folder, name), { force: true });
      }
    }
    return found;
  }

  /** Returns at once; of many changes at a time the last is written. */
  put(call: TabledCall): void {
    this.#change(call.callRef, call);
  }

  /** Removes it. Again changes nothing. */
  remove(callRef: string): void {
    this.#change(callRef, null);
  }

  /** Changes that are on their way to the disk. */
  get pending(): number {
    return this.#writing.size;
  }

  /** Resolves when what was to be written is, or has failed. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing.values());
  }

  #change(callRef: string, call: TabledCall | null): void {
    this.#next.set(callRef, call);
    if (this.#writing.has(callRef)) return;
    this.#writing.set(callRef, this.#write(callRef));
  }

  /** Never rejects. */
  async #write(callRef: string): Promise<void> {
    for (;;) {
      const call = this.#next.get(callRef);
      this.#next.delete(callRef);
      if (call === undefined) {
        // In the same turn as the look, so that a change is never left to a writer that has gone.
        this.#writing.delete(callRef);
        return;
      }
      try {
        if (call === null) await rm(this.#path(callRef), { force: true });
        else await this.#replace(call);
      } catch (error) {
        this.#onFailed(error);
      }
    }
  }

  async #replace(call: TabledCall): Promise<void> {
    const path = this.#path(call.callRef);
    const sealed = await this.#vault.sealRecord(Buffer.from(JSON.stringify(call)), {
      purpose: PURPOSE,
      name: call.callRef,
    });
    {
      await using file = await open(`${path}.new`, 'w', 0o600);
      await file.writeFile(sealed);
      await file.sync();
    }
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
  }

  async #readSoon(name: string, until: number, againMs: number): Promise<TabledCall> {
    for (;;) {
      try {
        return await this.#read(name);
      } catch (error) {
        if (!isPassing(error) || performance.now() >= until) throw error;
        await wait(againMs);
      }
    }
  }

  async #read(name: string): Promise<TabledCall> {
    const sealed = await readFile(join(this.#folder, name));
    const plain = await this.#vault.openRecord(sealed, {
      purpose: PURPOSE,
      name: name.slice(0, -SUFFIX.length),
    });
    return StoredCall.parse(JSON.parse(plain.toString('utf8')));
  }

  #path(callRef: string): string {
    return join(this.#folder, `${callRef}${SUFFIX}`);
  }
}
