import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ReplayableBytes, ReplayFolder } from '@teleconsult/server/storage/objects/replayable-bytes';
import { expect, test } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

async function* piecesOf(count: number): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(1_000, index);
}

async function some(bytes: AsyncGenerator<Uint8Array>, count: number): Promise<void> {
  for (let taken = 0; taken < count; taken += 1) await bytes.next();
  await bytes.return(undefined);
}

test.each([1_000_000, 5_000, 0])(
  '[OBJ49] bytes are told again from the beginning, with %d of them in memory',
  async (memoryBytes) => {
    await using folder = await tempDir();
    const replays = await ReplayFolder.open(join(folder.path, 'replay'));
    for (const before of [0, 1, 7, 20]) {
      await using bytes = new ReplayableBytes(piecesOf(20), replays, { memoryBytes });
      await some(bytes.once(), before);
      expect(bytes.canBeToldAgain).toBe(true);
      expect((await buffer(bytes.again())).equals(await buffer(piecesOf(20)))).toBe(true);
    }
    expect(await readdir(replays.path)).toEqual([]);
  },
);

test('[OBJ49] where they cannot be kept they go on, and are not told again', async () => {
  await using folder = await tempDir();
  const replays = await ReplayFolder.open(join(folder.path, 'replay'));
  await rm(replays.path, { recursive: true });
  await using bytes = new ReplayableBytes(piecesOf(20), replays, { memoryBytes: 5_000 });
  expect((await buffer(bytes.once())).equals(await buffer(piecesOf(20)))).toBe(true);
  expect(bytes.canBeToldAgain).toBe(false);
});

test('[OBJ49] a failure of the source is known as its own, and told again instead of the bytes', async () => {
  await using folder = await tempDir();
  const replays = await ReplayFolder.open(join(folder.path, 'replay'));
  const failure = new Error('The sender is gone.');
  const failing = async function* () {
    yield Buffer.alloc(10);
    throw failure;
  };
  await using bytes = new ReplayableBytes(failing(), replays);
  await expect(buffer(bytes.once())).rejects.toBe(failure);
  expect(bytes.isOfSource(failure)).toBe(true);
  expect(bytes.isOfSource(new Error('The store is gone.'))).toBe(false);
  expect(bytes.canBeToldAgain).toBe(false);
  await expect(buffer(bytes.again())).rejects.toBe(failure);
});

test('[OBJ49] what a crash left in the folder is removed at the next start', async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, 'leftover'), 'half of an object');
  const replays = await ReplayFolder.open(folder.path);
  expect(await readdir(replays.path)).toEqual([]);
});

test('[OBJ49] a source that stalls is told to end, and not waited for', async () => {
  await using folder = await tempDir();
  const replays = await ReplayFolder.open(folder.path);
  const bytes = new ReplayableBytes(
    (async function* () {
      yield Buffer.alloc(10);
      await new Promise(() => undefined);
    })(),
    replays,
  );
  const telling = bytes.once();
  await telling.next();
  void telling.next();
  await bytes[Symbol.asyncDispose]();
});
