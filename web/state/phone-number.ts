/** Digits in a group, from the end: what is read out and typed off in one breath. */
const GROUP = 4;
/** Country codes of one and two digits (ITU-T E.164); all others have three. */
const SHORT_CODES = /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** `+86 170 0000 3333`: the country code, then groups of four from the end. */
export function phoneNumber(number: string): string {
  const digits = number.replace(/^\+/, '');
  const code = SHORT_CODES.exec(digits)?.[0] ?? digits.slice(0, 3);
  const rest = digits.slice(code.length);
  // North America writes 3-3-4.
  if (code === '1' && rest.length === 10)
    return `+1 ${rest.slice(0, 3)} ${rest.slice(3, 6)} ${rest.slice(6)}`;
  const groups: string[] = [];
  for (let end = rest.length; end > 0; end -= GROUP)
    groups.unshift(rest.slice(Math.max(0, end - GROUP), end));
  return [`+${code}`, ...groups].join(' ');
}
