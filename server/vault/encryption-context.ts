import type { ConsultationId } from '@teleconsult/protocol';

/**
 * What an object is. It is written into the header in the clear, authenticated, and must be given again, equal
 * in every part, to open the object: so no object can stand in for another.
 */
export interface ObjectContext {
  /** The tenant, where an installation serves several. */
  readonly tenant?: string;
  readonly consultation: ConsultationId;
  /** What the object is for, such as `attachment` or `recording`. */
  readonly purpose: string;
  /** The object's own name, unique in its consultation and purpose. */
  readonly object: string;
}

type Flat = Readonly<Record<string, string>>;

/** The context as the Encryption SDK carries it: only what is set, nothing empty. */
export function flatten(context: ObjectContext): Flat {
  const { tenant, consultation, purpose, object } = context;
  const flat: Flat = { consultation, purpose, object, ...(tenant === undefined ? {} : { tenant }) };
  for (const [name, value] of Object.entries(flat))
    if (value === '') throw new TypeError(`The ${name} of a sealed object is empty.`);
  return flat;
}

/** True when both hold the same names with the same values. */
export function sameContext(one: Flat, other: Flat): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  );
}
