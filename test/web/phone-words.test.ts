import type { PhoneBoard } from '@teleconsult/client-sdk/phone';
import { ConsultationId, PersonId, PhoneCallId, PhoneNotRecordedReason } from '@teleconsult/protocol';
import { expect, it } from 'vitest';
import { phone as english } from '../../web/i18n/en/phone.ts';
import { phone as chinese } from '../../web/i18n/zh-cn/phone.ts';
import { phoneStanding } from '../../web/state/phone-standing.ts';
import { standingNews } from '../../web/state/phone-standing-news.ts';
import { type PhoneEntry, phoneNewsAloud, phoneStory } from '../../web/state/phone-story.ts';
import { doctor, minted, patient } from '../client-sdk/helpers/samples.ts';
import { binding, board, phoneCall } from '../client-sdk/phone/samples.ts';

const standing = (of: PhoneBoard, self = patient) => phoneStanding({ board: of, self, other: doctor });

it('[WEB185] a number between two others is theirs, whatever its state', () => {
  const third = PersonId.parse('third-1');
  for (const state of ['binding', 'bound', 'unbinding'] as const)
    expect(standing(board({ bindings: [binding({ state, number: null })] }), third)).toEqual({
      is: 'ofOthers',
      people: [doctor, patient],
    });
  expect(
    standing(board({ bindings: [binding({ state: 'unbound' })], reachable: [third, doctor] }), third).is,
  ).toBe('none');
});

it('[WEB181] each change of the number is said once, how it is at first is not, and what is over is said no more', () => {
  const binds = standing(board({ bindings: [binding({ state: 'binding', number: null })] }));
  const bound = standing(board({ bindings: [binding()] }));
  const ends = standing(board({ bindings: [binding({ state: 'unbinding', number: null })] }));
  const last = binding({ state: 'unbound', number: null, unboundReason: 'expired' });
  const ended = standing(board({ bindings: [last] }));
  expect(standingNews(null, bound)).toBe(null);
  expect(standingNews(bound, standing(board({ bindings: [binding()] })))).toBe(null);
  expect(standingNews(binds, bound)).toBe('The phone number of this visit is +86 170 0000 3333.');
  expect(standingNews(bound, ends)).toBe('The number is being given back…');
  expect(standingNews(binds, ends)).toBe('The number is being given back…');
  expect(standingNews(ends, ended)).toBe('The time of the number is over.');
  expect(standingNews(bound, standing(board({ refused: [{ personId: doctor, since: 1 }] })))).toBe('');
});

it('[WEB189] the end of a call that was to be recorded and is not, or not whole, says so, seen and spoken', () => {
  const { phoneCallId } = phoneCall();
  const consultationId = ConsultationId.parse(minted('cns'));
  const ended = (talkMs: number, notRecorded?: PhoneNotRecordedReason): PhoneEntry => ({
    consultationId,
    sequence: 2,
    at: 1,
    by: null,
    kind: 'phone.callEnded',
    phoneCallId: PhoneCallId.parse(phoneCallId),
    reason: 'completed',
    talkMs,
    ...(notRecorded === undefined ? {} : { notRecorded }),
  });
  const reader = { visit: { entries: [] }, isSelf: () => false, nameOf: () => 'Anna' };
  expect(phoneStory(ended(41_000, 'no_tape'), reader)).toMatch(
    /^Phone call from Somebody: 41\s?secs?\. It was not recorded: the server could not keep a recording$/,
  );
  expect(phoneNewsAloud(ended(41_000, 'not_told'), reader)).toContain('did not hear the notice');
  expect(phoneStory(ended(41_000), reader)).not.toContain('record');
  // Nobody talked: there is nothing to miss.
  expect(phoneStory(ended(0, 'no_tape'), reader)).not.toContain('record');
  for (const { line } of [english, chinese]) {
    const said = PhoneNotRecordedReason.options.map((reason) => line.notRecorded[reason]('A'));
    expect(new Set(said).size).toBe(PhoneNotRecordedReason.options.length);
    expect(said.every((text) => text.startsWith('A'))).toBe(true);
  }
});
