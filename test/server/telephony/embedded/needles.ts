/** What would give somebody away, in the forms it could travel in. */
export interface Secret {
  /** Of a number, as it is written within the country. */
  readonly digits: string;
  readonly host: string;
  readonly word: string;
}

export interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Of base64 the part that is the same whatever stands before and behind it. */
function base64Cores(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${'x'.repeat(shift)}${text}`)
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((shift * 8) / 6);
    const whole = Math.floor(((shift + text.length) * 8) / 6);
    return encoded.slice(shift === 0 ? 0 : first, whole);
  });
}

export function needlesOf({ digits, host, word }: Secret): Needle[] {
  const written = [
    digits,
    digits.replace(/(\d{3})(\d{4})(\d{4})/, '$1-$2-$3'),
    digits.replace(/(\d{3})(\d{4})(\d{4})/, '$1 $2 $3'),
    digits.split('').toReversed().join(''),
    digits.split('').join('.'),
    host,
    word,
  ];
  const texts = written.flatMap((text) => [
    text,
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('hex').toUpperCase(),
    ...base64Cores(text),
  ]);
  const address = Buffer.from(host.split('.').map(Number));
  return [
    ...[...new Set(texts)].map((text) => ({ name: text, bytes: Buffer.from(text) })),
    { name: 'the address as bytes', bytes: address },
    { name: 'the address backwards', bytes: Buffer.from(address.toReversed()) },
    { name: 'the number as 64 bits', bytes: bits(digits) },
  ];
}

function bits(digits: string): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(digits));
  // The leading zeros would be found nowhere else than in silence.
  return number.subarray(number.findIndex((byte) => byte !== 0));
}

/** Which needles are anywhere in it. */
export const found = (haystack: readonly Buffer[], needles: readonly Needle[]): string[] =>
  needles.filter(({ bytes }) => haystack.some((part) => part.includes(bytes))).map(({ name }) => name);
