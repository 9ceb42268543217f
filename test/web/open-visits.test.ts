import { expect, it } from 'vitest';
import { type FollowedVisit, OpenVisits } from '../../web/state/open-visits.ts';

class Visit implements FollowedVisit {
  readonly id: string;
  readonly closed: string[];
  call: object | null = null;
  readonly visit = { outbox: [], draft: '' };
  readonly replyTo = null;

  constructor(id: string, closed: string[]) {
    this.id = id;
    this.closed = closed;
  }

  async close(): Promise<void> {
    this.closed.push(this.id);
  }
}

it('[WEB120] the visit on the screen is never let go, however many are opened after it', async () => {
  const closed: string[] = [];
  let shownId: string | null = null;
  const visits = new OpenVisits({
    follow: async (id) => new Visit(id, closed),
    shownId: () => shownId,
    most: 2,
  });
  await visits.open('shown');
  shownId = 'shown';
  const called = await visits.open('called');
  called.call = {};
  await visits.open('third');
  expect(visits.find('shown')?.id).toBe('shown');
  expect(closed).toEqual([]);
  // What nobody looks at any more goes, and a call stays.
  shownId = 'third';
  await visits.open('fourth');
  expect(closed).toEqual(['shown']);
  expect(visits.all.map(({ id }) => id)).toEqual(['called', 'third', 'fourth']);
});
