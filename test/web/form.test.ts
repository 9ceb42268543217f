import { ConsultationFormDraft } from '@teleconsult/protocol';
import { MAX_FORM_ATTACHMENTS } from '@teleconsult/protocol/limits';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_ANSWERS,
  type FormAnswers,
  formDraft,
  MAX_LENGTH,
  problemsOf,
  progressOf,
  symptomsOf,
} from '../../web/state/form-answers.ts';

const answers = (change: Partial<FormAnswers>): FormAnswers => ({
  ...EMPTY_ANSWERS,
  chiefComplaint: 'rash',
  ...change,
});
const reasons = (change: Partial<FormAnswers>) =>
  problemsOf(answers(change)).map(({ question, reason }) => `${question} ${reason}`);
const picture = (id: number) => ({
  id: String(id),
  purpose: 'tongue' as const,
  data: new Blob(['x'], { type: 'image/jpeg' }),
  fileName: 'a.jpg',
});

describe('the consultation form', () => {
  it('[WEB15] needs the complaint alone; everything else may be left out', () => {
    expect(problemsOf(EMPTY_ANSWERS)).toEqual([{ question: 'chiefComplaint', reason: 'required' }]);
    expect(reasons({})).toEqual([]);
    expect(formDraft(answers({}))).toEqual({
      type: 'form',
      form: { chiefComplaint: 'rash' },
      attachments: [],
    });
  });

  it('[WEB15] says what is wrong before anything is sent', () => {
    for (const duration of ['0', '1000', '1.5', '-3', 'three', '3e2'])
      expect(reasons({ durationValue: duration }), duration).toEqual(['durationValue duration']);
    for (const degrees of ['29.9', '45.1', 'hot', '1e99'])
      expect(reasons({ temperature: degrees }), degrees).toEqual(['temperature temperature']);
    expect(reasons({ history: 'x'.repeat(MAX_LENGTH.history + 1) })).toEqual(['history tooLong']);
    expect(reasons({ symptoms: 'x'.repeat(101) })).toEqual(['symptoms symptomLong']);
    expect(reasons({ symptoms: Array.from({ length: 21 }, (_, index) => index).join(',') })).toEqual([
      'symptoms symptomsMany',
    ]);
    const pictures = Array.from({ length: MAX_FORM_ATTACHMENTS + 1 }, (_, index) => picture(index));
    expect(reasons({ pictures })).toEqual(['pictures attachmentsMany']);
  });

  it('[WEB15] numbers are read as people write them', () => {
    const { form } = formDraft(answers({ durationValue: ' ３ ', temperature: '38,5 °C' }));
    expect(form).toMatchObject({ duration: { value: 3, unit: 'days' }, temperatureCelsius: 38.5 });
    expect(symptomsOf('咳嗽，头痛、 cough; cough\n')).toEqual(['咳嗽', '头痛', 'cough']);
  });

  it('[WEB15] what passes here passes the protocol, at every limit', () => {
    const full = answers({
      chiefComplaint: 'x'.repeat(MAX_LENGTH.chiefComplaint),
      durationValue: '999',
      durationUnit: 'years',
      symptoms: Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(100, 'y')).join('，'),
      history: 'x'.repeat(MAX_LENGTH.history),
      medications: 'x'.repeat(MAX_LENGTH.medications),
      allergies: 'x'.repeat(MAX_LENGTH.allergies),
      pregnancy: 'unknown',
      temperature: '45',
    });
    expect(problemsOf(full)).toEqual([]);
    expect(ConsultationFormDraft.safeParse(formDraft(full).form).success).toBe(true);
    expect(progressOf({ ...full, pictures: [picture(1)] })).toEqual({ done: 9, all: 9 });
  });

  it('[WEB15] pictures go without a name, documents with theirs', () => {
    const document = {
      ...picture(2),
      data: new Blob(['x'], { type: 'application/pdf' }),
      fileName: 'report.pdf',
    };
    const { attachments } = formDraft(answers({ pictures: [picture(1), document] }));
    expect(attachments.map(({ fileName }) => fileName)).toEqual([undefined, 'report.pdf']);
  });
});
