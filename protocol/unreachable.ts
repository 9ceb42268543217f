/** Ends a `switch` over a closed union: the compiler refuses it when a case is missing. Says nothing of the value. */
export function unreachable(value: never): never {
  throw new Error(`A case is missing for a value of type ${typeof value}.`);
}
