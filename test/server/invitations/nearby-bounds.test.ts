import { PersonId } from '@teleconsult/protocol';
import { NearbyColleagues } from '@teleconsult/server/invitations/nearby-colleagues';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.useRealTimers();
});

const doctor = (name: string) => ({
  personId: PersonId.parse(name),
  displayName: name,
  isDoctor: true,
  onlyConsultation: null,
});
const unused = () => Promise.reject(new Error('nothing is asked of the host here'));
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const nearbyAt = (clock: () => number) =>
  new NearbyColleagues({
    host: { create: unused, view: unused },
    store: { listFor: unused },
    clock,
    log: quiet,
  });

test('[NEAR9] at most fifty are listed and ten thousand seen; whoever is seen already may go on', async () => {
  const nearby = nearbyAt(() => 1_000);
  for (let count = 0; count < 10_000; count++)
    await nearby.show(doctor(`doctor-${count}`), { latitude: 10, longitude: 10 });
  expect(nearby.list(doctor('doctor-0'))).toHaveLength(50);
  await expect(nearby.show(doctor('one-more'), { latitude: 10, longitude: 10 })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
  });
  await nearby.show(doctor('doctor-0'), { latitude: 10, longitude: 10 });
  nearby.hide(doctor('doctor-1'));
  await nearby.show(doctor('one-more'), { latitude: 10, longitude: 10 });
  nearby.close();
});

test('[NEAR4] places are forgotten in their time although nobody asks, and at the close', async () => {
  vi.useFakeTimers();
  const clock = vi.fn(() => Date.now());
  const nearby = nearbyAt(clock);
  await nearby.show(doctor('one'), { latitude: 10, longitude: 10 });
  await vi.advanceTimersByTimeAsync(300_000);
  await nearby.show(doctor('two'), { latitude: 10, longitude: 10 });
  clock.mockClear();
  await vi.advanceTimersByTimeAsync(300_001);
  expect(clock).toHaveBeenCalled();
  expect(nearby.list(doctor('two'))).toEqual([]);
  nearby.close();
  expect(() => nearby.list(doctor('two'))).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
  nearby.close();
});

test('[NEAR6] saying where one is is limited too, so that nobody searches a city', async () => {
  const nearby = nearbyAt(() => 1_000);
  for (let count = 0; count < 60; count++)
    await nearby.show(doctor('one'), { latitude: count / 10, longitude: 10 });
  await expect(nearby.show(doctor('one'), { latitude: 10, longitude: 10 })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
  });
  nearby.close();
});
