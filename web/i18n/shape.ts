/** `1 message`, `3 messages`: for languages with one plural. */
export const plural = (count: number, one: string, other: string): string =>
  `${count} ${count === 1 ? one : other}`;

/**
 * What another language must offer for a part of the English dictionary: the same keys, with texts and functions of
 * the same parameters. A missing or surplus key does not compile.
 */
export type Shape<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...parameters: infer P) => string
      ? (...parameters: P) => string
      : Shape<T[K]>;
};
