import { errorCatalogue } from '@teleconsult/protocol/errors';
import { afterEach, describe, expect, it } from 'vitest';
import { en } from '../../web/i18n/en.ts';
import { ago, byteSize, clock, day, duration } from '../../web/i18n/format.ts';
import { languageOf, messages } from '../../web/i18n/language.ts';
import { zhCn } from '../../web/i18n/zh-cn.ts';
import { initials } from '../../web/state/initials.ts';

const NOW = new Date(2026, 2, 10, 12).getTime();

/** Every text of a dictionary by its path; functions are called with plain values. */
function texts(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') return [[path, String(node(1, 2))]];
  return Object.entries(node as object).flatMap(([key, value]) => texts(value, `${path}.${key}`));
}

describe('the words of the pages', () => {
  it('[WEB7] no text is empty, and both languages have the same', () => {
    const [english, chinese] = [texts(en), texts(zhCn)];
    for (const [path, text] of [...english, ...chinese]) expect(text.trim(), path).not.toBe('');
    expect(chinese.map(([path]) => path)).toEqual(english.map(([path]) => path));
  });

  it('[WEB7] the Chinese texts are Chinese', () => {
    const exceptions = new Set(['.otherLanguage', '.voice.positionOf', '.call.incomingTitle']);
    for (const [path, text] of texts(zhCn))
      if (!exceptions.has(path)) expect(text, path).toMatch(/\p{Script=Han}|：/u);
  });

  it('[WEB7] every error of the catalogue has words for the person in front of the page', () => {
    for (const dictionary of [en, zhCn])
      expect(Object.keys(dictionary.errors).sort()).toEqual(Object.keys(errorCatalogue).sort());
  });

  it('[WEB7] all Chinese is read in Simplified Chinese, every other language in English', () => {
    expect(['zh', 'zh-CN', 'zh-Hant-TW', 'ZH-HK'].map(languageOf)).toEqual(Array(4).fill('zh-CN'));
    expect(['en-GB', 'de', 'za', ''].map(languageOf)).toEqual(Array(4).fill('en'));
  });
});

describe('times and sizes', () => {
  afterEach(() => expect(messages()).toBe(en));

  it('[WEB7] a running clock shows hours only when there are any', () => {
    expect([0, 7_400, 750_000, 3_750_000, -5].map(clock)).toEqual([
      '0:00',
      '0:07',
      '12:30',
      '1:02:30',
      '0:00',
    ]);
  });

  it('[WEB7] a length is said in the units that matter', () => {
    expect(duration(400)).toMatch(/^0\s?sec/);
    expect(duration(192_000)).toMatch(/^3\s?mins? 12\s?secs?$/);
    expect(duration(3_750_000)).toMatch(/^1\s?hr 2\s?mins?$/);
  });

  it('[WEB7] days are counted by the calendar, not by 24 hours', () => {
    const lastNight = new Date(2026, 2, 9, 23, 59).getTime();
    expect(day(NOW, NOW)).toBe('Today');
    expect(day(lastNight, new Date(2026, 2, 10, 0, 1).getTime())).toBe('Yesterday');
    expect(day(new Date(2025, 2, 9).getTime(), NOW)).toContain('2025');
    expect(day(new Date(2026, 1, 9).getTime(), NOW)).not.toContain('2026');
  });

  it('[WEB7] what is ago is said in the largest fitting unit', () => {
    expect(ago(NOW + 5_000, NOW)).toBe('now');
    expect(ago(NOW - 5 * 60_000, NOW)).toBe('5 minutes ago');
    expect(ago(NOW - 3 * 3_600_000, NOW)).toBe('3 hours ago');
    expect(ago(NOW - 13 * 3_600_000, NOW)).toBe('yesterday');
  });

  it('[WEB7] sizes are in binary steps', () => {
    expect(byteSize(820)).toMatch(/^820\s?byte/);
    expect(byteSize(2.4 * 1024 * 1024)).toBe('2.4 MB');
    expect(byteSize(25 * 1024 * 1024)).toBe('25 MB');
  });

  it('[WEB7] initials are the family name in Chinese and two letters elsewhere', () => {
    expect(['李医生', 'Dr Wei Li', 'Anna Maria Lindqvist', 'Zoë', ''].map(initials)).toEqual([
      '李',
      'WL',
      'AL',
      'Z',
      '',
    ]);
  });
});
