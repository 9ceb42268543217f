import type { OutgoingDraft } from '@teleconsult/client-sdk/api';
import type { FormAttachmentPurpose } from '@teleconsult/protocol';
import { MAX_FORM_ATTACHMENTS } from '@teleconsult/protocol/limits';

type FormDraft = Extract<OutgoingDraft, { type: 'form' }>;
type Fields = FormDraft['form'];
type Unit = NonNullable<Fields['duration']>['unit'];

/** The lengths of protocol/form.ts, in characters. */
export const MAX_LENGTH = {
  chiefComplaint: 2_000,
  history: 2_000,
  medications: 1_000,
  allergies: 1_000,
} as const;
export const MAX_SYMPTOMS = 20;
export const MAX_SYMPTOM_LENGTH = 100;

export interface FormPicture {
  readonly id: string;
  readonly purpose: FormAttachmentPurpose;
  readonly data: Blob;
  readonly fileName: string;
}

/** The form as it is written: texts as typed, checked only when it is sent. */
export interface FormAnswers {
  readonly chiefComplaint: string;
  readonly durationValue: string;
  readonly durationUnit: Unit;
  readonly symptoms: string;
  readonly history: string;
  readonly medications: string;
  readonly allergies: string;
  readonly pregnancy: NonNullable<Fields['pregnancy']> | '';
  readonly temperature: string;
  readonly pictures: readonly FormPicture[];
}

export const EMPTY_ANSWERS: FormAnswers = {
  chiefComplaint: '',
  durationValue: '',
  durationUnit: 'days',
  symptoms: '',
  history: '',
  medications: '',
  allergies: '',
  pregnancy: '',
  temperature: '',
  pictures: [],
};

export type Question = Exclude<keyof FormAnswers, 'durationUnit'>;

export type FormProblem =
  | { readonly question: 'chiefComplaint'; readonly reason: 'required' }
  | { readonly question: keyof typeof MAX_LENGTH; readonly reason: 'tooLong' }
  | { readonly question: 'durationValue'; readonly reason: 'duration' }
  | { readonly question: 'temperature'; readonly reason: 'temperature' }
  | { readonly question: 'symptoms'; readonly reason: 'symptomsMany' | 'symptomLong' }
  | { readonly question: 'pictures'; readonly reason: 'attachmentsMany' };

/** Chinese and Western commas, semicolons and new lines part symptoms; the same one twice is one. */
export const symptomsOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(/[,，、;；\n]/)
      .map((symptom) => symptom.trim())
      .filter((symptom) => symptom !== ''),
  ),
];

/** A number as people write it: with a comma, in wide digits, with the unit behind it. */
function numberOf(text: string): number {
  const plain = text
    .normalize('NFKC')
    .trim()
    .replace(',', '.')
    .replace(/\s*(°\s*c|℃|度)$/i, '');
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}

/** What has to be corrected before the form can be sent, in the order of the questions. */
export function problemsOf(answers: FormAnswers): readonly FormProblem[] {
  const problems: FormProblem[] = [];
  if (answers.chiefComplaint.trim() === '') problems.push({ question: 'chiefComplaint', reason: 'required' });
  const tooLong = (question: keyof typeof MAX_LENGTH): void => {
    if (answers[question].trim().length > MAX_LENGTH[question])
      problems.push({ question, reason: 'tooLong' });
  };
  tooLong('chiefComplaint');
  const lasts = numberOf(answers.durationValue);
  if (answers.durationValue.trim() !== '' && !(Number.isInteger(lasts) && lasts >= 1 && lasts <= 999))
    problems.push({ question: 'durationValue', reason: 'duration' });
  const symptoms = symptomsOf(answers.symptoms);
  if (symptoms.length > MAX_SYMPTOMS) problems.push({ question: 'symptoms', reason: 'symptomsMany' });
  if (symptoms.some(({ length }) => length > MAX_SYMPTOM_LENGTH))
    problems.push({ question: 'symptoms', reason: 'symptomLong' });
  const degrees = numberOf(answers.temperature);
  if (answers.temperature.trim() !== '' && !(degrees >= 30 && degrees <= 45))
    problems.push({ question: 'temperature', reason: 'temperature' });
  for (const question of ['history', 'medications', 'allergies'] as const) tooLong(question);
  if (answers.pictures.length > MAX_FORM_ATTACHMENTS)
    problems.push({ question: 'pictures', reason: 'attachmentsMany' });
  return problems;
}

/** What is sent. Ask `problemsOf` first. Left out is what was not answered. */
export function formDraft(answers: FormAnswers): FormDraft {
  const text = (value: string, key: 'history' | 'medications' | 'allergies'): Partial<Fields> =>
    value.trim() === '' ? {} : { [key]: value.trim() };
  const symptoms = symptomsOf(answers.symptoms);
  return {
    type: 'form',
    form: {
      chiefComplaint: answers.chiefComplaint.trim(),
      ...(answers.durationValue.trim() === ''
        ? {}
        : { duration: { value: numberOf(answers.durationValue), unit: answers.durationUnit } }),
      ...(symptoms.length === 0 ? {} : { symptoms: [...symptoms] }),
      ...text(answers.history, 'history'),
      ...text(answers.medications, 'medications'),
      ...text(answers.allergies, 'allergies'),
      ...(answers.pregnancy === '' ? {} : { pregnancy: answers.pregnancy }),
      ...(answers.temperature.trim() === '' ? {} : { temperatureCelsius: numberOf(answers.temperature) }),
    },
    attachments: answers.pictures.map(({ purpose, data, fileName }) =>
      isPicture(data) ? { purpose, data } : { purpose, data, fileName },
    ),
  };
}

/** SVG can carry scripts and is refused as a picture by the server; it goes as a file. */
export const isPicture = ({ type }: Blob): boolean => type.startsWith('image/') && type !== 'image/svg+xml';

const QUESTIONS: readonly Question[] = [
  'chiefComplaint',
  'durationValue',
  'symptoms',
  'temperature',
  'history',
  'medications',
  'allergies',
  'pregnancy',
  'pictures',
];

/** How much of the form is filled in. */
export const progressOf = (answers: FormAnswers): { done: number; all: number } => ({
  done: QUESTIONS.filter((question) => answers[question].length > 0).length,
  all: QUESTIONS.length,
});
