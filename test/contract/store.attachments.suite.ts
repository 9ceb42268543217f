/** What every adapter of the attachment store keeps, and how both stores close. */
import { describe, expect, test } from 'vitest';
import {
  attachmentId,
  consultationId,
  fact,
  newAttachment,
  newConsultation,
  plain,
  type StoresUnderTest,
  sealed,
} from './store.fixtures.ts';

const one = attachmentId(1);
const unavailable = expect.objectContaining({ code: 'STORAGE_UNAVAILABLE', retryable: true });

export function attachmentStoreContract(adapter: string, open: () => Promise<StoresUnderTest>): void {
  /** Stores with consultation 1 and uploads 1 … `count` in it. */
  async function withUploads(count: number): Promise<StoresUnderTest> {
    const under = await open();
    await under.consultations.create(newConsultation(1));
    for (let number = 1; number <= count; number += 1)
      await under.attachments.createAttachment(newAttachment(number));
    return under;
  }

  describe(`the attachment store: ${adapter}`, () => {
    test('[STO9] an upload is there as it was created', async () => {
      await using under = await withUploads(0);
      const { attachments } = under;
      expect(await attachments.loadAttachment(one)).toBeNull();
      const record = newAttachment(1);
      await attachments.createAttachment(record);
      expect(plain(await attachments.loadAttachment(one))).toEqual(plain(record));
    });

    test('[STO9] an upload to a consultation that is not there, or of an id that is taken, is refused', async () => {
      await using under = await withUploads(1);
      const { attachments } = under;
      const misplaced = newAttachment(2, { consultationId: consultationId(9) });
      await expect(attachments.createAttachment(misplaced)).rejects.toThrow();
      expect(await attachments.loadAttachment(attachmentId(2))).toBeNull();
      await expect(attachments.createAttachment(newAttachment(1, { kind: 'file' }))).rejects.toThrow();
      expect((await attachments.loadAttachment(one))?.kind).toBe('image');
    });

    test('[STO10] an upload moves on only from where it stands', async () => {
      await using under = await withUploads(1);
      const { attachments } = under;
      expect(await attachments.addPart(one, 0, 40)).toBe(true);
      expect(await attachments.addPart(one, 0, 40)).toBe(false);
      expect(await attachments.addPart(one, 39, 80)).toBe(false);
      expect(await attachments.addPart(one, 40, 100)).toBe(true);
      expect(await attachments.loadAttachment(one)).toMatchObject({ receivedBytes: 100, parts: 2 });
      expect(await attachments.addPart(attachmentId(9), 0, 40)).toBe(false);
    });

    test('[STO10] of 20 requests that move one upload on at once one wins', async () => {
      await using under = await withUploads(1);
      const { attachments } = under;
      const moved = await Promise.all(
        Array.from({ length: 20 }, (_, index) => attachments.addPart(one, 0, index + 1)),
      );
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect(await attachments.loadAttachment(one)).toMatchObject({
        receivedBytes: moved.indexOf(true) + 1,
        parts: 1,
      });
    });

    test('[STO11] an upload ends once, and moves no more', async () => {
      await using under = await withUploads(1);
      const { attachments } = under;
      const ended = await Promise.all([
        attachments.finishAttachment(one, 'ready', sealed('ready')),
        attachments.finishAttachment(one, 'refused', sealed('refused')),
        attachments.finishAttachment(one, 'ready', sealed('again')),
      ]);
      expect(ended).toEqual([true, false, false]);
      expect(await attachments.addPart(one, 0, 40)).toBe(false);
      const record = await attachments.loadAttachment(one);
      expect(plain(record)).toMatchObject({ status: 'ready', sealed: 'ready', receivedBytes: 0 });
      expect(await attachments.finishAttachment(attachmentId(9), 'ready', sealed('x'))).toBe(false);
    });

    test('[STO12] uploads that nobody finished are found by age, oldest first', async () => {
      await using under = await withUploads(0);
      const { attachments } = under;
      for (const [number, createdAt] of [300, 100, 200, 50, 60].entries())
        await attachments.createAttachment(newAttachment(number, { createdAt }));
      await attachments.finishAttachment(attachmentId(3), 'ready', sealed('x'));
      await attachments.finishAttachment(attachmentId(4), 'refused', sealed('x'));
      const stale = async (before: number, limit: number) =>
        (await attachments.staleAttachments(before, limit)).map((record) => record.attachmentId);
      expect(await stale(300, 10)).toEqual([1, 2].map(attachmentId));
      expect(await stale(301, 2)).toEqual([1, 2].map(attachmentId));
      expect(await stale(301, 10)).toEqual([1, 2, 0].map(attachmentId));
      expect(await stale(100, 10)).toEqual([]);
      expect(plain((await attachments.staleAttachments(101, 1))[0])).toEqual(
        plain(newAttachment(1, { createdAt: 100 })),
      );
    });

    test('[STO12] only an upload that never ended can be removed; removing it twice is no error', async () => {
      await using under = await withUploads(3);
      const { attachments } = under;
      await attachments.finishAttachment(attachmentId(2), 'ready', sealed('x'));
      await attachments.finishAttachment(attachmentId(3), 'refused', sealed('x'));
      expect(await attachments.removeAttachment(one, 7)).toBe(false);
      const removed: boolean[] = [];
      for (const number of [1, 1, 2, 3, 9])
        removed.push(await attachments.removeAttachment(attachmentId(number), 0));
      expect(removed).toEqual([true, false, false, false, false]);
      expect(await attachments.loadAttachment(one)).toBeNull();
      expect((await attachments.loadAttachment(attachmentId(2)))?.status).toBe('ready');
      expect((await attachments.loadAttachment(attachmentId(3)))?.status).toBe('refused');
    });
  });

  test(`[STO14] a person’s open uploads are counted with their bytes, and no ended one: ${adapter}`, async () => {
    await using under = await withUploads(3);
    const { attachments } = under;
    const { uploadedBy, byteSize } = newAttachment(1);
    expect(await attachments.openUploads(uploadedBy)).toEqual({ count: 3, byteSize: 3 * byteSize });
    await attachments.finishAttachment(one, 'ready', sealed('x'));
    expect(await attachments.openUploads(uploadedBy)).toEqual({ count: 2, byteSize: 2 * byteSize });
    expect(await attachments.openUploads('nobody' as never)).toEqual({ count: 0, byteSize: 0 });
  });

  describe(`closing the stores: ${adapter}`, () => {
    test('[STO13] a store finishes what was begun before it closes, and may be closed twice', async () => {
      await using under = await withUploads(1);
      const { consultations, attachments } = under;
      const begun = Promise.all([
        consultations.append({ consultationId: consultationId(1), entries: [fact(2)], state: null }),
        attachments.addPart(one, 0, 40),
        consultations.create(newConsultation(2, { idempotencyKey: 'key' })),
        consultations.create(newConsultation(3, { idempotencyKey: 'key' })),
      ]);
      const closing = [under.close(), under.close()];
      expect(await begun).toEqual([
        'committed',
        true,
        { kind: 'created' },
        { kind: 'exists', consultationId: consultationId(2) },
      ]);
      await Promise.all(closing);
      await under.close();
    });

    test('[STO13] a closed store refuses every write and read', async () => {
      await using under = await withUploads(1);
      const { consultations, attachments } = under;
      await under.close();
      const id = consultationId(1);
      const calls = [
        consultations.create(newConsultation(2)),
        consultations.append({ consultationId: id, entries: [fact(2)], state: null }),
        consultations.load(id),
        consultations.page(id, { after: 0, limit: 1 }),
        consultations.due(0, 1),
        consultations.marks(id),
        consultations.raiseMarks(id, { personId: newAttachment(1).uploadedBy, delivered: 1, read: 1 }),
        consultations.countUnread(id, newAttachment(1).uploadedBy, 0),
        consultations.behind(1),
        consultations.markNotified(id, 1),
        attachments.createAttachment(newAttachment(2)),
        attachments.addPart(one, 0, 1),
        attachments.finishAttachment(one, 'ready', sealed('x')),
        attachments.removeAttachment(one, 0),
        attachments.loadAttachment(one),
        attachments.staleAttachments(0, 1),
      ];
      for (const result of await Promise.allSettled(calls))
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    });
  });
}
