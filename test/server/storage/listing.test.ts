import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';

const MOMENT = 1_800_000_000_000;

test('[STO7] a person’s pages reach every consultation once, also those created in the same millisecond', async () => {
  let now = MOMENT;
  await using app = await startTestApp({ clock: () => now });
  const created: string[] = [];
  for (let count = 0; count < 9; count += 1) {
    if (count % 4 === 0) now += 1;
    created.push((await app.createConsultation('x')).consultationId);
  }
  await using person = await RawClient.connect(app.origin, personToken('patient-x'));
  const seen: string[] = [];
  let more = true;
  for (let createdBefore: number | undefined; more; ) {
    const page = await person.request('consultation.list', {
      limit: 2,
      ...(createdBefore === undefined ? {} : { createdBefore }),
    });
    seen.push(...page.consultations.map(({ consultationId }) => consultationId));
    createdBefore = page.consultations.at(-1)?.createdAt;
    more = page.hasMore;
  }
  expect(seen.toSorted()).toEqual(created.toSorted());
  expect(seen[0]).toBe(created.at(-1));
});
