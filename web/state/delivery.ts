import type { Participant, PersonId, ThreadMarks } from '@teleconsult/protocol';

/** How far a message of one's own has come. With several others it counts what all of them have. */
export interface Delivery {
  readonly state: 'sent' | 'delivered' | 'read';
  /** Who has received it, those who have read it included. */
  readonly delivered: readonly Participant[];
  readonly read: readonly Participant[];
  /** How many others there are. */
  readonly others: number;
}

interface DeliveryQuestion {
  readonly sequence: number;
  readonly self: PersonId | undefined;
  readonly participants: readonly Participant[];
  readonly marks: readonly ThreadMarks[];
}

/** Who has received and read a message. A person who keeps reading to themselves has at most received it. */
export function deliveryOf({ sequence, self, participants, marks }: DeliveryQuestion): Delivery {
  const byPerson = new Map(marks.map((mark) => [mark.personId, mark]));
  const others = participants.filter(({ personId }) => personId !== self);
  const read = others.filter(({ personId }) => (byPerson.get(personId)?.read ?? 0) >= sequence);
  const delivered = others.filter(
    (person) => read.includes(person) || (byPerson.get(person.personId)?.delivered ?? 0) >= sequence,
  );
  const all = (some: readonly Participant[]): boolean => others.length > 0 && some.length === others.length;
  return {
    state: all(read) ? 'read' : all(delivered) ? 'delivered' : 'sent',
    delivered,
    read,
    others: others.length,
  };
}
