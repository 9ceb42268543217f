import {
  AwayKeys,
  type NothingAwayNote,
  nothingAwayFile,
} from '@teleconsult/server/storage/objects/away-keys';
import { MemoryObjectStore } from '@teleconsult/server/storage/objects/memory';
import { expect, test } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A note whose writing takes until it is let go on. */
function slowNote() {
  const waiting: (() => void)[] = [];
  const written: boolean[] = [];
  const note: NothingAwayNote = {
    read: async () => written.at(-1) ?? false,
    async write(nothingAway) {
      await new Promise<void>((goOn) => waiting.push(goOn));
      written.push(nothingAway);
    },
  };
  const goOn = async () => {
    for (let turn = 0; turn < 50; turn += 1) {
      waiting.shift()?.();
      await new Promise<void>((done) => setImmediate(done));
    }
  };
  return { note, written, goOn };
}

test('[OBJ43] an object that goes away while the last one comes home is never noted as nothing', async () => {
  const { note, written, goOn } = slowNote();
  const away = new AwayKeys(note);
  const learning = away.learn(new MemoryObjectStore());
  await goOn();
  await learning;
  const first = away.add('a');
  await goOn();
  await first;
  expect(written).toEqual([true, false]);
  const removing = away.remove('a');
  // The note is being written when the next object goes away.
  await new Promise<void>((done) => setImmediate(done));
  const adding = away.add('b');
  await goOn();
  await Promise.all([removing, adding]);
  expect(written.at(-1)).toBe(false);
});

test('[OBJ43] an object whose going away cannot be noted does not go', async () => {
  const failing: NothingAwayNote = { read: async () => true, write: () => Promise.reject(new Error('No.')) };
  const away = new AwayKeys(failing);
  await away.learn(new MemoryObjectStore());
  await expect(away.add('a')).rejects.toThrow('No.');
  expect(away.mayHave('a')).toBe(true);
  await away.remove('a');
});

test('[OBJ43] an object whose going away could not be noted is noted when it is put again', async () => {
  let fails = 0;
  let said = true;
  const away = new AwayKeys({
    read: async () => said,
    async write(nothingAway) {
      if (fails-- > 0) throw new Error('No.');
      said = nothingAway;
    },
  });
  await away.learn(new MemoryObjectStore());
  fails = 1;
  await expect(away.add('a')).rejects.toThrow('No.');
  await away.add('a');
  // Else a server that starts while the second store is down would never look for it.
  expect(said).toBe(false);
});

test('[OBJ43] the note outlives the process, and its folder’s loss is no emptiness', async () => {
  await using folder = await tempDir();
  const path = `${folder.path}/nothing-away`;
  const note = nothingAwayFile(path);
  expect(await note.read()).toBe(false);
  await note.write(true);
  await note.write(true);
  expect(await nothingAwayFile(path).read()).toBe(true);
  await note.write(false);
  await note.write(false);
  expect(await nothingAwayFile(path).read()).toBe(false);
  const nowhere = nothingAwayFile(`${folder.path}/gone/note`);
  await expect(nowhere.write(true)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(await nowhere.read()).toBe(false);
});
