/** Peaks of 0 to 100 as so many bars of 0 to 1, each the loudest of its share; the loudest of all is 1. */
export function bars(peaks: readonly number[], count: number): readonly number[] {
  const loudest = Math.max(1, ...peaks);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    return Math.max(0, ...peaks.slice(from, to)) / loudest;
  });
}
