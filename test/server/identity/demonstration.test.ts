import { demonstration, links } from '@teleconsult/server/development';
import { DevelopmentIssuer } from '@teleconsult/server/identity/development-issuer';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { TEST_IDENTITY, TEST_KEY } from '../../helpers/test-tokens.ts';

const issuer = new DevelopmentIssuer({
  ...TEST_IDENTITY,
  production: false,
  kid: TEST_KEY.kid,
  secret: TEST_KEY.material,
});

const fragmentOf = (link: string) => new URLSearchParams(new URL(link).hash.slice(1));

test('[AUTH16] the demonstration’s links hold tokens with names, so that a relative and a colleague can be invited', async () => {
  await using app = await startTestApp();
  const view = await demonstration(app.app.host);
  expect((await demonstration(app.app.host)).consultationId).toBe(view.consultationId);
  const opened = links(app.origin, issuer, view);
  for (const [name, page, consultation] of [
    ['patient', '/patient', view.consultationId],
    ['doctor', '/doctor', view.consultationId],
    ['colleague', '/doctor', null],
    ['relative', '/patient', null],
  ] as const) {
    expect(new URL(opened[name]).pathname, name).toBe(page);
    expect(new URL(opened[name]).search, name).toBe('');
    expect(fragmentOf(opened[name]).get('consultation'), name).toBe(consultation);
  }
  const connect = (name: 'patient' | 'doctor' | 'colleague' | 'relative') =>
    RawClient.connect(app.origin, fragmentOf(opened[name]).get('token') ?? '');
  await using patient = await connect('patient');
  await using doctor = await connect('doctor');
  await using relative = await connect('relative');
  await using colleague = await connect('colleague');
  const { consultationId } = view;
  const { code } = await patient.request('invitation.create', {
    purpose: 'participant',
    consultationId,
    role: 'relative',
  });
  const { consultation } = await relative.request('invitation.redeem', { code });
  expect(consultation.participants.at(-1)).toMatchObject({ role: 'relative', displayName: '王丽 Wang Li' });
  const asked = await doctor.request('invitation.create', { purpose: 'colleague' });
  const met = await colleague.request('invitation.redeem', { code: asked.code });
  expect(met.consultation).toMatchObject({ kind: 'colleagues', phase: 'active' });
  expect(met.consultation.participants.map(({ displayName }) => displayName)).toEqual([
    '李医生 Dr Li',
    '陈医生 Dr Chen',
  ]);
});
