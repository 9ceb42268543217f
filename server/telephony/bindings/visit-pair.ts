import { AppError, type ConsultationView, type PersonId, type PhoneDirection } from '@teleconsult/protocol';
import type { RelayDirection, RelayParty } from '../ports.ts';

export type Pair = Readonly<Record<RelayParty, PersonId>>;

/**
 * Between whom a relay number of a consultation is: a is the doctor, b the patient; in a thread between two doctors a is
 * the one who asked. null: there are no such two.
 * @param one who is one of them, where there is a choice
 */
export function pairOf({ participants, requestedBy }: ConsultationView, one: PersonId | null): Pair | null {
  const of = (role: 'doctor' | 'patient'): PersonId[] =>
    participants.filter((participant) => participant.role === role).map(({ personId }) => personId);
  const doctors = of('doctor');
  const [patient] = of('patient');
  const doctor = doctors.find((personId) => personId === one) ?? doctors[0];
  if (doctor === undefined) return null;
  if (patient !== undefined) return { a: doctor, b: patient };
  if (doctors.length !== 2) return null;
  const a = doctors.find((personId) => personId === requestedBy) ?? doctor;
  const b = doctors.find((personId) => personId !== a);
  return b === undefined ? null : { a, b };
}

/**
 * Who of a and b calls.
 * @throws AppError INVALID where there are no doctor and patient to tell apart
 */
export function relayDirection(
  { participants }: ConsultationView,
  direction: PhoneDirection,
): RelayDirection {
  if (direction === 'both') return 'both';
  if (!participants.some(({ role }) => role === 'patient'))
    throw new AppError('INVALID', { detail: 'direction: two doctors call each other' });
  return direction === 'doctor_calls' ? 'a_calls' : 'b_calls';
}

export function wireDirection(direction: RelayDirection): PhoneDirection {
  switch (direction) {
    case 'both':
      return 'both';
    case 'a_calls':
      return 'doctor_calls';
    case 'b_calls':
      return 'patient_calls';
    default: {
      const unreachable: never = direction;
      return unreachable;
    }
  }
}

/** The two who are behind a binding now: whoever has left is followed by who took their place. null: nobody did. */
export function successorsOf(view: ConsultationView, people: Pair): Pair | null {
  const isThere = (personId: PersonId): boolean =>
    view.participants.some((participant) => participant.personId === personId);
  if (isThere(people.a) && isThere(people.b)) return people;
  const next = pairOf(view, isThere(people.a) ? people.a : null);
  if (next === null) return null;
  const pair: Pair = {
    a: isThere(people.a) ? people.a : next.a,
    b: isThere(people.b) ? people.b : next.b,
  };
  return pair.a === pair.b ? null : pair;
}
