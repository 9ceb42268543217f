import { AppError, FileId } from '@teleconsult/protocol';
import { OpenFiles } from '@teleconsult/server/notes/open-files';
import type { FilePlace, GrowingFile, TrackFiles } from '@teleconsult/server/recordings/ports';
import { expect, test } from 'vitest';

const place = (number: number): FilePlace =>
  ({ fileId: FileId.parse(`fil_${String(number).padStart(22, '0')}`) }) as FilePlace;

/** Files that answer whoever resumes them with what is open, as those of a disk do, and take a while to close. */
class SlowFiles implements Pick<TrackFiles, 'create' | 'resume'> {
  readonly open = new Map<FileId, GrowingFile & { isClosing: boolean }>();
  readonly closing = Promise.withResolvers<void>();

  async create({ fileId }: FilePlace): Promise<GrowingFile> {
    const file = {
      isClosing: false,
      byteSize: 0,
      append: () => {
        if (file.isClosing) throw new Error('The file is closed.');
      },
      flush: async () => undefined,
      close: async () => {
        file.isClosing = true;
        await this.closing.promise;
        this.open.delete(fileId);
        return { byteSize: 0, parts: 1 };
      },
    };
    this.open.set(fileId, file);
    return file;
  }

  async resume(wanted: FilePlace): Promise<GrowingFile> {
    return this.open.get(wanted.fileId) ?? this.create(wanted);
  }
}

/** So many that the next makes the one that was idle longest leave. */
async function full(onLetGo: () => Promise<void> = async () => undefined) {
  const files = new SlowFiles();
  const open = new OpenFiles(files as Pick<TrackFiles, 'create' | 'resume'> as TrackFiles, onLetGo);
  for (let number = 0; number < 256; number++) await open.create(place(number));
  return { files, open };
}

test('[DICT15] a file that made room for others is gone on with once it is sealed up, and not before', async () => {
  const { files, open } = await full();
  const next = open.create(place(256));
  const again = open.use(place(0), { parts: 0 }, async (file) => file.append(Buffer.from('x')));
  setImmediate(() => files.closing.resolve());
  await next;
  await expect(again).resolves.toBeUndefined();
});

test('[DICT15] a file that is being written makes room for no other', async () => {
  const { files, open } = await full();
  const written = Promise.withResolvers<void>();
  const using = open.use(place(0), { parts: 0 }, async (file) => {
    // Everybody else was used since.
    for (let number = 1; number < 256; number++) await open.use(place(number), { parts: 0 }, async () => {});
    files.closing.resolve();
    await open.create(place(256));
    written.resolve();
    file.append(Buffer.from('x'));
  });
  await written.promise;
  await expect(using).resolves.toBeUndefined();
});

test('[DICT9] a file that cannot be sealed up keeps no other from being begun', async () => {
  const { files, open } = await full(async () => {
    throw new AppError('STORAGE_FULL');
  });
  files.closing.resolve();
  await expect(open.create(place(256))).resolves.toMatchObject({ byteSize: 0 });
});
