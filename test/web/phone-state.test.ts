import type { PhoneBoard } from '@teleconsult/client-sdk/phone';
import {
  ConsultationId,
  type Entry,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneUnboundReason,
} from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { phone as english } from '../../web/i18n/en/phone.ts';
import { phone as chinese } from '../../web/i18n/zh-cn/phone.ts';
import { phoneNumber } from '../../web/state/phone-number.ts';
import { phonePart } from '../../web/state/phone-seat.ts';
import { canBeRung, phoneStanding, whoCalls } from '../../web/state/phone-standing.ts';
import { type PhoneEntry, phoneNewsAloud, phoneStory } from '../../web/state/phone-story.ts';
import { doctor, minted, patient } from '../client-sdk/helpers/samples.ts';
import { binding, board, phoneCall } from '../client-sdk/phone/samples.ts';

describe('what the dialog of masked calls shows', () => {
  const standing = (of: PhoneBoard) => phoneStanding({ board: of, self: patient, other: doctor });
  const refused = [{ personId: doctor, since: 5 }];

  it('[WEB160] a number that there is comes before all that stands in the way of a new one', () => {
    const bound = binding();
    const former = binding({ state: 'unbound', number: null, unboundReason: 'expired' });
    expect(standing(board({ available: false, bindings: [bound] }))).toEqual({ is: 'unavailable' });
    expect(standing(board({ bindings: [former, bound], reachable: [], refused }))).toEqual({
      is: 'bound',
      binding: bound,
      number: bound.number,
    });
    for (const state of ['binding', 'unbinding'] as const)
      expect(standing(board({ bindings: [binding({ state })] })).is).toBe('working');
    // Bound, but nobody has said which: not to be called yet.
    expect(standing(board({ bindings: [binding({ number: null })] })).is).toBe('working');
  });

  it('[WEB160] without one it says what stands in the way, a refusal first', () => {
    expect(standing(board({ refused, reachable: [] }))).toEqual({ is: 'refused', by: refused });
    expect(standing(board({ reachable: [doctor] }))).toEqual({ is: 'unreachable', who: 'self' });
    expect(standing(board({ reachable: [patient] }))).toEqual({ is: 'unreachable', who: 'other' });
    const last = binding({ state: 'unbound', number: null, unboundReason: 'released' });
    expect(standing(board({ bindings: [last] }))).toEqual({ is: 'none', last });
    expect(standing(board())).toEqual({ is: 'none', last: null });
  });

  it('[WEB160] each of the two reads a one-way number from their own side', () => {
    const directions = ['both', 'doctor_calls', 'patient_calls'] as const;
    expect(directions.map((direction) => whoCalls({ direction }, true))).toEqual(['both', 'self', 'other']);
    expect(directions.map((direction) => whoCalls({ direction }, false))).toEqual(['both', 'other', 'self']);
  });

  it('[WEB161] a number is read in groups after its country code', () => {
    expect(phoneNumber('+8617000003333')).toBe('+86 170 0000 3333');
    expect(phoneNumber('+14155550100')).toBe('+1 415 555 0100');
    expect(phoneNumber('+85221234567')).toBe('+852 2123 4567');
    expect(phoneNumber('+4915112345678')).toBe('+49 151 1234 5678');
    expect(phoneNumber('+4412345678')).toBe('+44 1234 5678');
  });

  it('[WEB165] only a telephone that is known and wanted is offered for a call', () => {
    expect(canBeRung(board(), doctor)).toBe(true);
    expect(canBeRung(null, doctor)).toBe(false);
    expect(canBeRung(board({ available: false }), doctor)).toBe(false);
    expect(canBeRung(board({ reachable: [patient] }), doctor)).toBe(false);
    expect(canBeRung(board({ refused }), doctor)).toBe(false);
    expect(canBeRung(board({ refused }), patient)).toBe(true);
  });

  it('[WEB166] a telephone rings while its person is invited, and has the seat from then on', () => {
    expect(phonePart({ phone: false, state: 'invited' })).toBe('none');
    expect(phonePart({ phone: true, state: 'invited' })).toBe('rings');
    for (const state of ['connecting', 'present', 'reconnecting'] as const)
      expect(phonePart({ phone: true, state })).toBe('holds');
    expect(phonePart({ phone: true, state: 'left' })).toBe('none');
  });
});

describe('masked calls in the thread', () => {
  const consultationId = ConsultationId.parse(minted('cns'));
  const bindingId = PhoneBindingId.parse(binding().bindingId);
  const phoneCallId = PhoneCallId.parse(phoneCall().phoneCallId);
  const base = { consultationId, sequence: 1, at: 1, by: null };
  const started: PhoneEntry = { ...base, by: patient, kind: 'phone.callStarted', bindingId, phoneCallId };
  const ended = (reason: PhoneCallEndReason, talkMs = 192_000): PhoneEntry => ({
    ...base,
    kind: 'phone.callEnded',
    phoneCallId,
    reason,
    talkMs,
  });
  const reader = (self: typeof patient, entries: readonly Entry[] = [started]) => ({
    visit: { entries },
    isSelf: (personId: typeof patient | null) => personId === self,
    nameOf: (personId: typeof patient | null) => (personId === patient ? 'Anna' : 'Dr Li'),
  });

  it('[WEB162] the end of a call says who called, whether it was answered, and how long they talked', () => {
    expect(phoneStory(ended('completed'), reader(doctor))).toMatch(/^Phone call from Anna: 3\s?mins? 12/);
    expect(phoneStory(ended('completed'), reader(patient))).toMatch(/^Your phone call: 3/);
    expect(phoneStory(ended('no_answer', 0), reader(doctor))).toBe('Anna phoned: nobody answered');
    expect(phoneStory(ended('no_answer', 0), reader(doctor, []))).toBe('Somebody phoned: nobody answered');
  });

  it('[WEB162] nobody is said to have talked who did not', () => {
    for (const reason of PhoneCallEndReason.options)
      for (const self of [patient, doctor])
        expect(phoneStory(ended(reason, 0), reader(self)), reason).not.toMatch(/\d/);
  });

  it('[WEB162] every reason has words in both languages', () => {
    for (const { line, unbound } of [english, chinese]) {
      const reasons = PhoneCallEndReason.options;
      expect(reasons.map((reason) => line.ended[reason]('A', 'B').trim())).not.toContain('');
      expect(reasons.map((reason) => line.youEnded[reason]('B').trim())).not.toContain('');
      for (const reason of PhoneUnboundReason.options)
        expect([line.unbound[reason], unbound[reason]]).not.toContain('');
    }
  });

  it('[WEB163] what others did is said aloud, and the end of every call', () => {
    expect(phoneNewsAloud(started, reader(doctor))).toBe('Anna is phoning.');
    expect(phoneNewsAloud(started, reader(patient))).toBe(null);
    expect(phoneNewsAloud({ ...ended('busy', 0), by: patient }, reader(patient))).toBe(
      'You phoned: the line was busy',
    );
    const refusal: PhoneEntry = {
      ...base,
      by: patient,
      kind: 'phone.refused',
      personId: patient,
      refused: true,
    };
    expect(phoneNewsAloud(refusal, reader(patient))).toBe(null);
    expect(phoneNewsAloud(refusal, reader(doctor))).toBe('Anna does not want to be phoned.');
    const unbound: PhoneEntry = { ...base, kind: 'phone.unbound', bindingId, reason: 'consultation_ended' };
    expect(phoneNewsAloud(unbound, reader(patient))).toBe('The phone number of this visit ended with it.');
  });
});
