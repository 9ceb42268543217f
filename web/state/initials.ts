/** How many `--avatar-…` colours the pages have. */
const COLOURS = 5;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const firstOf = (text: string): string => {
  for (const { segment } of graphemes.segment(text)) return segment;
  return '';
};

/** The letters that stand for a name: the family name in Chinese, two initials elsewhere. */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (/^\p{Script=Han}/u.test(trimmed)) return firstOf(trimmed);
  const words = trimmed.split(/\s+/).filter((word) => !/^(dr|prof|mr|mrs|ms)\.?$/i.test(word));
  const [first = '', last = ''] = [words.at(0), words.length > 1 ? words.at(-1) : ''];
  return (firstOf(first) + firstOf(last)).toUpperCase();
}

/** The same name has the same colour everywhere. */
export function colourOf(name: string): number {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % COLOURS;
}
