import 'fake-indexeddb/auto';
import { ConsultationId } from '@teleconsult/protocol';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Journal, type JournalHead, openJournal } from '../../../client-sdk/records/journal.ts';
import { SoundFile } from '../../../client-sdk/records/sound-file.ts';
import { codeOf } from '../helpers/eventually.ts';
import { doctor, minted, patient } from '../helpers/samples.ts';

const scope = { url: 'https://visit.example.org', personId: doctor };

const headOf = (id: string): JournalHead => ({
  version: 1,
  at: 1,
  id,
  consultationId: ConsultationId.parse(minted('cns')),
  purpose: 'summary',
  followUpId: null,
  startedAt: 1,
  contentType: 'audio/webm;codecs=opus',
  stage: 'open',
  recordingId: null,
});

/** A file with so many pieces of ten bytes, half a second each. */
async function fileOf(journal: Journal, pieces: number, number = 0): Promise<SoundFile> {
  const file = new SoundFile({ journal, dictationId: 'dict-1', number, onChange: () => {} });
  for (let piece = 0; piece < pieces; piece += 1) {
    file.add(new Uint8Array(10).fill(piece), (piece + 1) * 500);
    await file.settled();
  }
  return file;
}

const restored = (journal: Journal, number = 0) =>
  SoundFile.restore({ journal, dictationId: 'dict-1', number, onChange: () => {} });

describe('the journal of dictations in IndexedDB', () => {
  beforeEach(() => {
    vi.stubGlobal('indexedDB', new IDBFactory());
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each([1, 2, 3, 7, 8, 9, 100])(
    '[SDK263] of a file of %i pieces all are found again, and read from any byte',
    async (pieces) => {
      const journal = await openJournal('durable', scope);
      await fileOf(journal, pieces);
      journal.close();
      const again = await openJournal('durable', scope);
      const file = await restored(again);
      expect([file?.byteSize, file?.keptMs, file?.isClosed]).toEqual([pieces * 10, pieces * 500, true]);
      const all = Array.from({ length: pieces * 10 }, (_, n) => Math.floor(n / 10));
      for (const offset of [0, 1, 9, 10, 11, pieces * 5, pieces * 10 - 1]) {
        if (offset >= pieces * 10) continue;
        expect([...((await file?.read(offset, 1_000_000)) ?? [])]).toEqual(all.slice(offset));
        expect([...((await file?.read(offset, 15)) ?? [])]).toEqual(all.slice(offset, offset + 15));
      }
      expect(await file?.read(pieces * 10, 100)).toBeNull();
      again.close();
    },
  );

  it('[SDK263] pieces that arrive while one is written become one piece, in order', async () => {
    const journal = await openJournal('durable', scope);
    const file = new SoundFile({ journal, dictationId: 'dict-1', number: 0, onChange: () => {} });
    for (let piece = 0; piece < 20; piece += 1) file.add(new Uint8Array(10).fill(piece), piece);
    await file.settled();
    expect(await journal.pieces('dict-1', 0)).toBeLessThan(5);
    const again = await restored(journal);
    expect([...((await again?.read(0, 1_000)) ?? [])]).toEqual(
      Array.from({ length: 200 }, (_, n) => Math.floor(n / 10)),
    );
    journal.close();
  });

  it('[SDK263] what is removed is gone with all its files, and nothing else is', async () => {
    const journal = await openJournal('durable', scope);
    await journal.writeHead(headOf('dict-1'));
    await journal.writeHead(headOf('dict-2'));
    await fileOf(journal, 70);
    await fileOf(journal, 3, 1);
    await journal.remove('dict-1');
    expect((await journal.heads()).map(({ id }) => id)).toEqual(['dict-2']);
    expect(await restored(journal)).toBeNull();
    expect(await restored(journal, 1)).toBeNull();
    journal.close();
  });

  it('[SDK264] holds one person’s dictations of one server, and in memory none that outlasts the page', async () => {
    const own = await openJournal('durable', scope);
    await own.writeHead(headOf('dict-1'));
    for (const other of [
      { ...scope, personId: patient },
      { ...scope, url: 'https://other.example.org' },
    ]) {
      const journal = await openJournal('durable', other);
      expect(await journal.heads()).toEqual([]);
      journal.close();
    }
    const memory = await openJournal('memory', scope);
    await memory.writeHead(headOf('dict-2'));
    expect(await (await openJournal('memory', scope)).heads()).toEqual([]);
    expect((await own.heads()).length).toBe(1);
    own.close();
  });

  it('[SDK264] a host’s own storage that is full says so', async () => {
    const full = async () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    const none = async () => [];
    const storage = { get: full, entries: none, set: full, delete: full, clear: full };
    const journal = await openJournal(storage, scope);
    expect(await codeOf(journal.writeHead(headOf('dict-1')))).toBe('STORAGE_FULL');
  });
});
