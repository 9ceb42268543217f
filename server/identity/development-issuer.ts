import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import jwt from 'jsonwebtoken';

const LIFETIME_S = 12 * 3600;

/**
 * Signs tokens for trying the product out, in place of a host application. It cannot be made in production:
 * whoever could reach it there would be anybody.
 */
export class DevelopmentIssuer {
  readonly #options: { issuer: string; audience: string; kid: string; secret: string };

  constructor(options: {
    production: boolean;
    issuer: string;
    audience: string;
    kid: string;
    secret: string;
  }) {
    if (options.production) throw new Error('The development issuer does not start in production.');
    this.#options = options;
  }

  forPerson(
    personId: PersonId,
    options: { consultation?: ConsultationId; name?: string; profession?: 'doctor' } = {},
  ): string {
    return this.#sign({ scope: 'participant', ...options }, personId);
  }

  forHost(): string {
    return this.#sign({ scope: 'host' }, 'development-host');
  }

  #sign(claims: object, subject: string): string {
    const { issuer, audience, kid, secret } = this.#options;
    return jwt.sign(claims, secret, {
      algorithm: 'HS256',
      keyid: kid,
      issuer,
      audience,
      subject,
      expiresIn: LIFETIME_S,
    });
  }
}
