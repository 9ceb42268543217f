import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AppError, ConsultationId } from '@teleconsult/protocol';
import { openFile } from '../../backup/file-source.ts';
import { journalsIn } from '../../backup/layout.ts';
import { memorySource } from '../../storage/objects/memory-source.ts';
import type { RandomAccessSource } from '../../storage/objects/object-store.ts';
import type { ConsultationKey } from '../../vault/consultation-key.ts';
import { ERASED_KEY } from '../../vault/consultation-key.ts';
import type { KeyProvider } from '../../vault/key-provider.ts';
import { openSealedJournal } from '../../vault/opened-journal.ts';
import { MAX_HEADER_BYTES } from '../../vault/sealed-header.ts';
import { providerKeysOf, readLabel, type SealedLabel } from '../../vault/sealed-label.ts';
import { openSealedObject } from '../../vault/sealed-object.ts';
import { Vault } from '../../vault/vault.ts';
import type { OpenedData } from '../data-folder.ts';
import { FIELD_TABLES } from './field-tables.ts';
import { verifyPhoneNumbers } from './phone-numbers.ts';

const PAGE_ROWS = 500;
/** Keys of consultations kept at hand while objects, which lie in no order, are opened. */
const REMEMBERED_KEYS = 500;

export interface Found {
  readonly consultations: number;
  readonly erased: number;
  readonly fields: number;
  readonly values: number;
  readonly objects: number;
  readonly unreadable: number;
}

export interface VerificationOptions {
  readonly data: OpenedData;
  readonly dataFolder: string;
  readonly keys: KeyProvider;
  /** Told of each thing that does not open, by ids alone. */
  readonly onUnreadable: (what: string) => void;
  readonly onProgress: (found: Found) => void;
}

/**
 * Opens everything that is stored: each consultation's key, each sealed field, each value that the provider's keys wrap,
 * each object of the store to its last byte, and looks for the objects that the database knows of. Holds a page of rows
 * and some keys in memory, whatever there is. Beside a running server: what is removed while it is looked at is passed
 * over.
 */
export class Verification {
  readonly #options: VerificationOptions;
  readonly #vault: Vault;
  readonly #remembered = new Map<string, ConsultationKey | null>();
  #found: Found = { consultations: 0, erased: 0, fields: 0, values: 0, objects: 0, unreadable: 0 };

  constructor(options: VerificationOptions) {
    this.#options = options;
    this.#vault = new Vault(options.keys);
  }

  async run(): Promise<Found> {
    await this.#consultations();
    await this.#values();
    await this.#phoneNumbers();
    await this.#journals();
    await this.#objects();
    await this.#knownObjects();
    await this.#knownParts();
    return this.#found;
  }

  async #consultations(): Promise<void> {
    const { db } = this.#options.data;
    const page = db.prepare(
      'SELECT consultation_id FROM consultation WHERE consultation_id > ? ORDER BY consultation_id LIMIT ?',
    );
    for (let after = ''; ; ) {
      const ids = page.all(after, PAGE_ROWS).map((row) => String(row['consultation_id']));
      for (const id of ids) await this.#consultation(id);
      const last = ids.at(-1);
      if (last === undefined || ids.length < PAGE_ROWS) return;
      after = last;
    }
  }

  async #consultation(id: string): Promise<void> {
    const key = await this.#keyOf(id);
    if (key === 'erased') {
      this.#count('erased');
      return;
    }
    this.#count('consultations');
    if (key === null) return;
    const { db } = this.#options.data;
    for (const table of FIELD_TABLES) {
      // A consultation has thousands of rows at most; none of its bytes are kept once they were opened.
      for (const row of db.prepare(table.sql).iterate(id)) {
        this.#count('fields');
        try {
          table.open(key, row);
        } catch {
          this.#unreadable(`${id}: ${table.name(row)} does not open`);
        }
      }
    }
    await setImmediate();
  }

  /** The key of a consultation, null where it does not open (which is told once). */
  async #keyOf(id: string): Promise<ConsultationKey | null | 'erased'> {
    const remembered = this.#remembered.get(id);
    if (remembered !== undefined) return remembered;
    const { db } = this.#options.data;
    const row = db.prepare('SELECT wrapped_key FROM consultation WHERE consultation_id = ?').get(id);
    const wrapped = row?.['wrapped_key'];
    if (!(wrapped instanceof Uint8Array) || wrapped.byteLength === ERASED_KEY.byteLength) return 'erased';
    let key: ConsultationKey | null = null;
    try {
      key = await this.#vault.openConsultationKey(ConsultationId.parse(id), wrapped);
    } catch (error) {
      if (error instanceof AppError && error.retryable) throw error;
      this.#unreadable(`${id}: its key does not open`);
    }
    this.#remembered.set(id, key);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_KEYS && oldest !== undefined) this.#remembered.delete(oldest);
    return key;
  }

  /** Values of other tables that the provider's keys wrap, such as push subscriptions. */
  async #values(): Promise<void> {
    const { values } = this.#options.data;
    for (const column of values.columns()) {
      if (column.table === 'consultation') continue;
      for (let after: readonly (string | number)[] | null = null; ; ) {
        const page = values.page(column, { after, limit: PAGE_ROWS });
        for (const { row, sealed } of page.values) {
          this.#count('values');
          const label = readLabel(sealed);
          if (label === null || !(await this.#opens(memorySource(sealed), label, null)))
            this.#unreadable(`${column.table} ${row.join(' ')}: does not open`);
        }
        after = page.next;
        if (after === null) break;
        await setImmediate();
      }
    }
  }

  async #phoneNumbers(): Promise<void> {
    await verifyPhoneNumbers(this.#options.data.db, this.#vault, (name, isOpen) => {
      this.#count('fields');
      if (!isOpen) this.#unreadable(`${name}: does not open`);
    });
  }

  /** Recordings that grow: a journal opens up to where it was cut, if it opens at all. */
  async #journals(): Promise<void> {
    const folder = journalsIn(this.#options.dataFolder);
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.endsWith('.journal')) continue;
      try {
        await using source = await openFile(join(folder, name));
        this.#count('objects');
        if (!(await this.#opensAsJournal(source))) this.#unreadable(`journal ${name}: does not open`);
      } catch (error) {
        // It has become a part of the object store, which is looked at next.
        if (error instanceof AppError && error.code === 'NOT_FOUND') continue;
        throw error;
      }
    }
  }

  async #opensAsJournal(source: RandomAccessSource): Promise<boolean> {
    const label = readLabel(await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES)));
    const { consultation, purpose, object } = label?.context ?? {};
    if (consultation === undefined || purpose === undefined || object === undefined) return false;
    const key = await this.#keyOf(consultation);
    if (key === 'erased') return true;
    if (key === null) return false;
    try {
      const context = { consultation: ConsultationId.parse(consultation), purpose, object };
      const journal = await openSealedJournal(source, { key, context });
      for await (const _chunk of journal.read()) {
        // Each frame is checked as it is read.
      }
      return true;
    } catch (error) {
      if (error instanceof AppError && error.retryable) throw error;
      return false;
    }
  }

  async #objects(): Promise<void> {
    const { objects } = this.#options.data;
    for await (const name of objects.list('')) {
      try {
        await using source = await objects.open(name);
        this.#count('objects');
        const label = readLabel(await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES)));
        if (label === null || !(await this.#opensAs(name, label, source)))
          this.#unreadable(`object ${name}: does not open`);
      } catch (error) {
        if (error instanceof AppError && error.code === 'NOT_FOUND') continue;
        if (error instanceof AppError && error.retryable) throw error;
        this.#unreadable(`object ${name}: does not open`);
      }
    }
  }

  /** Whether an object opens with the key of the consultation it says it belongs to, and lies where it says it does. */
  async #opensAs(name: string, label: SealedLabel, source: RandomAccessSource) {
    const { consultation, object } = label.context;
    if (consultation === undefined || object === undefined || !name.endsWith(`/${object}`)) return false;
    if (providerKeysOf(label).length > 0) return this.#opens(source, label, null);
    const key = await this.#keyOf(consultation);
    // Of an erased consultation: leftovers, which the server removes; nobody can read them.
    if (key === 'erased') return true;
    return key !== null && this.#opens(source, label, key);
  }

  async #opens(
    source: RandomAccessSource,
    { context }: SealedLabel,
    key: ConsultationKey | null,
  ): Promise<boolean> {
    try {
      const keyring = key?.objectKeyring ?? this.#options.keys.unwrapping;
      const object = await openSealedObject(source, { keyring, encryptionContext: context });
      for await (const _chunk of object.read()) {
        // Each frame is checked as it is read.
      }
      return true;
    } catch (error) {
      if (error instanceof AppError && error.retryable) throw error;
      return false;
    }
  }

  /** What the database says there is. Asked again before it is called missing: it may have been removed meanwhile. */
  async #knownObjects(): Promise<void> {
    const { db, objects } = this.#options.data;
    const ready = `FROM attachment WHERE status = 'ready' AND withdrawn = 0`;
    const page = db.prepare(
      `SELECT attachment_id ${ready} AND attachment_id > ? ORDER BY attachment_id LIMIT ?`,
    );
    const again = db.prepare(`SELECT 1 ${ready} AND attachment_id = ?`);
    for (let after = ''; ; ) {
      const ids = page.all(after, PAGE_ROWS).map((row) => String(row['attachment_id']));
      for (const id of ids)
        if ((await objects.head(`attachments/${id}/original`)) === null && again.get(id) !== undefined)
          this.#unreadable(`${id}: its object is not in the store`);
      const last = ids.at(-1);
      if (last === undefined || ids.length < PAGE_ROWS) return;
      after = last;
    }
  }

  /** Parts of recordings: each is in the store, or still a journal. */
  async #knownParts(): Promise<void> {
    const { data, dataFolder } = this.#options;
    const page = data.db.prepare(
      'SELECT file_id, recording_id, parts FROM recording_file WHERE file_id > ? ORDER BY file_id LIMIT ?',
    );
    const again = data.db.prepare('SELECT 1 FROM recording_file WHERE file_id = ? AND parts > ?');
    for (let after = ''; ; ) {
      const rows = page.all(after, PAGE_ROWS);
      for (const row of rows) {
        const [recording, file] = [String(row['recording_id']), String(row['file_id'])];
        for (let index = 0; index < Number(row['parts']); index += 1) {
          const journal = join(journalsIn(dataFolder), `${recording}.${file}.${index}.journal`);
          const isThere =
            existsSync(journal) ||
            (await data.objects.head(`recordings/${recording}/${file}/${index}`)) !== null;
          if (!isThere && again.get(file, index) !== undefined)
            this.#unreadable(`${file}: its part ${index} is not in the store`);
        }
      }
      const last = rows.at(-1)?.['file_id'];
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = String(last);
    }
  }

  #unreadable(what: string): void {
    this.#options.onUnreadable(what);
    this.#count('unreadable');
  }

  #count(what: keyof Found): void {
    this.#found = { ...this.#found, [what]: this.#found[what] + 1 };
    this.#options.onProgress(this.#found);
  }
}
