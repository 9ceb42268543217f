import { MemoryInvitations } from '@teleconsult/server/storage/memory/memory-invitations';
import { invitationStoreContract } from './invitations.suite.ts';

invitationStoreContract('memory', async () => ({
  invitations: new MemoryInvitations(),
  consultations: null,
  [Symbol.asyncDispose]: async () => {},
}));
