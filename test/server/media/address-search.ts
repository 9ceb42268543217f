/** Every way an IPv4 address could be written down in what a server sends, and whether a text holds one of them. */
import { addressBytes } from './stun.ts';

export function spellingsOf(address: string): ReadonlyMap<string, string> {
  const bytes = [...addressBytes(address)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  const words = [hex.slice(0, 2).join(''), hex.slice(2).join('')] as const;
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const masked = bytes.map((byte, index) => byte ^ (MAGIC[index] ?? 0));
  const spellings = new Map([
    ['dotted, as it is and IPv4-mapped', address],
    ['with other separators', bytes.join('-')],
    ['with underscores', bytes.join('_')],
    ['for the reverse look-up', bytes.toReversed().join('.')],
    ['percent-encoded', bytes.join('%2e')],
    ['as numbers', bytes.join(',')],
    ['as one number', String(number)],
    ['octal', bytes.map((byte) => `0${byte.toString(8)}`).join('.')],
    ['hexadecimal', hex.join('')],
    ['hexadecimal, with colons', hex.join(':')],
    ['hexadecimal, dotted', hex.map((byte) => `0x${byte}`).join('.')],
    ['IPv6, in full', words.join(':')],
    ['IPv6, short', words.map((word) => Number.parseInt(word, 16).toString(16)).join(':')],
    ['masked as in STUN', masked.map((byte) => byte.toString(16).padStart(2, '0')).join('')],
    ['in base64, as bytes', Buffer.from(bytes).toString('base64').slice(0, 6)],
  ]);
  // Text inside base64 looks otherwise at each of the three places it can begin at; the edges depend on neighbours.
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.from(' '.repeat(shift) + address).toString('base64');
    spellings.set(`in base64, shifted by ${shift}`, encoded.slice(shift === 0 ? 0 : 4, -4));
  }
  return spellings;
}

/** The names of the spellings that a text holds. Case and the escapes of JSON make no difference. */
export function foundIn(text: string, address: string): readonly string[] {
  const plain = text.replace(/\\u00([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number(`0x${code}`)));
  const lower = plain.toLowerCase();
  return [...spellingsOf(address)].flatMap(([name, spelling]) => {
    const isBase64 = name.startsWith('in base64');
    const holds = isBase64 ? plain.includes(spelling) : lower.includes(spelling.toLowerCase());
    return holds ? [name] : [];
  });
}

/** The magic cookie of STUN, which XOR-MAPPED-ADDRESS is masked with. */
const MAGIC = [0x21, 0x12, 0xa4, 0x42];
