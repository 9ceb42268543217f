import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { ConsultationId, type InvitationId } from '@teleconsult/protocol';
import { memorySource } from '../storage/objects/memory-source.ts';
import type { ObjectContext } from '../vault/encryption-context.ts';
import type { Vault } from '../vault/vault.ts';

/**
 * What the name is sealed as. A colleague’s invitation belongs to no consultation yet, so every invitation stands in
 * the context for one of its own, which no consultation ever has: minted ids are never given out twice.
 */
const contextOf = (invitationId: InvitationId): ObjectContext => ({
  consultation: ConsultationId.parse(invitationId.replace(/^inv/, 'cns')),
  purpose: 'invitation',
  object: invitationId,
});

/** The inviter’s name as it is stored: whoever reads the database does not learn who invites whom. */
export async function sealName(vault: Vault, invitationId: InvitationId, name: string): Promise<Uint8Array> {
  const sealed = vault.seal(Readable.from([Buffer.from(name)]), {
    context: contextOf(invitationId),
    frameLength: 512,
  });
  return Uint8Array.from(await buffer(sealed));
}

/** @throws AppError INTEGRITY when it is not the name that was sealed for this invitation */
export async function openName(
  vault: Vault,
  invitationId: InvitationId,
  sealed: Uint8Array,
): Promise<string> {
  const object = await vault.open(memorySource(sealed), { context: contextOf(invitationId) });
  return text(object.read());
}
