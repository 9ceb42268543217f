/** When two people speak in turn: `turn` 0 begins. */
export function speech(lengthMs: number, turn: 0 | 1): [number, number][] {
  const spans: [number, number][] = [];
  let at = 0;
  for (let index = 0; at < lengthMs; index += 1) {
    const long = 1500 + ((index * 997) % 2600);
    if (index % 2 === turn) spans.push([at, Math.min(lengthMs, at + long - 400)]);
    at += long;
  }
  return spans;
}
