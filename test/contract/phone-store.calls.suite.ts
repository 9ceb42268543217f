/** What every adapter of the store of masked calls keeps of calls and news. */
import { describe, expect, test } from 'vitest';
import {
  bind,
  bindingId,
  DAY,
  endedNews,
  LIMITS,
  NOW,
  newBinding,
  newCall,
  type PhoneStoreUnderTest,
  phoneCallId,
  relay,
  release,
  unboundNews,
} from './phone-store.fixtures.ts';
import { consultationId, person } from './store.fixtures.ts';

export function phoneCallStoreContract(adapter: string, open: () => Promise<PhoneStoreUnderTest>): void {
  describe(`calls and news of the store of masked calls: ${adapter}`, () => {
    test('[PHB20] [P3] a thousand calls that begin at once are exactly as many as the limit allows', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays(
        'sip',
        Array.from({ length: 100 }, (_, index) => relay(`x${index}`)),
      );
      for (let number = 1; number <= 100; number += 1) {
        await phone.bindings.createBinding(newBinding(number, `doctor-${number}`, `patient-${number}`));
        await bind(phone, number);
      }
      const limits = { ...LIMITS, atOnce: 37, atOncePerPerson: 9 };
      const results = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          phone.calls.beginCall(newCall(index + 1, (index % 100) + 1, { limits })),
        ),
      );
      expect(results.filter((result) => result === 'begun')).toHaveLength(37);
      expect(await phone.calls.countRunning()).toBe(37);
      expect(results.filter((result) => result === 'limit')).toHaveLength(963);
    });

    test('[PHB21] each limit holds by itself: calls and minutes of binding, consultation, person and server', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await phone.bindings.createBinding(newBinding(2, 'ann', 'eve'));
      await bind(phone, 1);
      await bind(phone, 2);
      expect(await phone.calls.beginCall(newCall(1, 1))).toBe('begun');
      await phone.calls.endCall(phoneCallId(1), {
        at: NOW,
        end: 'completed',
        talkMs: 600_000,
        news: endedNews(1, 600_000),
      });
      const tried = async (binding: number, change: object) => {
        const result = await phone.calls.beginCall(newCall(2, binding, { limits: { ...LIMITS, ...change } }));
        return result;
      };
      const none = { calls: 1, talkMs: 9e9 };
      const noTime = { calls: 99, talkMs: 650_000 };
      for (const limit of [none, noTime]) {
        expect(await tried(1, { binding: limit })).toBe('limit');
        expect(await tried(1, { consultation: limit })).toBe('limit');
        expect(await tried(2, { person: limit })).toBe('limit');
        expect(await tried(2, { server: limit })).toBe('limit');
      }
      // What is left is worth a minute: so long it may last.
      expect(await tried(2, { person: { calls: 99, talkMs: 660_000 }, binding: none })).toBe('begun');
      expect(await phone.calls.call(phoneCallId(2))).toMatchObject({ maxTalkMs: 60_000, state: 'ringing' });
      // Ann talks; nobody else of hers may begin, and a day later all of it is forgotten.
      expect(await phone.calls.beginCall(newCall(3, 1))).toBe('busy');
      await phone.calls.endCall(phoneCallId(2), { at: NOW, end: 'busy', talkMs: 0, news: endedNews(2, 0) });
      const nextDay = newCall(3, 1, {
        countedSince: NOW,
        limits: { ...LIMITS, binding: none, person: none },
      });
      expect(await phone.calls.beginCall(nextDay)).toBe('begun');
    });

    test('[PHB22] no call begins through what is not bound, expired, refused or changed', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      expect(await phone.calls.beginCall(newCall(1, 1))).toBe('gone');
      await bind(phone, 1);
      expect(await phone.calls.beginCall(newCall(1, 1, { at: NOW + DAY }))).toBe('gone');
      expect(await phone.calls.beginCall(newCall(1, 1, { revision: 2 }))).toBe('gone');
      expect(await phone.calls.beginCall(newCall(1, 9))).toBe('gone');
      await phone.bindings.setRefused(consultationId(1), { personId: person('ann'), since: NOW }, true);
      expect(await phone.calls.beginCall(newCall(1, 1))).toBe('gone');
      await phone.bindings.setRefused(consultationId(1), { personId: person('ann'), since: NOW }, false);
      await phone.bindings.beginUnbinding(bindingId(1), 'released', unboundNews(1));
      expect(await phone.calls.beginCall(newCall(1, 1))).toBe('gone');
      expect(await phone.calls.countRunning()).toBe(0);
    });

    test('[PHB23] a call moves on only: answered once, ended once, and what comes late changes nothing but a lost talk', async () => {
      await using under = await open();
      const { phone } = under;
      const { calls } = phone;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await bind(phone, 1);
      expect(await calls.beginCall(newCall(1, 1))).toBe('begun');
      expect(await calls.beginCall({ ...newCall(2, 1), callRef: 'ref-1' })).toBe('exists');
      const answer = {
        at: NOW + 1,
        deadlineAt: NOW + 9,
        news: { by: null, at: NOW + 1, fact: { type: 'phone.callAnswered', phoneCallId: phoneCallId(1) } },
      } as const;
      expect(await calls.answerCall(phoneCallId(1), answer)).toBe(true);
      expect(await calls.answerCall(phoneCallId(1), answer)).toBe(false);
      expect(await calls.silent(NOW + 8, 10)).toEqual([]);
      expect(await calls.silent(NOW + 9, 10)).toHaveLength(1);
      const lost = { at: NOW + 9, end: 'lost', talkMs: 8, news: endedNews(1, 8) } as const;
      expect(await calls.endCall(phoneCallId(1), lost)).toBe(true);
      expect(await calls.endCall(phoneCallId(1), { ...lost, end: 'completed', talkMs: 70_000 })).toBe(false);
      expect(await calls.call(phoneCallId(1))).toMatchObject({ state: 'ended', end: 'lost', talkMs: 70_000 });
      expect(await calls.answerCall(phoneCallId(1), answer)).toBe(false);
      expect((await phone.news.untold(NOW, 10)).map(({ news }) => news.fact.type)).toEqual([
        'phone.bound',
        'phone.callStarted',
        'phone.callAnswered',
        'phone.callEnded',
      ]);
    });

    test('[PHB24] a call that a provider has connected is there once, of its own bindings alone, and counts', async () => {
      await using under = await open();
      const { phone } = under;
      const { calls } = phone;
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan', { fromPool: false }));
      await calls.reportCall({ ...newCall(1, 1), provider: 'other' });
      expect(await calls.callByRef('other', 'ref-1')).toBeNull();
      await calls.reportCall(newCall(1, 1));
      await calls.reportCall({ ...newCall(2, 1), callRef: 'ref-1' });
      await calls.reportCall(newCall(3, 1));
      expect(await calls.running('sip')).toHaveLength(2);
      expect(await phone.news.countUntold()).toBe(2);
      const limits = { ...LIMITS, binding: { calls: 1, talkMs: 9e9 } };
      expect(await calls.isOverLimit(bindingId(1), limits, NOW - DAY)).toBe(true);
      expect(await calls.isOverLimit(bindingId(1), LIMITS, NOW - DAY)).toBe(false);
    });

    test('[PHB30] news is told in order, and nothing overtakes what waits in its consultation', async () => {
      await using under = await open();
      const { phone } = under;
      const refuse = (number: number, name: string) =>
        phone.bindings.setRefused(consultationId(number), { personId: person(name), since: NOW }, true);
      await refuse(1, 'ann');
      await refuse(1, 'bob');
      await refuse(2, 'cleo');
      const [first] = await phone.news.untold(NOW, 10);
      await phone.news.tellLater(first?.newsId ?? 0, NOW + 5);
      await refuse(1, 'dan');
      expect((await phone.news.untold(NOW, 10)).map(({ consultationId: of }) => of)).toEqual([
        consultationId(2),
      ]);
      const later = await phone.news.untold(NOW + 5, 10);
      expect(later.map(({ tried }) => tried)).toEqual([true, false, false, false]);
      await phone.news.told(first?.newsId ?? 0);
      await phone.news.forgetNews(consultationId(2));
      expect(await phone.news.countUntold()).toBe(2);
    });

    test('[PHB99] why a call is not recorded is kept once, of a call that runs and was to be recorded', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan', { recorded: true }));
      await phone.bindings.createBinding(newBinding(2, 'bob', 'eve'));
      for (const number of [1, 2]) {
        await bind(phone, number);
        await phone.calls.beginCall(newCall(number, number));
      }
      expect(await phone.calls.call(phoneCallId(1))).toMatchObject({ recorded: true, notRecorded: null });
      expect(await phone.calls.markNotRecorded(phoneCallId(1), 'no_tape')).toBe(true);
      expect(await phone.calls.markNotRecorded(phoneCallId(1), 'tape_failed')).toBe(false);
      expect(await phone.calls.call(phoneCallId(1))).toMatchObject({
        recorded: true,
        notRecorded: 'no_tape',
      });
      expect(await phone.calls.markNotRecorded(phoneCallId(2), 'no_tape')).toBe(false);
      expect(await phone.calls.markNotRecorded(phoneCallId(9), 'no_tape')).toBe(false);
    });

    test('[PHB90] whether a refusal is told is known for each consultation', async () => {
      await using under = await open();
      const { phone } = under;
      const [one, other] = [consultationId(1), consultationId(2)];
      await phone.bindings.setRefused(one, { personId: person('ann'), since: NOW }, true);
      expect(await phone.news.hasUntoldRefusal(one)).toBe(true);
      expect(await phone.news.hasUntoldRefusal(other)).toBe(false);
      const [news] = await phone.news.untold(NOW, 1);
      await phone.news.told(news?.newsId ?? 0);
      expect(await phone.news.hasUntoldRefusal(one)).toBe(false);
    });

    test('[PHB31] what was over long ago is forgotten, and what is not over is kept however old', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await bind(phone, 1);
      await phone.calls.beginCall(newCall(1, 1));
      await phone.sweep({ calls: NOW + DAY, bindings: NOW + DAY, uses: NOW + DAY });
      expect(await phone.calls.countRunning()).toBe(1);
      await phone.calls.endCall(phoneCallId(1), {
        at: NOW,
        end: 'completed',
        talkMs: 1,
        news: endedNews(1, 1),
      });
      await release(phone, 1);
      await phone.sweep({ calls: NOW, bindings: NOW, uses: NOW });
      expect(await phone.bindings.binding(bindingId(1))).not.toBeNull();
      await phone.sweep({ calls: NOW + 1, bindings: NOW + 1, uses: NOW });
      expect(await phone.bindings.binding(bindingId(1))).toBeNull();
      expect(await phone.calls.call(phoneCallId(1))).toBeNull();
      expect(await phone.bindings.hadPlace('x1', 'hash-ann')).toBe(true);
      await phone.sweep({ calls: 0, bindings: 0, uses: NOW + 1 });
      expect(await phone.bindings.hadPlace('x1', 'hash-ann')).toBe(false);
    });
  });
}
