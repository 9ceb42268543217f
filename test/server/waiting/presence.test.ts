import {
  ConsultationId,
  type ConsultationView,
  DeviceId,
  type FactName,
  type FactPayload,
  PersonId,
} from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import { Presence } from '@teleconsult/server/waiting/presence';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const id = (number: number) => ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
const person = (name: string) => PersonId.parse(name);
const state = (number: number, ...people: string[]) =>
  requestConsultation(
    id(number),
    {
      participants: people.map((name, index) => ({
        personId: person(name),
        role: (['patient', 'doctor'] as const)[index] ?? 'relative',
        displayName: name,
      })),
    },
    0,
  ).state;
const view = (number: number, ...people: string[]): ConsultationView =>
  viewConsultation(state(number, ...people));

/** Presence over a publisher that knows which devices there are, by person and reach. */
function presenceOf() {
  const connected = new Set<string>();
  const watched = new Set<ConsultationId>();
  const told: string[] = [];
  const presence = new Presence({
    publisher: {
      isOnline: (personId, consultationId) =>
        connected.has(`${personId} `) || connected.has(`${personId} ${consultationId}`),
      isWatched: (consultationId) => watched.has(consultationId),
      toOtherWatchers: <N extends FactName>(
        consultationId: ConsultationId,
        except: PersonId,
        name: N,
        payload: FactPayload<N>,
      ) => {
        const what = 'online' in payload ? payload.online : 'activity' in payload ? payload.activity : '';
        told.push(`${Number(consultationId.slice(4))} ${except} ${name} ${String(what)}`);
      },
    },
  });
  const device = (name: string, only: number | null, deviceId: string) => ({
    personId: person(name),
    deviceId: DeviceId.parse(deviceId),
    onlyConsultation: only === null ? null : id(only),
  });
  const key = (name: string, only: number | null) => `${name} ${only === null ? '' : id(only)}`;
  return {
    presence,
    told,
    watch: (one: ConsultationView) => {
      watched.add(one.consultationId);
      return presence.onlineIn(one);
    },
    unwatch: (number: number) => watched.delete(id(number)),
    come: (name: string, only: number | null = null, deviceId = 'device-0001') => {
      connected.add(key(name, only));
      presence.handleDevice(device(name, only, deviceId), 'device.returned');
    },
    go: (name: string, only: number | null = null, deviceId = 'device-0001') => {
      connected.delete(key(name, only));
      presence.handleDevice(device(name, only, deviceId), 'device.lost');
    },
    type: (
      name: string,
      number: number,
      activity: 'none' | 'typing' | 'recording',
      deviceId = 'device-0001',
    ) => presence.typing(id(number), device(name, null, deviceId), activity),
  };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('[PRES1] watchers hear that a person came, and five seconds after the last device went that they are away', async () => {
  const { told, watch, come, go } = presenceOf();
  come('ann');
  expect(watch(view(1, 'ann', 'bob'))).toEqual(['ann']);
  come('bob');
  come('bob');
  expect(told).toEqual(['1 bob presence.changed true']);
  go('bob');
  await pass(4_999);
  expect(told).toHaveLength(1);
  await pass(1);
  expect(told).toEqual(['1 bob presence.changed true', '1 bob presence.changed false']);
});

test('[PRES2] a reconnect is no flicker, and who watches meanwhile is told the person is there', async () => {
  const { told, watch, come, go } = presenceOf();
  come('bob');
  watch(view(1, 'ann', 'bob'));
  go('bob');
  await pass(4_000);
  expect(watch(view(1, 'ann', 'bob'))).toEqual(['bob']);
  come('bob');
  await pass(2_000);
  go('bob');
  await pass(4_000);
  expect(told).toEqual([]);
  await pass(1_000);
  expect(told).toEqual(['1 bob presence.changed false']);
});

test('[PRES3] a device with a token for one consultation is there in that one alone', async () => {
  const { told, watch, come, go } = presenceOf();
  watch(view(1, 'ann', 'bob'));
  watch(view(2, 'ann', 'bob'));
  come('bob', 1);
  expect(told).toEqual(['1 bob presence.changed true']);
  come('bob');
  expect(told.slice(1)).toEqual(['2 bob presence.changed true']);
  go('bob');
  await pass(5_000);
  expect(told.slice(2)).toEqual(['2 bob presence.changed false']);
  go('bob', 1);
  await pass(5_000);
  expect(told.slice(3)).toEqual(['1 bob presence.changed false']);
});

test('[PRES4] consultations that nobody watches cost nothing and are forgotten', async () => {
  const { told, watch, unwatch, come } = presenceOf();
  come('ann');
  expect(told).toEqual([]);
  watch(view(1, 'ann', 'bob'));
  unwatch(1);
  await pass(60_000);
  come('bob');
  expect(told).toEqual([]);
  expect(watch(view(1, 'ann', 'bob'))).toEqual(['ann', 'bob']);
});

test('[PRES5] who is drawn in is told of from then on, and who left is not', async () => {
  const { presence, told, watch, come, go } = presenceOf();
  come('ann');
  watch(view(1, 'ann', 'bob'));
  come('rita');
  expect(told).toEqual([]);
  const change = (before: string[], after: string[]) =>
    presence.handleChange({
      before: state(1, ...before),
      after: state(1, ...after),
      entries: [],
      effects: [],
    });
  change(['ann', 'bob'], ['ann', 'bob', 'rita']);
  expect(told).toEqual(['1 rita presence.changed true']);
  change(['ann', 'bob', 'rita'], ['ann', 'bob']);
  go('rita');
  await pass(5_000);
  expect(told).toHaveLength(1);
});

test('[PRES6] typing is told to the others: changes at once, repetitions once a second, the end always', async () => {
  const { told, watch, type } = presenceOf();
  watch(view(1, 'ann', 'bob'));
  type('ann', 1, 'none');
  type('ann', 1, 'typing');
  type('ann', 1, 'typing');
  await pass(1_000);
  type('ann', 1, 'typing');
  type('ann', 1, 'recording');
  type('ann', 1, 'none');
  type('ann', 1, 'none');
  expect(told).toEqual([
    '1 ann typing.changed typing',
    '1 ann typing.changed typing',
    '1 ann typing.changed recording',
    '1 ann typing.changed none',
  ]);
});

test('[PRES6] a client that flickers is passed on a few times a second, and never left typing', async () => {
  const { told, watch, type } = presenceOf();
  watch(view(1, 'ann', 'bob'));
  for (let count = 0; count < 100; count++) type('ann', 1, count % 2 === 0 ? 'typing' : 'none');
  expect(told.length).toBeLessThanOrEqual(8);
  expect(told.at(-1)).toBe('1 ann typing.changed none');
  await pass(1_000);
  type('ann', 1, 'typing');
  expect(told.at(-1)).toBe('1 ann typing.changed typing');
});

test('[PRES7] what a lost device was typing is over, and what another one types goes on', async () => {
  const { told, watch, come, go, type } = presenceOf();
  come('ann');
  watch(view(1, 'ann', 'bob'));
  watch(view(2, 'ann', 'bob'));
  type('ann', 1, 'typing', 'device-0001');
  type('ann', 2, 'typing', 'device-0002');
  told.length = 0;
  go('ann', null, 'device-0001');
  expect(told).toEqual(['1 ann typing.changed none']);
});

test('[PRES7] typing that was not renewed begins anew after six seconds', async () => {
  const { told, watch, type } = presenceOf();
  watch(view(1, 'ann', 'bob'));
  type('ann', 1, 'typing');
  await pass(6_000);
  type('ann', 1, 'none');
  type('ann', 1, 'typing');
  expect(told).toEqual(['1 ann typing.changed typing', '1 ann typing.changed typing']);
});

test('[PRES8] ten thousand devices that come back at once are told of without anything being read, in a moment', async () => {
  const { told, watch, come } = presenceOf();
  for (let number = 1; number <= 5_000; number++)
    watch(view(number, `patient-${number}`, `doctor-${number % 50}`));
  const startedAt = process.hrtime.bigint();
  for (let number = 1; number <= 5_000; number++) come(`patient-${number}`);
  for (let number = 0; number < 50; number++)
    for (let again = 0; again < 100; again++) come(`doctor-${number}`);
  expect(Number(process.hrtime.bigint() - startedAt) / 1e6).toBeLessThan(2_000);
  expect(told).toHaveLength(10_000);
});

test('[PRES9] after the close no timer is left', async () => {
  const { presence, told, watch, come, go } = presenceOf();
  come('bob');
  watch(view(1, 'ann', 'bob'));
  go('bob');
  presence.close();
  presence.close();
  await pass(10_000);
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
