/** What every adapter of the invitation store keeps. */
import { createHash } from 'node:crypto';
import { InvitationId } from '@teleconsult/protocol';
import type { ConsultationStore } from '@teleconsult/server/host/ports';
import type { InvitationStore, NewInvitation } from '@teleconsult/server/invitations/ports';
import { describe, expect, test } from 'vitest';
import { consultationId, newConsultation, person, plain, sealed } from './store.fixtures.ts';

export interface InvitationsUnderTest extends AsyncDisposable {
  readonly invitations: InvitationStore;
  /** Where invitations lie beside consultations that must be there. */
  readonly consultations: ConsultationStore | null;
}

const hash = (code: string): Uint8Array => new Uint8Array(createHash('sha256').update(code).digest());
const id = (number: number) => InvitationId.parse(`inv_${String(number).padStart(22, '0')}`);
const ann = person('ann');
const bob = person('bob');

const newInvitation = (number: number, change: Partial<NewInvitation> = {}): NewInvitation => ({
  invitationId: id(number),
  codeHash: hash(`code ${number}`),
  purpose: 'colleague',
  consultationId: null,
  role: null,
  createdBy: ann,
  createdAt: 1_000,
  expiresAt: 2_000,
  sealed: sealed(`name ${number}`),
  ...change,
});

export function invitationStoreContract(adapter: string, open: () => Promise<InvitationsUnderTest>): void {
  describe(`the invitation store: ${adapter}`, () => {
    test('[INV1] an invitation is found by the hash of its code, as it was created', async () => {
      await using under = await open();
      const { invitations, consultations } = under;
      await consultations?.create(newConsultation(1));
      const created = newInvitation(1, {
        purpose: 'participant',
        consultationId: consultationId(1),
        role: 'relative',
      });
      await invitations.createInvitation(created);
      expect(await invitations.findInvitation(hash('code 2'))).toBeNull();
      expect(plain(await invitations.findInvitation(hash('code 1')))).toEqual(
        plain({ ...created, redeemedBy: null, completed: false }),
      );
      await expect(invitations.createInvitation({ ...created, invitationId: id(2) })).rejects.toThrow();
    });

    test('[INV2] of 20 people who claim an invitation at once one has it, and keeps it', async () => {
      await using under = await open();
      const { invitations } = under;
      await invitations.createInvitation(newInvitation(1));
      const people = Array.from({ length: 20 }, (_, index) => person(`person-${index}`));
      const claims = await Promise.all(
        people.map((one) => invitations.claimInvitation(hash('code 1'), one, 1_500)),
      );
      expect(claims.filter((claimed) => claimed)).toHaveLength(1);
      const winner = people[claims.indexOf(true)] ?? bob;
      expect(await invitations.findInvitation(hash('code 1'))).toMatchObject({ redeemedBy: winner });
      // Again, and after its time: it is theirs.
      expect(await invitations.claimInvitation(hash('code 1'), winner, 9_000)).toBe(true);
      expect(await invitations.claimInvitation(hash('code 1'), bob, 1_500)).toBe(false);
    });

    test('[INV3] an invitation whose time has passed, or that is unknown, is nobody’s', async () => {
      await using under = await open();
      const { invitations } = under;
      await invitations.createInvitation(newInvitation(1));
      expect(await invitations.claimInvitation(hash('code 1'), bob, 2_000)).toBe(false);
      expect(await invitations.claimInvitation(hash('code 2'), bob, 1_500)).toBe(false);
      expect(await invitations.findInvitation(hash('code 1'))).toMatchObject({ redeemedBy: null });
    });

    test('[INV4] a claimed invitation is completed once, by the consultation it led to', async () => {
      await using under = await open();
      const { invitations, consultations } = under;
      for (const number of [1, 2]) await consultations?.create(newConsultation(number));
      await invitations.createInvitation(newInvitation(1));
      await invitations.completeInvitation(hash('code 1'), consultationId(1));
      expect(await invitations.findInvitation(hash('code 1'))).toMatchObject({ completed: false });
      await invitations.claimInvitation(hash('code 1'), bob, 1_500);
      for (const number of [1, 2])
        await invitations.completeInvitation(hash('code 1'), consultationId(number));
      expect(await invitations.findInvitation(hash('code 1'))).toMatchObject({
        completed: true,
        consultationId: consultationId(1),
      });
    });

    test('[INV7] only its creator revokes an invitation, and only while nobody has it', async () => {
      await using under = await open();
      const { invitations } = under;
      for (const number of [1, 2]) await invitations.createInvitation(newInvitation(number));
      expect(await invitations.revokeInvitation(id(1), bob)).toBe(false);
      expect(await invitations.revokeInvitation(id(1), ann)).toBe(true);
      expect(await invitations.revokeInvitation(id(1), ann)).toBe(false);
      expect(await invitations.claimInvitation(hash('code 1'), bob, 1_500)).toBe(false);
      await invitations.claimInvitation(hash('code 2'), bob, 1_500);
      expect(await invitations.revokeInvitation(id(2), ann)).toBe(false);
    });

    test('[INV5] open invitations of a person are counted, and old ones forgotten', async () => {
      await using under = await open();
      const { invitations } = under;
      for (const number of [1, 2, 3]) await invitations.createInvitation(newInvitation(number));
      await invitations.createInvitation(newInvitation(4, { createdBy: bob }));
      await invitations.createInvitation(newInvitation(5, { expiresAt: 1_200 }));
      await invitations.claimInvitation(hash('code 1'), bob, 1_100);
      expect(await invitations.countOpenInvitations(ann, 1_500)).toBe(2);
      expect(await invitations.countOpenInvitations(ann, 2_000)).toBe(0);
      await invitations.sweepInvitations(1_300);
      expect(await invitations.findInvitation(hash('code 5'))).toBeNull();
      expect(await invitations.findInvitation(hash('code 2'))).not.toBeNull();
    });
  });
}
