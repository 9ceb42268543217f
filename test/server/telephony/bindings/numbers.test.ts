import { AppError } from '@teleconsult/protocol';
import { isPhoneNumber, lineOf, normalise } from '@teleconsult/server/telephony/numbers';
import { expect, test } from 'vitest';

const why = (text: string): string | undefined => {
  try {
    normalise(text, 'CN');
  } catch (error) {
    if (error instanceof AppError && error.code === 'INVALID' && error.cause === undefined)
      return error.detail;
  }
  return undefined;
};

test('[PHB70] numbers as people write them become E.164, in the region where they are', () => {
  for (const text of [
    '13800001111',
    '+86 138 0000 1111',
    '138-0000-1111',
    '0086 13800001111',
    '１３８００００１１１１',
  ])
    expect(normalise(text, 'CN')).toBe('+8613800001111');
  expect(normalise('010-88888888', 'CN')).toBe('+861088888888');
  expect(normalise('0151 12345678', 'DE')).toBe('+4915112345678');
  expect(isPhoneNumber('+8613800001111')).toBe(true);
  for (const text of ['8613800001111', '+0123456789', '+86138', '+86 13800001111', '+86138000011112345'])
    expect(isPhoneNumber(text)).toBe(false);
});

test('[PHB70] what is no number is refused with a reason that does not repeat it', () => {
  const wrong = [
    '110',
    'abc',
    '',
    '+999123',
    '13800001111 ext 5',
    'tel:13800001111',
    '1'.repeat(65),
    '12345678901',
  ];
  const extreme = ['+8613800001111x', '138000011112222222222'];
  for (const text of [...wrong, ...extreme]) {
    expect(why(text), text).toMatch(/^number: (it|its|there) /);
    if (text.length > 3) expect(why(text)).not.toContain(text.slice(0, 4));
  }
});

test('[PHB71] the kind of line is known where the numbering plan says it, and unknown elsewhere', () => {
  const line = (text: string) => lineOf(normalise(text, 'CN'));
  expect([line('13800001111'), line('010-88888888'), line('+19005551234')]).toEqual([
    'MOBILE',
    'FIXED_LINE',
    'PREMIUM_RATE',
  ]);
});
