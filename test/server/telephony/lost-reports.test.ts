import type { LogFields } from '@teleconsult/server/host/ports';
import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import { LostReports } from '@teleconsult/server/telephony/lost-reports';
import type { RelayEvent, RelayProvider } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';

const HOUR_MS = 3_600_000;

const event = (eventId: string): RelayEvent => ({
  eventId,
  provider: 'fake',
  callRef: eventId,
  bindingId: `pbd_${'B'.repeat(22)}` as RelayEvent['bindingId'],
  phoneCallId: null,
  at: 1,
  what: { type: 'ended', caller: 'a', end: 'completed', talkMs: 1 },
});

/** A provider with a list of what it has told. */
function listed(list: (since: number, signal: AbortSignal) => AsyncIterable<RelayEvent>): RelayProvider {
  return Object.assign(new FakeRelayProvider(), { reconcile: list });
}

function stage(provider: RelayProvider, change: { everyMs?: number; failing?: Set<string> } = {}) {
  const kept: string[] = [];
  const logged: { step: string; fields: LogFields }[] = [];
  const note = (step: string, fields: LogFields = {}): void => void logged.push({ step, fields });
  const time = { now: 1_800_000_000_000 };
  const reports = new LostReports({
    providers: [provider],
    core: {
      event: async ({ eventId }) => {
        if (change.failing?.delete(eventId) === true) throw new Error('not kept');
        kept.push(eventId);
      },
    },
    clock: () => time.now,
    log: { info: note, warn: note, error: note },
    ...(change.everyMs === undefined ? {} : { everyMs: change.everyMs }),
  });
  return { reports, kept, logged, time };
}

test('[RLE6] what a provider’s list holds is told after a start and again and again, from where all was found', async () => {
  const since: number[] = [];
  const provider = listed(async function* (from) {
    since.push(from);
    yield event('one');
    yield event('two');
  });
  const { reports, kept, time } = stage(provider, { everyMs: 20 });
  const { now } = time;
  reports.start();
  await eventually('three looks', () => since.length >= 3);
  await reports.close();
  expect(kept.slice(0, 4)).toEqual(['one', 'two', 'one', 'two']);
  // A day and what may overlap, then only what may.
  expect(since.slice(0, 2)).toEqual([now - 26 * HOUR_MS, now - 2 * HOUR_MS]);
  const looks = since.length;
  await reports.look();
  expect(kept).toHaveLength(2 * looks);
});

test('[RLE6] an event that could not be kept hinders none behind it, and is asked for again', async () => {
  const since: number[] = [];
  const provider = listed(async function* (from) {
    since.push(from);
    yield event('one');
    yield event('two');
  });
  const { reports, kept, logged, time } = stage(provider, { failing: new Set(['one']) });
  await reports.look();
  expect(kept).toEqual(['two']);
  time.now += HOUR_MS;
  await reports.look();
  expect(kept).toEqual(['two', 'one', 'two']);
  expect(since[1]).toBe((since[0] ?? 0) + HOUR_MS);
  expect(logged.map(({ step }) => step)).toContain('phone.reportNotKept');
  await reports.close();
});

test('[RLE6] a list that is not to be had is asked for again later, and one look runs at a time', async () => {
  let looks = 0;
  const provider = listed(async function* (_from, signal) {
    looks += 1;
    if (looks === 1) throw new Error('away');
    yield event('one');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  });
  const { reports, kept } = stage(provider);
  await reports.look();
  const second = reports.look();
  expect(reports.look()).toBe(second);
  await eventually('an event', () => kept.length === 1);
  await Promise.all([reports.close(), reports.close()]);
  await second;
  expect(looks).toBe(2);
});

test('[RLE6] a provider without a list is asked for none', async () => {
  const { reports, logged } = stage(Object.assign(new FakeRelayProvider(), { reconcile: null }));
  reports.start();
  await reports.look();
  await reports.close();
  expect(logged).toEqual([]);
});
