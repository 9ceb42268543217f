import { ConsultationId, PersonId } from '@teleconsult/protocol';
import { readerOf, requireReach } from '@teleconsult/server/identity/access';
import { DevelopmentIssuer } from '@teleconsult/server/identity/development-issuer';
import type { Caller } from '@teleconsult/server/identity/tokens';
import { expect, test } from 'vitest';
import { TEST_IDENTITY, TEST_KEY, testVerifier } from '../../helpers/test-tokens.ts';

const [one, other] = ['1', '2'].map((digit) => ConsultationId.parse(`cns_${digit.repeat(22)}`)) as [
  ConsultationId,
  ConsultationId,
];
const personId = PersonId.parse('somebody');
const participant = (onlyConsultation: ConsultationId | null): Caller => ({
  scope: 'participant',
  personId,
  onlyConsultation,
  expiresAt: 0,
});
const host: Caller = { scope: 'host', expiresAt: 0 };

const issuerOptions = { ...TEST_IDENTITY, kid: TEST_KEY.kid, secret: TEST_KEY.material };

test('[AUTH9] a token reaches every consultation of its person, or the one that it names', () => {
  expect(() => requireReach(participant(null), one)).not.toThrow();
  expect(() => requireReach(participant(one), one)).not.toThrow();
  expect(() => requireReach(participant(other), one)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => requireReach(host, one)).not.toThrow();
});

test('[AUTH9] a person reads as that person, the host application as nobody in particular', () => {
  expect(readerOf(participant(one))).toBe(personId);
  expect(readerOf(host)).toBeNull();
});

test('[A1] [AUTH10] the development issuer cannot be made in production', () => {
  expect(() => new DevelopmentIssuer({ ...issuerOptions, production: true })).toThrow('production');
});

test('[AUTH10] tokens of the development issuer are good ones', () => {
  const issuer = new DevelopmentIssuer({ ...issuerOptions, production: false });
  const verifier = testVerifier();
  expect(verifier.verify(issuer.forPerson(personId))).toMatchObject({ personId, onlyConsultation: null });
  expect(verifier.verify(issuer.forPerson(personId, one))).toMatchObject({ onlyConsultation: one });
  expect(verifier.verify(issuer.forHost())).toMatchObject({ scope: 'host' });
});
