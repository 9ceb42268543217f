import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFile } from '../../../server/attachments/file.ts';
import { cleanFileName, MAX_FILE_NAME_BYTES } from '../../../server/attachments/file-name.ts';
import { sniff } from '../../../server/attachments/sniff.ts';
import { dicom, docx, pdf, pptx, xlsx, zip } from './documents.fixtures.ts';

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const check = (bytes: Buffer, fileName = 'file', declaredType = 'application/octet-stream') =>
  checkFile({ bytes, fileName, declaredType });

test.each([
  ['report.pdf', pdf(), 'application/pdf'],
  ['scan.dcm', dicom(), 'application/dicom'],
  ['scan.dcm', dicom(Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(124)])), 'application/dicom'],
  ['letter.docx', docx(), `${OFFICE}.wordprocessingml.document`],
  ['values.xlsx', xlsx(), `${OFFICE}.spreadsheetml.sheet`],
  ['talk.pptx', pptx(), `${OFFICE}.presentationml.presentation`],
  ['notes.txt', Buffer.from('体温 37.2 °C\r\n\tOK\n'), 'text/plain; charset=utf-8'],
  ['notes.md', Buffer.from('\ufeff# Notes\n'), 'text/plain; charset=utf-8'],
  ['values.csv', Buffer.from('day,value\n1,2\n'), 'text/csv; charset=utf-8'],
  ['values.tsv', Buffer.from('day\tvalue\n'), 'text/csv; charset=utf-8'],
])('[FIL1] %s is accepted, and its type comes from its bytes', async (fileName, bytes, contentType) => {
  expect(await check(bytes, fileName)).toEqual({ contentType, fileName });
  expect(await check(bytes, fileName, 'text/html')).toEqual({ contentType, fileName });
});

test('[FIL1] text that is declared as CSV is CSV', async () => {
  expect(await check(Buffer.from('1,2'), 'values', 'text/csv')).toEqual({
    contentType: 'text/csv; charset=utf-8',
    fileName: 'values.csv',
  });
});

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(200)]);
const exe = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(200)]);

describe('refused files', () => {
  test.each([
    ['a Windows program', exe],
    ['a Linux program', elf],
    ['a Java class', Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0])],
    ['a page', Buffer.from('<!DOCTYPE html><p>hello')],
    ['a page with a mark and spaces before', Buffer.from('\ufeff \n\t<HTML>')],
    ['a page that begins with a comment', Buffer.from('<!-- a --><script>alert(1)</script>')],
    ['a drawing', Buffer.from(svg)],
    ['a drawing with a declaration', Buffer.from(`<?xml version="1.0"?>${svg}`)],
    ['PHP', Buffer.from('<?php system($_GET[0]);')],
    ['a shell script', Buffer.from('#!/bin/sh\nrm -rf /\n')],
    ['rich text', Buffer.from('{\\rtf1\\ansi hello}')],
    ['an archive', zip({ 'a.txt': 'a' })],
    ['an archive that calls itself a document', zip({ 'word/document.xml': '', 'a.exe': '' })],
    ['a Java archive', zip({ 'META-INF/MANIFEST.MF': '', 'A.class': '' })],
    ['an app', zip({ 'AndroidManifest.xml': '', 'classes.dex': '' })],
    ['a document with macros', docx({ 'word/vbaProject.bin': 'x' })],
    ['a workbook with macros', xlsx({ 'xl/vbaProject.bin': 'x' })],
    ['a document with a program in it', docx({ 'word/embeddings/setup.exe': 'x' })],
    ['a document with something before it', Buffer.concat([Buffer.from('PK\x03\x04 and more'), docx()])],
    ['a document with something behind it', Buffer.concat([docx(), Buffer.from('<script>')])],
    ['a document with a long comment', zip({ '[Content_Types].xml': '', 'word/document.xml': '' }, svg)],
    ['a cut document', docx().subarray(0, -5)],
    ['a PDF that is an archive as well', Buffer.concat([pdf(), zip({ 'a.class': '' }, '%%EOF')])],
    ['a PDF behind something else', Buffer.concat([Buffer.from('<html>'), pdf()])],
    ['a cut PDF', Buffer.from('%PDF-1.7\n1 0 obj\n<<')],
    ['a scan that is a program as well', dicom(exe.subarray(0, 128))],
    ['a scan that is a page as well', dicom(Buffer.concat([Buffer.from('<html>'), Buffer.alloc(122)]))],
    ['a scan that is a PDF as well', Buffer.concat([dicom(), zip({ a: '' })])],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
    ['7z', Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4])],
    ['rar', Buffer.from('Rar!\x1a\x07\x01\0', 'latin1')],
    [
      'old Word',
      Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.alloc(600)]),
    ],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['a sound', Buffer.from('OggS\0')],
    ['text with a zero', Buffer.from('hello\0')],
    ['text with escapes for a terminal', Buffer.from('\x1b]0;title\x07')],
    ['text in another encoding', Buffer.from([0x63, 0xe9, 0x0a])],
    ['text that ends within a character', Buffer.from('体').subarray(0, 2)],
    ['text in UTF-16', Buffer.from('\ufeffhello', 'utf16le')],
    ['nothing', Buffer.alloc(0)],
  ])('[FIL2] %s is refused with a reason', async (_, bytes) => {
    for (const fileName of ['file', 'file.pdf', 'file.txt', 'file.docx'])
      await expect(check(bytes, fileName, 'application/pdf')).rejects.toMatchObject({
        code: 'UNSUPPORTED_MEDIA',
        detail: expect.stringMatching(/^[A-Z0-9].*\.$/),
      });
  });

  test.each([
    'run.exe',
    'a.BAT',
    'x.ps1',
    'page.html',
    'drawing.svg',
    'a.js',
    'a.pdf.vbs',
    'link.lnk',
    'data.xml',
    'm.py',
  ])('[FIL2] a file that is called %s is refused, whatever is in it', async (fileName) => {
    for (const bytes of [Buffer.from('harmless'), pdf()])
      await expect(check(bytes, fileName)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
  });

  test('[FIL2] a reason never holds a part of the file or its name', async () => {
    const secret = 'CANARY-88e0';
    const sent = [Buffer.from(`<p>${secret}`), Buffer.from(`${secret}\0`), zip({ [secret]: secret })];
    for (const bytes of sent) {
      const error = await check(bytes, `${secret}.bin`).catch((reason: unknown) => reason);
      expect(JSON.stringify(error)).not.toContain(secret);
    }
  });
});

test('[FIL3] megabytes of text are checked without holding up others', async () => {
  const line = '2026-11-22;37.2;体温正常\n';
  const bytes = Buffer.from(line.repeat(600_000));
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 1);
  expect(await check(bytes, 'values.csv')).toMatchObject({ contentType: 'text/csv; charset=utf-8' });
  clearInterval(turning);
  expect(turns).toBeGreaterThan(5);
});

test('[FIL3] a character that is cut by a slice is a character all the same', async () => {
  const bytes = Buffer.from(`x${'体'.repeat(400_000)}`);
  expect(await check(bytes, 'a.txt')).toMatchObject({ fileName: 'a.txt' });
});

test.each([
  ['report.pdf', 'report.pdf'],
  ['REPORT.PDF', 'REPORT.pdf'],
  ['report', 'report.pdf'],
  ['scan.jpg', 'scan.jpg.pdf'],
  ['../../etc/passwd.pdf', 'etc passwd.pdf'],
  ['C:\\Users\\x\\report.pdf', 'C Users x report.pdf'],
  ['re\u202efdp.exe.pdf', 're fdp.exe.pdf'],
  ['a\u0000b\nc\u007f.pdf', 'a b c.pdf'],
  ['.hidden.pdf', 'hidden.pdf'],
  ['...', 'file.pdf'],
  ['', 'file.pdf'],
  ['.pdf', 'pdf.pdf'],
  ['报告 2026 年.pdf', '报告 2026 年.pdf'],
  ['e\u0301tude.pdf', '\u00e9tude.pdf'],
  ['trailing. .pdf', 'trailing..pdf'],
])('[FIL4] the name %j becomes %j', (name, clean) => {
  expect(cleanFileName(name, ['pdf'])).toBe(clean);
});

test('[FIL4] every name becomes one that is short, visible, of one part, and stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
      const clean = cleanFileName(name, ['csv', 'tsv']);
      expect(Buffer.byteLength(clean)).toBeLessThanOrEqual(MAX_FILE_NAME_BYTES);
      expect(clean).toMatch(/^[^.\s][^\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]*\.[ct]sv$/u);
      expect(clean.isWellFormed()).toBe(true);
      expect(cleanFileName(clean, ['csv', 'tsv'])).toBe(clean);
    }),
    { numRuns: 2000 },
  );
});

test('[FIL4] a long name is cut between characters', () => {
  const family = '👨\u200d👩\u200d👧';
  for (const name of ['体'.repeat(200), 'é'.repeat(300), family.repeat(60)]) {
    const clean = cleanFileName(name, ['pdf']);
    expect(Buffer.byteLength(clean)).toBeGreaterThan(200);
    expect(Buffer.byteLength(clean)).toBeLessThanOrEqual(255);
    expect(clean.isWellFormed()).toBe(true);
  }
});

test('[FIL5] telling a format never fails, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      sniff(bytes);
    }),
    { numRuns: 5000 },
  );
});

test('[FIL5] random damage to a document leads to its type or a refusal, and to nothing else', async () => {
  const kinds = [pdf(), dicom(), docx(), Buffer.from('some,text\n'.repeat(30))];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 6 }),
      fc.option(fc.nat(600), { nil: 600 }),
      async (kind, changes, length) => {
        const bytes = Buffer.from(kind).subarray(0, length);
        for (const [at, value] of changes) if (at < bytes.byteLength) bytes[at] = value;
        const outcome = await check(bytes).then(
          ({ contentType }) => contentType,
          (error: unknown) => (error as { code: string }).code,
        );
        expect(outcome).toMatch(/^(?:application\/|text\/|UNSUPPORTED_MEDIA$)/);
      },
    ),
    { numRuns: 500 },
  );
});
