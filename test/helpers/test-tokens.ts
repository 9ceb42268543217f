import { type ConsultationId, PersonId } from '@teleconsult/protocol';
import { DevelopmentIssuer } from '@teleconsult/server/identity/development-issuer';
import { TokenVerifier } from '@teleconsult/server/identity/tokens';

export const TEST_IDENTITY = { issuer: 'test-issuer', audience: 'test-audience' };
export const TEST_KEY = {
  kid: 'test-key',
  algorithm: 'HS256' as const,
  material: 'a secret of the tests that is long enough to be accepted',
};

const issuer = new DevelopmentIssuer({
  ...TEST_IDENTITY,
  production: false,
  kid: TEST_KEY.kid,
  secret: TEST_KEY.material,
});

export const testVerifier = (): TokenVerifier => new TokenVerifier({ ...TEST_IDENTITY, keys: [TEST_KEY] });

export const personToken = (person: string, consultation?: ConsultationId): string =>
  issuer.forPerson(PersonId.parse(person), consultation === undefined ? {} : { consultation });

/** A token that vouches for the person's name, and for a doctor's profession; for one consultation if one is named. */
export const namedToken = (
  person: string,
  name: string,
  profession?: 'doctor',
  consultation?: ConsultationId,
): string =>
  issuer.forPerson(PersonId.parse(person), {
    name,
    ...(profession === undefined ? {} : { profession }),
    ...(consultation === undefined ? {} : { consultation }),
  });

export const hostToken = (): string => issuer.forHost();
