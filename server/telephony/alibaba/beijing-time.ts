/** Moments as Alibaba writes them: `yyyy-MM-dd HH:mm:ss` in Beijing, which has had one offset and no summer time since 1991. */
const OFFSET_MS = 8 * 3_600_000;

/** @param at milliseconds since 1970; what is below a second is dropped */
export const beijingTime = (at: number): string =>
  new Date(at + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** A moment of a report: Beijing time, or milliseconds since 1970 as a number or its digits. null: none. */
export function momentOfReport(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  const text = String(value);
  if (/^\d{13}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return null;
  const at = Date.parse(`${text.replace(' ', 'T')}Z`) - OFFSET_MS;
  return Number.isNaN(at) ? null : at;
}
