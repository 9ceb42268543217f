/** Who may be connected with whom, and what was promised in which order. */
export const DOCTORS = Array.from({ length: 8 }, (_, index) => `doctor-${index}`);
export const PATIENTS = Array.from({ length: 12 }, (_, index) => `patient-${index}`);
/** Every doctor has a visit with every third patient: each person is in several at once. */
const PAIRS = DOCTORS.flatMap((doctor, row) =>
  PATIENTS.filter((_, column) => (row + column) % 3 === 0).map((patient) => ({ doctor, patient })),
);
export const VISITS = PAIRS.length;

export function visitOf(visit: number): { readonly doctor: string; readonly patient: string } {
  const pair = PAIRS[visit];
  if (pair === undefined) throw new Error('no such visit');
  return pair;
}

export const numberOf = (name: string): string => {
  const [role, index = ''] = name.split('-');
  return `+86${role === 'doctor' ? '138' : '139'}000020${index.padStart(2, '0')}`;
};

/** What the process said, in the order in which it was said. */
export type Said =
  | { readonly what: 'bound'; readonly visit: number; readonly bindingId: string; readonly x: string }
  | { readonly what: 'unbound'; readonly visit: number; readonly bindingId: string }
  | { readonly what: 'dials'; readonly name: string }
  | {
      readonly what: 'connected';
      readonly name: string;
      readonly from: string;
      readonly to: string;
      readonly x: string;
      readonly showAs: string;
      readonly bindingId: string;
    }
  | { readonly what: 'made'; readonly made: number }
  | { readonly what: 'done' };

/** Everything that must not have been. */
export function wrongConnections(said: readonly Said[]): string[] {
  const wrong: string[] = [];
  const visitsOf = new Map<string, number>();
  const relayOf = new Map<string, string>();
  const unboundAt = new Map<string, number>();
  const dialledAt = new Map<string, number>();
  for (const one of said) {
    if (one.what !== 'bound') continue;
    const { bindingId, visit, x } = one;
    if ((visitsOf.get(bindingId) ?? visit) !== visit) wrong.push(`${bindingId} is of two visits`);
    if ((relayOf.get(bindingId) ?? x) !== x) wrong.push(`${bindingId} has two numbers`);
    visitsOf.set(bindingId, visit);
    relayOf.set(bindingId, x);
  }
  for (const [index, one] of said.entries()) {
    if (one.what === 'unbound' && !unboundAt.has(one.bindingId)) unboundAt.set(one.bindingId, index);
    if (one.what === 'dials') dialledAt.set(one.name, index);
    if (one.what !== 'connected') continue;
    const { from, to, x, showAs, bindingId, name } = one;
    if (showAs !== x) wrong.push(`${name}: another number than the relay number was shown`);
    const isPair = PAIRS.some(({ doctor, patient }) => {
      const two = [numberOf(doctor), numberOf(patient)];
      return from !== to && two.includes(from) && two.includes(to);
    });
    if (!isPair) wrong.push(`${name}: two who have no visit`);
    const visit = visitsOf.get(bindingId);
    // A server that was killed may have bound it without saying so.
    if (visit !== undefined) {
      const { doctor, patient } = visitOf(visit);
      if (![numberOf(doctor), numberOf(patient)].includes(from)) wrong.push(`${name}: not of this visit`);
      if (relayOf.get(bindingId) !== x) wrong.push(`${name}: not through the number of this visit`);
    }
    const over = unboundAt.get(bindingId);
    if (over !== undefined && over < (dialledAt.get(name) ?? 0))
      wrong.push(`${name}: through a number given back`);
  }
  return wrong;
}
