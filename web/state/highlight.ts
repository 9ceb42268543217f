export interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

/** How much of a text stands before the first match, in characters. */
const LEAD = 32;
const MAX_LENGTH = 220;

/** Letters of any case and width are alike, as the search of the server takes them. Never changes the length. */
function folded(text: string): string {
  let result = '';
  for (const character of text) {
    const plain = character.normalize('NFKC').toLowerCase();
    result += plain.length === character.length ? plain : character;
  }
  return result;
}

/** The part of a text around the first match, cut into what matches and what does not. */
export function snippet(text: string, query: string): readonly Piece[] {
  const wanted = folded(query.trim());
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const first = wanted === '' ? -1 : folded(line).indexOf(wanted);
  const from = Math.max(0, first - LEAD);
  const shown = `${from > 0 ? '…' : ''}${line.slice(from, from + MAX_LENGTH)}${from + MAX_LENGTH < line.length ? '…' : ''}`;
  if (first < 0) return [{ text: shown, isMatch: false }];
  const searched = folded(shown);
  const pieces: Piece[] = [];
  let at = 0;
  for (let found = searched.indexOf(wanted); found >= 0; found = searched.indexOf(wanted, at)) {
    if (found > at) pieces.push({ text: shown.slice(at, found), isMatch: false });
    pieces.push({ text: shown.slice(found, found + wanted.length), isMatch: true });
    at = found + wanted.length;
  }
  if (at < shown.length) pieces.push({ text: shown.slice(at), isMatch: false });
  return pieces;
}
