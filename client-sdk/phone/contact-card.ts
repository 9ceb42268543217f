import type { PhoneBindingView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { telLink } from './tel-link.ts';
import { type VcardProperty, vcard, vcardText } from './vcard.ts';

export type CardLanguage = 'zh' | 'en';
/** 4.0 is RFC 6350; 3.0 is RFC 2426, for older phones. */
export type CardVersion = '4.0' | '3.0';

export interface ContactCardOptions {
  /** Of its words; English unless said. */
  readonly language?: CardLanguage;
  /** 4.0 unless said. */
  readonly version?: CardVersion;
  /** For the time until which it is valid; the device's own unless said. */
  readonly timeZone?: string;
  /** When the card is written, in milliseconds since 1970; now unless said. A newer one replaces an older in contacts. */
  readonly now?: number;
}

export interface ContactCard {
  /** `text/vcard`, UTF-8. */
  readonly blob: Blob;
  /** What the blob holds. */
  readonly text: string;
  /** Such as `Clinic.vcf`, free of signs that a file system minds. */
  readonly fileName: string;
}

interface CardWords {
  /** Where the server gives no name of the clinic. */
  readonly clinic: string;
  readonly name: (label: string) => string;
  readonly note: (until: string) => string;
}

const WORDS: Readonly<Record<CardLanguage, CardWords>> = {
  en: {
    clinic: 'Clinic',
    name: (label) => `${label} – consultation phone`,
    note: (until) =>
      `Valid until ${until}. This number connects you with the other side of your consultation; neither of you sees the other’s own number. It may be given to somebody else afterwards: delete this contact then.`,
  },
  zh: {
    clinic: '医院',
    name: (label) => `${label}·问诊电话`,
    note: (until) =>
      `有效期至${until}。拨打此号码可联系本次问诊的对方，双方都看不到对方的真实号码。到期后号码可能分配给他人，请届时删除此联系人。`,
  },
};

const LOCALES: Readonly<Record<CardLanguage, string>> = { en: 'en-GB', zh: 'zh-CN' };
/** More than that and phones show nothing useful, and file systems refuse the name. */
const MAX_LABEL = 60;
/** Separators, what Windows reserves, controls, and signs that turn the direction of writing. */
const NOT_IN_FILE_NAMES = /[/\\:*?"<>|\p{Cc}\p{Cf}]/gu;

/** The relay number of a binding as a card. Only the clinic is named in it: no person, no reason for the visit. */
export function contactCard(
  binding: PhoneBindingView,
  label: string,
  options: ContactCardOptions = {},
): ContactCard {
  const { bindingId, number, expiresAt } = binding;
  if (number === null) throw new AppError('WRONG_STATE', { detail: 'the binding has no number' });
  const { language = 'en', version = '4.0', timeZone, now = Date.now() } = options;
  const words = WORDS[language];
  const clinic = Array.from(label.trim()).slice(0, MAX_LABEL).join('') || words.clinic;
  const until = new Intl.DateTimeFormat(LOCALES[language], {
    dateStyle: 'long',
    timeStyle: 'long',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(expiresAt);
  const facts = {
    name: vcardText(words.name(clinic)),
    clinic: vcardText(clinic),
    note: vcardText(words.note(until)),
    language,
    number,
    revised: timestamp(now),
    uid: vcardText(`teleconsult-${bindingId}`),
  };
  const text = vcard(version === '4.0' ? version4(facts) : version3(facts));
  const fileName = `${
    clinic
      .replaceAll(NOT_IN_FILE_NAMES, ' ')
      .replaceAll(/\s+/g, ' ')
      .replace(/^[\s.]+|[\s.]+$/g, '') || words.clinic
  }.vcf`;
  return { blob: new Blob([text], { type: 'text/vcard;charset=utf-8' }), text, fileName };
}

interface Facts {
  readonly name: string;
  readonly clinic: string;
  readonly note: string;
  readonly language: CardLanguage;
  readonly number: string;
  readonly revised: string;
  readonly uid: string;
}

function version4(facts: Facts): VcardProperty[] {
  return [
    { name: 'VERSION', value: '4.0' },
    { name: 'KIND', value: 'org' },
    // A text, as there is no registered URN for it (RFC 6350 §6.7.6).
    { name: 'UID;VALUE=text', value: facts.uid },
    { name: 'FN', value: facts.name },
    { name: 'ORG', value: facts.clinic },
    { name: 'TEL;VALUE=uri;TYPE=voice', value: telLink(facts.number) },
    { name: `NOTE;LANGUAGE=${facts.language}`, value: facts.note },
    { name: 'REV', value: facts.revised },
  ];
}

function version3(facts: Facts): VcardProperty[] {
  return [
    { name: 'VERSION', value: '3.0' },
    // Required here (RFC 2426 §3.1.2), though nobody's; the display name stands in place of a family name.
    { name: 'N', value: `${facts.name};;;;` },
    { name: 'FN', value: facts.name },
    { name: 'ORG', value: facts.clinic },
    { name: 'TEL;TYPE=VOICE', value: facts.number },
    { name: 'NOTE', value: facts.note },
    { name: 'REV', value: facts.revised },
    { name: 'UID', value: facts.uid },
    // Without it an iPhone files the card under a person.
    { name: 'X-ABShowAs', value: 'COMPANY' },
  ];
}

/** `20261122T190000Z` (RFC 6350 §4.3.5), which version 3.0 reads as well. */
const timestamp = (at: number): string => new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
