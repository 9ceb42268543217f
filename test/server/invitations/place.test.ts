import { boundKm, distanceKm, type Position, roundedPlace } from '@teleconsult/server/invitations/place';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const position = fc.record({
  latitude: fc.double({ min: -89, max: 89, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** Up to about 12 km away. */
const step = fc.record({
  latitude: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
  longitude: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
});

test('[NEAR1] a place is kept as the middle of a hundredth of a degree', () => {
  expect(roundedPlace({ latitude: 31.230416, longitude: 121.473701 })).toEqual({
    latitude: 31.23,
    longitude: 121.47,
  });
  expect(roundedPlace({ latitude: -33.8688, longitude: -70.005 })).toEqual({
    latitude: -33.87,
    longitude: -70,
  });
});

test('[NEAR2] whoever is listed is within the bound that is told, wherever they really are', () => {
  fc.assert(
    fc.property(position, step, (one, by) => {
      const other: Position = {
        latitude: Math.max(-90, Math.min(90, one.latitude + by.latitude)),
        longitude: one.longitude + by.longitude,
      };
      const told = boundKm(distanceKm(roundedPlace(one), roundedPlace(other)));
      expect(told === null || distanceKm(one, other) <= told).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('[NEAR2 sabotage] without the rounding’s error the bound would be broken', () => {
  const without = (roundedKm: number) => [2, 5, 10].find((bound) => roundedKm <= bound) ?? null;
  const [one, other] = [
    { latitude: 0.0051, longitude: 0.0051 },
    { latitude: 0.0249, longitude: 0.0149 },
  ];
  const told = without(distanceKm(roundedPlace(one), roundedPlace(other)));
  expect(told).toBe(2);
  expect(distanceKm(one, other)).toBeGreaterThan(2);
  expect(boundKm(distanceKm(roundedPlace(one), roundedPlace(other)))).toBe(5);
});

test('[NEAR2] distances are those of the globe, also over the date line and the pole', () => {
  const shanghai = { latitude: 31.2304, longitude: 121.4737 };
  const beijing = { latitude: 39.9042, longitude: 116.4074 };
  expect(distanceKm(shanghai, beijing)).toBeCloseTo(1067, -1);
  const east = { latitude: 0, longitude: 179.99 };
  const west = { latitude: 0, longitude: -179.99 };
  expect(distanceKm(east, west)).toBeCloseTo(2.224, 2);
  const pole = (longitude: number) => ({ latitude: 89.99, longitude });
  expect(distanceKm(pole(0), pole(180))).toBeCloseTo(2.224, 2);
});
