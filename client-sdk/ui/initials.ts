const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The letters that stand for a name: the family name in Chinese, two initials elsewhere. */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (/^\p{Script=Han}/u.test(trimmed)) return first(trimmed);
  const words = trimmed.split(/\s+/).filter((word) => !/^(dr|prof|mr|mrs|ms)\.?$/i.test(word));
  const [begin = '', end = ''] = [words.at(0), words.length > 1 ? words.at(-1) : ''];
  return (first(begin) + first(end)).toUpperCase();
}

function first(text: string): string {
  for (const { segment } of graphemes.segment(text)) return segment;
  return '';
}
