/** Everything a number could leak into, and the search for it. */
import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import { numberOf } from '../server/telephony/desk-stage.ts';
import { found, needlesOf } from '../server/telephony/embedded/needles.ts';

/** Numbers of people that stand nowhere else; none is drawn twice. */
export function canaryNumbers(count: number): readonly PhoneNumber[] {
  const numbers = new Set<string>();
  while (numbers.size < count) {
    const digits = Array.from({ length: 8 }, () => Math.floor(Math.random() * 10)).join('');
    numbers.add(`+8613${numbers.size % 10}${digits}`);
  }
  return [...numbers].map(numberOf);
}

/** As it is written within the country: whoever writes it with the country code has written this. */
export const digitsOf = (number: string): string => number.slice(3);

export class Evidence {
  readonly #seen = new Map<string, string[]>();

  add(where: string, what: unknown): void {
    const text = typeof what === 'string' ? what : (JSON.stringify(what) ?? '');
    const seen = this.#seen.get(where);
    if (seen === undefined) this.#seen.set(where, [text]);
    else seen.push(text);
  }

  /** How much there is of each kind. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#seen].map(([where, texts]) => [where, texts.length]));
  }

  /** Where which number stands, in whatever form. */
  search(numbers: readonly string[]): string[] {
    const hits: string[] = [];
    for (const [where, texts] of this.#seen) {
      const haystack = [Buffer.from(texts.join('\n'))];
      for (const number of numbers)
        for (const name of found(haystack, formsOf(number))) hits.push(`${where}: ${number} as ${name}`);
    }
    return hits;
  }
}

/** A host and a word that occur nowhere: only the number is looked for. Three or four bytes are found anywhere. */
const formsOf = (number: string) =>
  needlesOf({ digits: digitsOf(number), host: '203.0.113.251', word: 'NO-SUCH-WORD' }).filter(
    ({ bytes }) => bytes.length >= 10,
  );
