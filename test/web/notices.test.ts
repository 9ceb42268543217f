import { describe, expect, it } from 'vitest';
import * as pages from '../../web/state/push.ts';
import * as worker from '../../web/worker/names.ts';
import { noticeLanguage, noticeOf } from '../../web/worker/notices.ts';
import { parsePush } from '../../web/worker/push-payload.ts';

const consultationId = `cns_${'0'.repeat(22)}`;
const callId = `cal_${'0'.repeat(22)}`;
const NOW = 1_000_000;
const base = { v: 1, consultationId, at: NOW };
const shown = (payload: unknown, language: 'en' | 'zh-CN' = 'en') =>
  noticeOf(parsePush(payload), language, NOW);

describe('notices of the service worker', () => {
  it('[WEB21] a ring stays until it is answered, vibrates, and leads to the page', () => {
    const { title, options } = shown({
      ...base,
      kind: 'call.ringing',
      callId,
      media: 'video',
      until: NOW + 40_000,
    });
    expect(title).toBe('Incoming video call');
    expect(options).toMatchObject({
      requireInteraction: true,
      renotify: true,
      tag: `call-${callId}`,
      data: { consultationId },
    });
    expect(options.vibrate?.length).toBeGreaterThan(3);
    expect(options.actions?.map(({ action }) => action)).toEqual(['open']);
  });

  it('[WEB21] the end of a call takes the place of its ring: missed, or without a sound', () => {
    const over = (missed: boolean) => shown({ ...base, kind: 'call.over', callId, missed });
    expect(over(true)).toMatchObject({ title: 'Missed call', options: { tag: `call-${callId}` } });
    expect(over(true).options.requireInteraction).toBeUndefined();
    expect(over(false).options).toMatchObject({ tag: `call-${callId}`, silent: true });
  });

  it('[WEB21] a ring that comes too late is a missed call', () => {
    expect(shown({ ...base, kind: 'call.ringing', callId, media: 'voice', until: NOW }).title).toBe(
      'Missed call',
    );
  });

  it('[WEB21] every kind has words in both languages, and none of them an id', () => {
    const payloads = [
      { ...base, kind: 'message' },
      ...['requested', 'waiting', 'accepted', 'ended', 'invited'].map((what) => ({
        ...base,
        kind: 'consultation',
        what,
      })),
      { ...base, kind: 'call.over', callId, missed: true },
      { ...base, kind: 'call.ringing', callId, media: 'voice', until: NOW + 1 },
    ];
    for (const payload of payloads) {
      const [english, chinese] = [shown(payload), shown(payload, 'zh-CN')];
      expect(chinese.title).toMatch(/\p{Script=Han}/u);
      expect(english.title).toMatch(/^[A-Z]/);
      for (const { title, options } of [english, chinese])
        expect(`${title}${options.body}`).not.toMatch(/cns_|cal_/);
    }
    expect(['zh-CN', 'zh-Hant', 'en-GB', 'de'].map(noticeLanguage)).toEqual(['zh-CN', 'zh-CN', 'en', 'en']);
  });

  it('[WEB21] what the worker cannot read is told in general words and leads nowhere in particular', () => {
    for (const strange of [
      null,
      undefined,
      'text',
      { ...base, v: 2, kind: 'message' },
      { ...base, kind: 'call.ringing', callId: 'x', until: 1 },
      { ...base, kind: 'consultation', what: 'somethingNew' },
      { ...base, consultationId: '/../evil', kind: 'message' },
    ])
      expect(shown(strange).options.data.consultationId, JSON.stringify(strange)).toBeNull();
  });

  it('[WEB21] the page leaves the language where the worker looks for it', () => {
    expect([pages.SETTINGS_CACHE, pages.LANGUAGE_KEY, pages.REPLACED_KEY]).toEqual([
      worker.SETTINGS_CACHE,
      worker.LANGUAGE_KEY,
      worker.REPLACED_KEY,
    ]);
  });
});
