/** What every audit trail keeps. */
import { DeviceId } from '@teleconsult/protocol';
import type { AuditTail, AuditVerdict } from '@teleconsult/server/audit/chain';
import type { AuditRecord, AuditTrail } from '@teleconsult/server/audit/ports';
import { describe, expect, test } from 'vitest';
import { consultationId, person } from './store.fixtures.ts';

export interface AuditUnderTest extends AsyncDisposable {
  readonly audit: AuditTrail & {
    tail(): Promise<AuditTail>;
    verify(anchor?: AuditTail | null): Promise<AuditVerdict>;
  };
  /** Makes appending fail from now on, and then succeed again. */
  fail(isFailing: boolean): void;
}

export const auditRecord = (number: number): AuditRecord => ({
  at: 1_000 + number,
  who: number % 3 === 0 ? 'host' : person('ann'),
  deviceId: number % 3 === 0 ? null : DeviceId.parse(`device-${String(number).padStart(6, '0')}`),
  action: 'recording.play',
  consultationId: number % 2 === 0 ? null : consultationId(1),
  object: `fil_${number}`,
  result: 'granted',
});

export function auditContract(adapter: string, open: () => Promise<AuditUnderTest>): void {
  describe(`the audit trail: ${adapter}`, () => {
    test('[AUD1] rows are numbered from 1 without gaps and each is chained to the one before it', async () => {
      await using under = await open();
      const { audit } = under;
      const empty = await audit.verify();
      expect(empty).toMatchObject({ sound: true, tail: { number: 0 } });
      for (let number = 1; number <= 5; number += 1) {
        const before = await audit.tail();
        await audit.append(auditRecord(number));
        const after = await audit.tail();
        expect(after.number).toBe(number);
        expect(Buffer.compare(before.hash, after.hash)).not.toBe(0);
      }
      expect(await audit.verify()).toMatchObject({ sound: true, tail: { number: 5 } });
    });

    test('[AUD1] a thousand rows at once are all there, in one chain', async () => {
      await using under = await open();
      const { audit } = under;
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => audit.append(auditRecord(index))));
      expect(await audit.verify()).toMatchObject({ sound: true, tail: { number: 1_000 } });
    });

    test('[AUD2] what cannot be recorded is told, leaves no gap, and the next row follows on what is there', async () => {
      await using under = await open();
      const { audit } = under;
      await audit.append(auditRecord(1));
      under.fail(true);
      const failed = await Promise.allSettled([2, 3].map((number) => audit.append(auditRecord(number))));
      for (const outcome of failed)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE' } });
      under.fail(false);
      await audit.append(auditRecord(4));
      expect(await audit.verify()).toMatchObject({ sound: true, tail: { number: 2 } });
    });

    test('[AUD3] an end of the trail that was kept elsewhere is met again, and not in another trail', async () => {
      await using under = await open();
      const { audit } = under;
      await audit.append(auditRecord(1));
      const anchor = await audit.tail();
      await audit.append(auditRecord(2));
      expect(await audit.verify(anchor)).toMatchObject({ sound: true });
      expect(await audit.verify({ number: 9, hash: anchor.hash })).toEqual({
        sound: false,
        number: 3,
        what: 'cut',
      });
      const other = Uint8Array.from(anchor.hash, (byte) => byte ^ 1);
      expect(await audit.verify({ number: 1, hash: other })).toEqual({
        sound: false,
        number: 1,
        what: 'changed',
      });
    });
  });
}
