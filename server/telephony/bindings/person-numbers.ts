import { AppError, type PersonId } from '@teleconsult/protocol';
import { normalise } from '../numbers.ts';
import type { PhoneContext } from './context.ts';
import { mayDial } from './destinations.ts';

/**
 * Where a person can be phoned, as the host application says it; null: nowhere any more.
 * @throws AppError INVALID with a reason, never with the number
 */
export async function keepNumber(
  { store, seals, settings, clock }: PhoneContext,
  personId: PersonId,
  text: string | null,
): Promise<void> {
  if (text === null) return store.numbers.removeNumber(personId);
  const number = normalise(text, settings.defaultRegion);
  if (!mayDial(number, settings.destinations))
    throw new AppError('INVALID', { detail: 'number: it may not be dialled from here' });
  if ((await store.numbers.relay(seals.relayHashOf(number))) !== null)
    throw new AppError('INVALID', { detail: 'number: it is a relay number' });
  const sealed = seals.sealPersonNumber(personId, number);
  await store.numbers.setNumber({ personId, numberHash: seals.hashOf(number), changedAt: clock(), sealed });
}
