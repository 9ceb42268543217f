import { createHash } from 'node:crypto';
import { quote, splitOutside, unquote } from './grammar.ts';
import type { HeaderLine, SipResponse } from './message.ts';
import { token } from './token.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Answers this realm alone; not given: whichever the trunk names. */
  readonly realm?: string;
}

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly stale: boolean;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly session: boolean;
  /** `auth`, or null: the older way without it (RFC 7616 §3.4). */
  readonly qop: 'auth' | null;
  /** As it was written, to be repeated. */
  readonly algorithmText: string | null;
}

type Kind = 'www' | 'proxy';
const KINDS = [
  ['www', 401, 'www-authenticate', 'Authorization'],
  ['proxy', 407, 'proxy-authenticate', 'Proxy-Authorization'],
] as const;

/** A nonce that a server calls stale is replaced so often for one request. */
const MAX_ROUNDS = 3;

/** The answers to a trunk's challenges (RFC 7616, 7617 being for HTTP; RFC 8760 for SIP), kept for later requests. */
export class DigestClient {
  readonly #credentials: Credentials;
  readonly #known = new Map<Kind, { challenge: Challenge; uses: number }>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** One request, with its repetitions. */
  round(): DigestRound {
    return new DigestRound(this);
  }

  headers(method: string, uri: string): HeaderLine[] {
    return KINDS.flatMap(([kind, , , header]): HeaderLine[] => {
      const known = this.#known.get(kind);
      if (known === undefined) return [];
      known.uses += 1;
      return [[header, answerTo(known.challenge, this.#credentials, { method, uri, uses: known.uses })]];
    });
  }

  learn(kind: Kind, challenge: Challenge): boolean {
    const { realm } = this.#credentials;
    if (realm !== undefined && realm !== challenge.realm) return false;
    this.#known.set(kind, { challenge, uses: 0 });
    return true;
  }
}

export class DigestRound {
  readonly #client: DigestClient;
  readonly #answered = new Set<Kind>();
  #rounds = 0;

  constructor(client: DigestClient) {
    this.#client = client;
  }

  headers(method: string, uri: string): HeaderLine[] {
    return this.#client.headers(method, uri);
  }

  /** Whether it is worth asking again: false for a challenge that was answered already, so a wrong password never loops. */
  challenged(response: SipResponse): boolean {
    this.#rounds += 1;
    if (this.#rounds > MAX_ROUNDS) return false;
    for (const [kind, status, header] of KINDS) {
      if (response.status !== status) continue;
      const challenge = chooseChallenge(response.headers.all(header));
      if (challenge === null || (this.#answered.has(kind) && !challenge.stale)) return false;
      this.#answered.add(kind);
      return this.#client.learn(kind, challenge);
    }
    return false;
  }
}

/** The topmost one we can answer (RFC 8760 §2.4). */
function chooseChallenge(values: readonly string[]): Challenge | null {
  for (const value of values) {
    const challenge = parseChallenge(value);
    if (challenge !== null) return challenge;
  }
  return null;
}

/** null: not Digest, an algorithm or protection we do not have, or not a challenge. */
export function parseChallenge(value: string): Challenge | null {
  const match = /^Digest\s+(.+)$/is.exec(value.trim());
  const parts = splitOutside(match?.[1] ?? '', ',');
  if (match === null || parts === null) return null;
  const given = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals > 0)
      given.set(part.slice(0, equals).trim().toLowerCase(), unquote(part.slice(equals + 1).trim()));
  }
  const realm = given.get('realm');
  const nonce = given.get('nonce');
  const algorithmText = given.get('algorithm') ?? null;
  const algorithm = /^(MD5|SHA-256)(-sess)?$/i.exec(algorithmText ?? 'MD5');
  const qops = given
    .get('qop')
    ?.split(',')
    .map((word) => word.trim().toLowerCase());
  if (realm === undefined || nonce === undefined || algorithm === null) return null;
  if (qops !== undefined && !qops.includes('auth')) return null;
  return {
    realm,
    nonce,
    opaque: given.get('opaque') ?? null,
    stale: given.get('stale')?.toLowerCase() === 'true',
    algorithm: algorithm[1]?.toUpperCase() === 'SHA-256' ? 'SHA-256' : 'MD5',
    session: algorithm[2] !== undefined,
    qop: qops === undefined ? null : 'auth',
    algorithmText,
  };
}

/** The value of (Proxy-)Authorization. `cnonce` is given by tests alone. */
export function answerTo(
  challenge: Challenge,
  credentials: Credentials,
  request: { readonly method: string; readonly uri: string; readonly uses: number; readonly cnonce?: string },
): string {
  const { realm, nonce, opaque, qop, algorithm, session, algorithmText } = challenge;
  const { username, password } = credentials;
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const cnonce = request.cnonce ?? token();
  const count = request.uses.toString(16).padStart(8, '0');
  const secret = hash(`${username}:${realm}:${password}`);
  const who = session ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const what = hash(`${request.method}:${request.uri}`);
  const response = hash(
    qop === null ? `${who}:${nonce}:${what}` : `${who}:${nonce}:${count}:${cnonce}:auth:${what}`,
  );
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${response}"`,
    ...(algorithmText === null ? [] : [`algorithm=${algorithmText}`]),
    ...(qop === null ? [] : ['qop=auth', `nc=${count}`]),
    ...(qop === null && !session ? [] : [`cnonce="${cnonce}"`]),
    ...(opaque === null ? [] : [`opaque=${quote(opaque)}`]),
  ];
  return `Digest ${fields.join(', ')}`;
}
