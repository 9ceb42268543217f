import type { PersonId } from '@teleconsult/protocol';
import type { ConsultationState } from '../consultation/state.ts';
import type { BusyRegister } from './busy.ts';

/** Who of these is in another call: a doctor may be knocked at once, everybody else is busy. */
export function engagedOf(
  { busy, callWaiting }: { readonly busy: BusyRegister; readonly callWaiting: boolean },
  state: ConsultationState,
  people: readonly PersonId[],
): Map<PersonId, 'busy' | 'knock'> {
  const engaged = new Map<PersonId, 'busy' | 'knock'>();
  for (const person of people) {
    const elsewhere = busy.elsewhere(person, state.id);
    if (elsewhere === 'free') continue;
    const role = state.participants.find(({ personId }) => personId === person)?.role;
    const mayKnock = callWaiting && elsewhere === 'engaged' && (role === 'doctor' || role === 'colleague');
    engaged.set(person, mayKnock ? 'knock' : 'busy');
  }
  return engaged;
}
