import { ConsultationId, PersonId } from '@teleconsult/protocol';
import { readerOf, requireReach, requireWhole } from '@teleconsult/server/identity/access';
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
  displayName: null,
  isDoctor: false,
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
  expect(verifier.verify(issuer.forPerson(personId, { consultation: one }))).toMatchObject({
    onlyConsultation: one,
  });
  expect(verifier.verify(issuer.forHost())).toMatchObject({ scope: 'host' });
});

test('[AUTH12] a token for one consultation is refused what is the person’s beside it', () => {
  expect(() => requireWhole({ onlyConsultation: null })).not.toThrow();
  expect(() => requireWhole({ onlyConsultation: one })).toThrow(
    expect.objectContaining({ code: 'FORBIDDEN' }),
  );
});

test('[AUTH13] a token vouches for a name and a profession, and for nothing it does not say', () => {
  const issuer = new DevelopmentIssuer({ ...issuerOptions, production: false });
  const claimed = (options: Parameters<typeof issuer.forPerson>[1]) =>
    testVerifier().verify(issuer.forPerson(personId, options));
  expect(claimed({ name: '陈医生 Dr Chen', profession: 'doctor' })).toMatchObject({
    displayName: '陈医生 Dr Chen',
    isDoctor: true,
  });
  expect(claimed({})).toMatchObject({ displayName: null, isDoctor: false });
});
