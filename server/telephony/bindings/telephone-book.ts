import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import { type PhoneContext, relayOf } from './context.ts';
import { mayDial } from './destinations.ts';

/** Where somebody is rung for a call of a consultation, and what their telephone shows. */
export interface KnownTelephone {
  readonly to: PhoneNumber;
  readonly showAs: PhoneNumber;
}

/**
 * The telephone of a person. It shows the relay number of their visit where there is one, else always the same number of the
 * clinic, so that people learn who calls. null: no number is known, they do not want to be phoned, it may not be dialled, or
 * there is no number to show.
 * @throws AppError INTEGRITY, STORAGE_UNAVAILABLE
 */
export async function telephoneOf(
  context: PhoneContext,
  consultationId: ConsultationId,
  personId: PersonId,
): Promise<KnownTelephone | null> {
  const { store, seals, settings, providers } = context;
  const known = await store.numbers.number(personId);
  if (known === null) return null;
  const refusals = await store.bindings.refusals(consultationId);
  if (refusals.some((refusal) => refusal.personId === personId)) return null;
  const to = seals.openPersonNumber(personId, known.sealed);
  if (!mayDial(to, settings.destinations)) return null;
  const open = await store.bindings.openBinding(consultationId);
  const isTheirs = open !== null && (open.people.a === personId || open.people.b === personId);
  const ofVisit = isTheirs ? await relayOf(context, open) : null;
  const ofClinic = providers[0] === undefined ? undefined : settings.relays[providers[0].name]?.[0];
  const showAs = ofVisit ?? ofClinic;
  return showAs === undefined ? null : { to, showAs };
}
