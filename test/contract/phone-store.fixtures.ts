import { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneLimits } from '@teleconsult/server/telephony/bindings/settings';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import type {
  CountedCall,
  NewBinding,
  PairHashes,
  PhoneStore,
  StoredRelay,
} from '@teleconsult/server/telephony/bindings/store';
import { expect } from 'vitest';
import { consultationId, person, sealed } from './store.fixtures.ts';

export interface PhoneStoreUnderTest extends AsyncDisposable {
  readonly phone: PhoneStore;
}

export const DAY = 24 * 3_600_000;
export const NOW = 1_000 * DAY;

const numbered = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;
export const bindingId = (number: number) => PhoneBindingId.parse(numbered('pbd', number));
export const phoneCallId = (number: number) => PhoneCallId.parse(numbered('pcl', number));

export const relay = (name: string): StoredRelay => ({
  xHash: name,
  provider: 'sip',
  sealed: sealed(`relay ${name}`),
});

/** Two people, told apart by their names. */
export const pair = (a: string, b: string): PairHashes => ({
  a: `hash-${a}`,
  b: `hash-${b}`,
  pair: `pair-${[a, b].toSorted().join('-')}`,
});

/** The binding of this number in the consultation of this number, between two people. */
export const newBinding = (
  number: number,
  a: string,
  b: string,
  change: Partial<NewBinding> = {},
): NewBinding => ({
  bindingId: bindingId(number),
  consultationId: consultationId(number),
  clientBindingId: `client-${number}`,
  createdBy: person(a),
  people: { a: person(a), b: person(b) },
  direction: 'both',
  recorded: false,
  provider: 'sip',
  createdAt: NOW,
  expiresAt: NOW + DAY,
  sealed: sealed(`numbers of ${a} and ${b}`),
  hashes: pair(a, b),
  fromPool: true,
  pairsPerRelay: 1,
  restsSince: NOW - 90 * DAY,
  atMost: 20,
  countedSince: NOW - DAY,
  ...change,
});

export const LIMITS: PhoneLimits = DEFAULT_PHONE_SETTINGS.limits;

/** The call of this number through the binding of that number. */
export const newCall = (number: number, binding: number, change: Partial<CountedCall> = {}): CountedCall => ({
  phoneCallId: phoneCallId(number),
  provider: 'sip',
  callRef: `ref-${number}`,
  bindingId: bindingId(binding),
  caller: 'b',
  at: NOW,
  deadlineAt: NOW + 60_000,
  maxTalkMs: 3_600_000,
  revision: 1,
  limits: LIMITS,
  countedSince: NOW - DAY,
  news: {
    by: null,
    at: NOW,
    fact: { type: 'phone.callStarted', bindingId: bindingId(binding), phoneCallId: phoneCallId(number) },
  },
  ...change,
});

export const endedNews = (number: number, talkMs: number) =>
  ({
    by: null,
    at: NOW,
    fact: { type: 'phone.callEnded', phoneCallId: phoneCallId(number), reason: 'completed', talkMs },
  }) as const;

export const boundNews = (number: number) =>
  ({
    by: null,
    at: NOW,
    fact: { type: 'phone.bound', bindingId: bindingId(number), expiresAt: NOW + DAY },
  }) as const;
export const unboundNews = (number: number, at = NOW) =>
  ({
    by: null,
    at,
    fact: { type: 'phone.unbound', bindingId: bindingId(number), reason: 'released' },
  }) as const;

/** Its provider has it. */
export const bind = async ({ bindings }: PhoneStore, number: number): Promise<void> => {
  const marked = await bindings.markBound({
    bindingId: bindingId(number),
    revision: 1,
    ref: `ref-of-${number}`,
    chosen: null,
    news: boundNews(number),
  });
  expect(marked).toBe('bound');
};
/** It was given back, and its provider knows. */
export const release = async ({ bindings }: PhoneStore, number: number, at = NOW): Promise<void> => {
  await bindings.beginUnbinding(bindingId(number), 'released', unboundNews(number, at));
  await bindings.markUnbound(bindingId(number), at);
};
