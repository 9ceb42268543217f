import { type PhoneBindingView, telLink } from '@teleconsult/client-sdk/phone';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContactCardOptions, contactCard } from '../../../client-sdk/phone/contact-card.ts';
import { vcard, vcardText } from '../../../client-sdk/phone/vcard.ts';
import { codeOf } from '../helpers/eventually.ts';
import { binding, RELAY } from './samples.ts';

const UTC = { timeZone: 'UTC', now: Date.UTC(2026, 10, 22, 9, 30, 0, 700) } as const;

/** As a reader of RFC 6350 takes a card apart: unfolds, then splits each line at its first colon. */
function read(text: string): Map<string, string> {
  expect(text.endsWith('\r\n')).toBe(true);
  const lines = text.slice(0, -2).replaceAll('\r\n ', '').split('\r\n');
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
}

const unescaped = (value: string): string =>
  value.replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));

const card = (label: string, options: ContactCardOptions = {}, of: PhoneBindingView = binding()) =>
  contactCard(of, label, { ...UTC, ...options });

describe('a contact card', () => {
  it('[PSD1] version 4.0 has the number as a link, the clinic, until when it is valid, and an id of its own', () => {
    const of = binding();
    const { text } = card('City Clinic', {}, of);
    expect(Object.fromEntries(read(text))).toEqual({
      BEGIN: 'VCARD',
      VERSION: '4.0',
      KIND: 'org',
      'UID;VALUE=text': `teleconsult-${of.bindingId}`,
      FN: 'City Clinic – consultation phone',
      ORG: 'City Clinic',
      'TEL;VALUE=uri;TYPE=voice': `tel:${RELAY}`,
      'NOTE;LANGUAGE=en': expect.stringContaining('Valid until 22 November 2026'),
      REV: '20261122T093000Z',
      END: 'VCARD',
    });
    // The version is the first thing after the beginning (RFC 6350 §6.7.9).
    expect(text.startsWith('BEGIN:VCARD\r\nVERSION:4.0\r\n')).toBe(true);
  });

  it('[PSD1] version 3.0 has the name that it requires, and the number as text', () => {
    const fields = read(card('City Clinic', { version: '3.0' }).text);
    expect(fields.get('VERSION')).toBe('3.0');
    expect(fields.get('N')).toBe('City Clinic – consultation phone;;;;');
    expect(fields.get('FN')).toBe('City Clinic – consultation phone');
    expect(fields.get('TEL;TYPE=VOICE')).toBe(RELAY);
    expect(fields.get('REV')).toBe('20261122T093000Z');
    expect(fields.get('NOTE')).toContain('Valid until');
    expect([...fields.keys()].filter((name) => /KIND|VALUE=uri/.test(name))).toEqual([]);
  });

  it('[PSD2] speaks the language that is asked for', () => {
    const fields = read(card('市第一医院', { language: 'zh' }).text);
    expect(fields.get('FN')).toBe('市第一医院·问诊电话');
    expect(fields.get('NOTE;LANGUAGE=zh')).toContain('有效期至2026年11月22日');
  });

  it('[PSD3] a label with signs of the format stays a label', () => {
    const label = 'Clinic; North, \\ "A"\nTEL:+15550100\r\nEND:VCARD';
    const { text } = card(label);
    const fields = read(text);
    expect(unescaped(fields.get('ORG') ?? '')).toBe(label.replaceAll('\r\n', '\n'));
    expect(text.match(/^(?:TEL|END)\b.*$/gm)).toHaveLength(2);
    // An unescaped semicolon would part ORG into an organisation and its unit.
    expect(fields.get('ORG')).toContain('Clinic\\; North\\, \\\\');
  });

  it('[PSD3] whatever a text holds, it comes back, and no line is longer than 75 bytes or cuts a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const lines = vcard([{ name: 'NOTE', value: vcardText(text) }]).split('\r\n');
        for (const line of lines) {
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
          expect(line.isWellFormed()).toBe(true);
        }
        const kept = text.replaceAll(/\r\n?/g, '\n').replaceAll(/(?![\t\n])\p{Cc}/gu, '');
        expect(unescaped(read(lines.join('\r\n')).get('NOTE') ?? '')).toBe(kept);
      }),
    );
  });

  it('[PSD4] names the clinic alone: nobody who takes part is in it', () => {
    const { text } = card('City Clinic', {}, binding({ createdBy: null }));
    expect(text).not.toMatch(/doctor-1|patient-1/);
  });

  it('[PSD5] is a file with a name that every system takes', async () => {
    const { blob, text, fileName } = card('A/B:C*?"<>|\u202e\u0007 Clinic.');
    expect(blob.type).toBe('text/vcard;charset=utf-8');
    expect(await blob.text()).toBe(text);
    expect(fileName).toBe('A B C Clinic.vcf');
    expect(card('..').fileName).toBe('Clinic.vcf');
    expect(card(' ', { language: 'zh' }).fileName).toBe('医院.vcf');
    expect(card('长'.repeat(200)).fileName).toHaveLength(64);
  });

  it('[PSD6] there is none without a number, and no link to what is none', async () => {
    const none = async () => card('Clinic', {}, binding({ number: null, state: 'binding' }));
    expect(await codeOf(none())).toBe('WRONG_STATE');
    expect(telLink(RELAY)).toBe(`tel:${RELAY}`);
    for (const number of [
      '',
      '17000003333',
      '+0123456789',
      `${RELAY};ext=1`,
      `${RELAY}\n`,
      '+86 170 0000 3333',
    ])
      expect(await codeOf((async () => telLink(number))()), JSON.stringify(number)).toBe('INVALID');
  });
});
