/** Stands at the end of a switch: the compiler reports a case that is missing. */
export function unreachable(value: never): never {
  throw new Error(`A case is missing: ${JSON.stringify(value)}`);
}
