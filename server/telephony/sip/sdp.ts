import { isIP } from 'node:net';

/** RTP payload types of RFC 3551: 0 is PCMU, 8 is PCMA. */
export type AudioCodec = 0 | 8;
/** Seen from who says it. */
export type AudioDirection = 'both' | 'send' | 'receive' | 'none';

/** A session description, as far as a phone call has one. */
export interface AudioDescription {
  /** Where RTP is wanted; null where the other has put it on hold the old way (0.0.0.0), or refuses it. */
  readonly host: string | null;
  /** 0: refused. */
  readonly port: number;
  /** What we know of what it offers, in its order. */
  readonly codecs: readonly AudioCodec[];
  /** Payload type of telephone-event (RFC 4733); null: none. */
  readonly telephoneEvent: number | null;
  readonly direction: AudioDirection;
  /** Milliseconds. */
  readonly ptime: number;
  /** Every media line, for the answer that has to have as many (RFC 3264 §6). */
  readonly media: readonly MediaLine[];
  /** Which of them is the audio. null: there is none we can take. */
  readonly audioLine: number | null;
}

export interface MediaLine {
  readonly type: string;
  readonly protocol: string;
  readonly formats: readonly string[];
}

export interface OwnAudio {
  readonly host: string;
  readonly port: number;
  readonly codecs: readonly AudioCodec[];
  readonly telephoneEvent: number | null;
  readonly direction: AudioDirection;
  readonly ptime?: number;
  /** One number a call; the version rises with every change (RFC 3264 §8). */
  readonly session: { readonly id: number; readonly version: number };
}

const MAX_SDP = 16_384;
const MAX_LINES = 400;
const MAX_MEDIA = 16;
const DEFAULT_PTIME = 20;
const NAMES: Readonly<Record<AudioCodec, string>> = { 0: 'PCMU', 8: 'PCMA' };
const DIRECTIONS: Readonly<Record<AudioDirection, string>> = {
  both: 'sendrecv',
  send: 'sendonly',
  receive: 'recvonly',
  none: 'inactive',
};

interface Section {
  readonly line: MediaLine;
  readonly port: number;
  connection: string | null;
  readonly attributes: string[];
}

/** RFC 8866, read generously: lines it does not know are skipped. null: not a session description. */
export function parseSdp(text: string): AudioDescription | null {
  if (text.length > MAX_SDP) return null;
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES || lines[0]?.trim() !== 'v=0') return null;
  const sections: Section[] = [];
  const session = { connection: null as string | null, attributes: [] as string[] };
  for (const line of lines) {
    const value = line.slice(2).trim();
    const current = sections.at(-1) ?? session;
    if (line.startsWith('m=')) {
      const section = parseMedia(value);
      if (section === null || sections.length >= MAX_MEDIA) return null;
      sections.push(section);
    } else if (line.startsWith('c=')) current.connection = parseConnection(value);
    else if (line.startsWith('a=')) current.attributes.push(value);
  }
  const index = sections.findIndex(usable);
  const section = sections[index];
  const media = sections.map((each) => each.line);
  if (section === undefined) return { ...NO_AUDIO, media };
  return describe({ section, session, media, index });
}

const NO_AUDIO = {
  host: null,
  port: 0,
  codecs: [],
  telephoneEvent: null,
  direction: 'none',
  ptime: DEFAULT_PTIME,
  audioLine: null,
} as const;

function describe(of: {
  readonly section: Section;
  readonly session: { readonly connection: string | null; readonly attributes: readonly string[] };
  readonly media: readonly MediaLine[];
  readonly index: number;
}): AudioDescription {
  const { section, session } = of;
  const host = section.connection ?? session.connection;
  const held = host === '0.0.0.0' || host === '::';
  const said = directionOf(section.attributes) ?? directionOf(session.attributes) ?? 'both';
  const ptime = Number(/^ptime:(\d{1,3})$/.exec(find(section.attributes, 'ptime:') ?? '')?.[1]);
  return {
    host: held ? null : host,
    port: section.port,
    codecs: codecsOf(section),
    telephoneEvent: telephoneEventOf(section),
    // RFC 3264 §8.4: a null address means that nothing is to be sent there.
    direction: held ? (said === 'both' || said === 'send' ? 'send' : 'none') : said,
    ptime: ptime >= 10 && ptime <= 100 ? ptime : DEFAULT_PTIME,
    media: of.media,
    audioLine: of.index,
  };
}

const usable = (section: Section): boolean =>
  section.line.type === 'audio' && section.port > 0 && /^RTP\/AVPF?$/.test(section.line.protocol);

function parseMedia(value: string): Section | null {
  const match =
    /^([A-Za-z0-9-]{1,32}) (\d{1,5})(?:\/\d{1,3})? ([A-Za-z0-9/.-]{1,32})((?: [^\s]{1,64})+)$/.exec(value);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) return null;
  const formats = (match[4] ?? '').trim().split(' ');
  if (formats.length > 64) return null;
  const line = { type: match[1] ?? '', protocol: match[3] ?? '', formats };
  return { line, port, connection: null, attributes: [] };
}

function parseConnection(value: string): string | null {
  const match = /^IN IP([46]) ([0-9A-Fa-f:.]+)/.exec(value);
  const host = match?.[2] ?? '';
  // A host name would have to be looked up because somebody else says so; only addresses are taken.
  return isIP(host) === Number(match?.[1]) ? host : null;
}

const find = (attributes: readonly string[], start: string): string | undefined =>
  attributes.find((attribute) => attribute.startsWith(start));

function directionOf(attributes: readonly string[]): AudioDirection | null {
  for (const [direction, name] of Object.entries(DIRECTIONS) as [AudioDirection, string][])
    if (attributes.includes(name)) return direction;
  return null;
}

/** `rtpmap:<format> NAME/rate`. */
const mapOf = (section: Section, format: string): string | undefined =>
  find(section.attributes, `rtpmap:${format} `)?.slice(`rtpmap:${format} `.length).trim().toUpperCase();

function codecsOf(section: Section): AudioCodec[] {
  return section.line.formats.flatMap((format): AudioCodec[] => {
    // The numbers are fixed; a description that gives them another meaning is not one we can talk to.
    const map = mapOf(section, format);
    if (format === '8' && (map === undefined || map.startsWith('PCMA/8000'))) return [8];
    if (format === '0' && (map === undefined || map.startsWith('PCMU/8000'))) return [0];
    return [];
  });
}

function telephoneEventOf(section: Section): number | null {
  for (const format of section.line.formats) {
    const payload = Number(format);
    const fits = payload >= 96 && payload <= 127;
    if (fits && mapOf(section, format)?.startsWith('TELEPHONE-EVENT/8000') === true) return payload;
  }
  return null;
}

/** An offer of our own: nothing in it comes from anybody else. */
export const writeOffer = (own: OwnAudio): string => `${sessionLines(own)}${audioLines(own)}`;

/** The answer to an offer: its media lines, all but the audio refused. @throws RangeError for an offer without common audio */
export function writeAnswer(offer: AudioDescription, own: OwnAudio): string {
  if (offer.audioLine === null || own.codecs.length === 0)
    throw new RangeError('the offer has no common audio');
  const lines = offer.media.map((line, index) =>
    index === offer.audioLine
      ? audioLines(own, line.protocol)
      : `m=${line.type} 0 ${line.protocol} ${line.formats[0] ?? '0'}\r\n`,
  );
  return `${sessionLines(own)}${lines.join('')}`;
}

/** The first of its codecs that is also ours; null: none. */
export const commonCodec = (
  offer: AudioDescription,
  ours: readonly AudioCodec[] = [8, 0],
): AudioCodec | null => offer.codecs.find((codec) => ours.includes(codec)) ?? null;

/** What may be answered to a direction at most (RFC 3264 §6.1). */
export function mirrored(direction: AudioDirection): AudioDirection {
  switch (direction) {
    case 'send':
      return 'receive';
    case 'receive':
      return 'send';
    case 'both':
    case 'none':
      return direction;
    default: {
      const unreachable: never = direction;
      throw new Error(unreachable);
    }
  }
}

function sessionLines(own: OwnAudio): string {
  const family = isIP(own.host);
  if (family === 0) throw new TypeError('media is where an address says');
  const { id, version } = own.session;
  const address = `IN IP${family} ${own.host}`;
  return `v=0\r\no=- ${id} ${version} ${address}\r\ns=-\r\nc=${address}\r\nt=0 0\r\n`;
}

function audioLines(own: OwnAudio, protocol = 'RTP/AVP'): string {
  const { codecs, telephoneEvent, direction, port, ptime = DEFAULT_PTIME } = own;
  const formats = [...codecs, ...(telephoneEvent === null ? [] : [telephoneEvent])];
  const maps = codecs.map((codec) => `a=rtpmap:${codec} ${NAMES[codec]}/8000\r\n`).join('');
  const events =
    telephoneEvent === null
      ? ''
      : `a=rtpmap:${telephoneEvent} telephone-event/8000\r\na=fmtp:${telephoneEvent} 0-15\r\n`;
  return `m=audio ${port} ${protocol} ${formats.join(' ')}\r\n${maps}${events}a=ptime:${ptime}\r\na=${DIRECTIONS[direction]}\r\n`;
}
