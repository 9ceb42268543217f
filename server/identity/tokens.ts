import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { AppError, ConsultationId, DisplayName, PersonId } from '@teleconsult/protocol';
import jwt from 'jsonwebtoken';
import { z } from 'zod';

/** What jsonwebtoken verifies and we allow. A key belongs to exactly one algorithm, so none can be talked into another. */
export const TokenAlgorithm = z.enum(['HS256', 'RS256', 'PS256', 'ES256']);
export type TokenAlgorithm = z.infer<typeof TokenAlgorithm>;

/** HS256 with a shorter secret can be guessed offline (RFC 7518 §3.2 asks for the hash's length). */
const MIN_SECRET_BYTES = 32;
/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048;
const CLOCK_TOLERANCE_S = 5;
/** A token that lives longer than this is refused, so that a leaked one dies. */
const MAX_LIFETIME_S = 24 * 3600;

/** A key of the host application: a shared secret (HS256) or a public key in PEM. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly material: string;
}

export interface TokenPolicy {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly TokenKey[];
}

/** Who is calling. `host` is the host application's server; a person acts only in their own consultations. */
export type Caller =
  | { readonly scope: 'host'; readonly expiresAt: number }
  | {
      readonly scope: 'participant';
      readonly personId: PersonId;
      /** Set when the token is good for one consultation only. */
      readonly onlyConsultation: ConsultationId | null;
      /** The person's name as the host application vouches for it (claim `name`); needed to accept invitations. */
      readonly displayName: string | null;
      /** Set (claim `profession`) when the host application vouches that the person may practise. */
      readonly isDoctor: boolean;
      readonly expiresAt: number;
    };

const Claims = z.object({
  sub: z.string().optional(),
  scope: z.enum(['host', 'participant']),
  consultation: ConsultationId.optional(),
  name: DisplayName.optional(),
  profession: z.enum(['doctor']).optional(),
  iat: z.int(),
  exp: z.int(),
});

/** Verifies tokens signed by the host application. Reads keys from its policy alone: no header can name one to fetch. */
export class TokenVerifier {
  readonly #keys: ReadonlyMap<string, { algorithm: TokenAlgorithm; key: KeyObject }>;
  readonly #policy: TokenPolicy;

  constructor(policy: TokenPolicy) {
    // An empty name would switch its check off in the library below.
    if (policy.issuer === '' || policy.audience === '')
      throw new Error('An issuer and an audience of tokens are required.');
    this.#policy = policy;
    this.#keys = new Map(policy.keys.map((key) => [key.kid, { algorithm: key.algorithm, key: toKey(key) }]));
    if (this.#keys.size === 0) throw new Error('At least one token key is required.');
    if (this.#keys.size !== policy.keys.length) throw new Error('Two token keys have the same kid.');
  }

  /** Throws `UNAUTHENTICATED` or `TOKEN_EXPIRED`; never says which check failed. */
  verify(token: string): Caller {
    const known = this.#keys.get(kidOf(token) ?? '');
    if (known === undefined) throw new AppError('UNAUTHENTICATED');
    let verified: unknown;
    try {
      verified = jwt.verify(token, known.key, {
        algorithms: [known.algorithm],
        issuer: this.#policy.issuer,
        audience: this.#policy.audience,
        clockTolerance: CLOCK_TOLERANCE_S,
      });
    } catch (cause) {
      throw new AppError(cause instanceof jwt.TokenExpiredError ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED');
    }
    const claims = Claims.safeParse(verified);
    if (!claims.success || !livesShort(claims.data)) throw new AppError('UNAUTHENTICATED');
    return toCaller(claims.data);
  }
}

function kidOf(token: string): string | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header.kid;
  } catch {
    // A token with an unreadable payload names no key.
    return undefined;
  }
}

/** A token issued in the future would outlive the longest lifetime, counted from now. */
function livesShort({ iat, exp }: z.infer<typeof Claims>): boolean {
  return exp - iat <= MAX_LIFETIME_S && iat <= Date.now() / 1000 + CLOCK_TOLERANCE_S;
}

function toCaller(claims: z.infer<typeof Claims>): Caller {
  const expiresAt = claims.exp * 1000;
  if (claims.scope === 'host') return { scope: 'host', expiresAt };
  const person = PersonId.safeParse(claims.sub);
  if (!person.success) throw new AppError('UNAUTHENTICATED');
  return {
    scope: 'participant',
    personId: person.data,
    onlyConsultation: claims.consultation ?? null,
    displayName: claims.name ?? null,
    isDoctor: claims.profession === 'doctor',
    expiresAt,
  };
}

function toKey({ kid, algorithm, material }: TokenKey): KeyObject {
  if (algorithm === 'HS256') {
    if (Buffer.byteLength(material) < MIN_SECRET_BYTES)
      throw new Error(`Token key "${kid}": an HS256 secret needs at least ${MIN_SECRET_BYTES} bytes.`);
    return createSecretKey(Buffer.from(material));
  }
  const key = publicKey(material);
  const details = key?.asymmetricKeyDetails;
  const fits =
    algorithm === 'ES256'
      ? key?.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1'
      : key?.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  if (key === null || !fits) throw new Error(`Token key "${kid}" is not a key for ${algorithm}.`);
  return key;
}

function publicKey(material: string): KeyObject | null {
  try {
    return createPublicKey(material);
  } catch {
    return null;
  }
}
