import type { PhoneBindingView, PhoneBoard } from '@teleconsult/client-sdk/phone';
import type { PersonId } from '@teleconsult/protocol';

/** What the dialog of masked calls is about right now. */
export type PhoneStanding =
  | { readonly is: 'unavailable' }
  /** The provider is asked for a number, or takes it back. */
  | { readonly is: 'working'; readonly binding: PhoneBindingView }
  | { readonly is: 'bound'; readonly binding: PhoneBindingView; readonly number: string }
  /** It is between two others of the visit, as for a second doctor: not theirs to see, to call or to give back. */
  | { readonly is: 'ofOthers'; readonly people: readonly PersonId[] }
  /** Why there is none and none can be had. */
  | {
      readonly is: 'refused';
      readonly by: readonly { readonly personId: PersonId; readonly since: number }[];
    }
  | { readonly is: 'unreachable'; readonly who: 'self' | 'other' }
  /** There is none: one can be asked for. `last` is how the last one ended. */
  | { readonly is: 'none'; readonly last: PhoneBindingView | null };

interface Facts {
  readonly board: PhoneBoard;
  readonly self: PersonId;
  readonly other: PersonId | null;
}

/** Pure. What runs comes before what stands in the way of a new one. */
export function phoneStanding({ board, self, other }: Facts): PhoneStanding {
  if (!board.available) return { is: 'unavailable' };
  const current = board.bindings.find(({ state }) => state !== 'unbound');
  if (current !== undefined) {
    const { number, state, people } = current;
    if (!people.includes(self)) return { is: 'ofOthers', people };
    if (state === 'bound' && number !== null) return { is: 'bound', binding: current, number };
    return { is: 'working', binding: current };
  }
  if (board.refused.length > 0) return { is: 'refused', by: board.refused };
  if (!board.reachable.includes(self)) return { is: 'unreachable', who: 'self' };
  if (other !== null && !board.reachable.includes(other)) return { is: 'unreachable', who: 'other' };
  return { is: 'none', last: board.bindings[0] ?? null };
}

/** Who calls whom through it, as one of the two reads it. */
export function whoCalls(
  { direction }: Pick<PhoneBindingView, 'direction'>,
  isDoctor: boolean,
): 'both' | 'self' | 'other' {
  if (direction === 'both') return 'both';
  return (direction === 'doctor_calls') === isDoctor ? 'self' : 'other';
}

/** Whether the telephone of this person can be rung for a call at all. */
export const canBeRung = (board: PhoneBoard | null, personId: PersonId): boolean =>
  board !== null &&
  board.available &&
  board.reachable.includes(personId) &&
  board.refused.every((refusal) => refusal.personId !== personId);
