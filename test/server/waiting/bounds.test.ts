import { ConsultationId, DeviceId, PersonId } from '@teleconsult/protocol';
import { RunningVisits } from '@teleconsult/server/waiting/running-visits';
import { Typing } from '@teleconsult/server/waiting/typing';
import { expect, test } from 'vitest';

const id = (number: number) => ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
const person = (number: number) => PersonId.parse(`person-${number}`);
const deviceId = DeviceId.parse('device-0001');

test('[PRES10] of those who type a bounded number is remembered, and those who stopped are forgotten', () => {
  const typing = new Typing({ toOtherWatchers: () => undefined });
  for (let number = 0; number < 25_000; number++)
    typing.set({ personId: person(number), deviceId }, id(1), 'typing', 1_000);
  expect(typing.size).toBe(20_000);
  typing.set({ personId: person(1), deviceId }, id(1), 'typing', 8_000);
  expect(typing.size).toBe(1);
});

test('[WAIT8] of running visits a bounded number is remembered, the latest of a doctor counts, and ended ones go', () => {
  const running = new RunningVisits();
  running.began(person(1), id(1), 1_000);
  running.began(person(1), id(2), 2_000);
  expect(running.activeSince(person(1))).toBe(2_000);
  running.ended(person(1), id(2));
  expect(running.activeSince(person(1))).toBe(1_000);
  running.ended(person(1), id(1));
  expect(running.activeSince(person(1))).toBeNull();
  for (let number = 0; number < 10_001; number++) running.began(person(number), id(number), number);
  expect(running.activeSince(person(0))).toBeNull();
  expect(running.activeSince(person(10_000))).toBe(10_000);
});
