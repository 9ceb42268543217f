import { unreachable } from '@teleconsult/protocol/unreachable';
import { cleanFileName, endingOf, isRunnableName } from './file-name.ts';
import { activeTextKind, isPlainText } from './plain-text.ts';
import { refuse } from './refusal.ts';
import { nameOfFormat, sniff } from './sniff.ts';
import { endsAsZip, zipNames } from './zip-directory.ts';

/** A document that was looked at and is passed on byte by byte. */
export interface CheckedFile {
  /** Decided by the bytes; what the sender declared only tells CSV from other text. */
  readonly contentType: string;
  readonly fileName: string;
}

export interface FileToCheck {
  readonly bytes: Buffer;
  readonly fileName: string;
  readonly declaredType: string;
}

interface Kind {
  readonly contentType: string;
  readonly endings: readonly [string, ...string[]];
}

const OFFICE = 'application/vnd.openxmlformats-officedocument';

const kinds = {
  pdf: { contentType: 'application/pdf', endings: ['pdf'] },
  dicom: { contentType: 'application/dicom', endings: ['dcm', 'dicom', 'dic'] },
  docx: { contentType: `${OFFICE}.wordprocessingml.document`, endings: ['docx'] },
  xlsx: { contentType: `${OFFICE}.spreadsheetml.sheet`, endings: ['xlsx'] },
  pptx: { contentType: `${OFFICE}.presentationml.presentation`, endings: ['pptx'] },
  text: { contentType: 'text/plain; charset=utf-8', endings: ['txt', 'md', 'log'] },
  csv: { contentType: 'text/csv; charset=utf-8', endings: ['csv', 'tsv'] },
} as const satisfies Record<string, Kind>;

/** The part that makes a ZIP file an office document. */
const OFFICE_PARTS = [
  ['word/document.xml', kinds.docx],
  ['xl/workbook.xml', kinds.xlsx],
  ['ppt/presentation.xml', kinds.pptx],
] as const;

const ACCEPTED = 'Send PDF, DICOM, text, CSV, DOCX, XLSX or PPTX.';

/** A reader finds the end of a PDF in its last kilobyte; behind it there is nothing to find. */
const PDF_END_BYTES = 1024;

/**
 * Accepts PDF, DICOM, UTF-8 text, CSV and office documents without macros. Nothing is opened or unpacked: the check
 * is for files that are what they seem, not for what is written in them.
 * @throws AppError UNSUPPORTED_MEDIA with a reason for people
 */
export async function checkFile(file: FileToCheck): Promise<CheckedFile> {
  if (isRunnableName(file.fileName))
    throw refuse(`Programs, scripts and web pages are not accepted. ${ACCEPTED}`);
  const kind = await kindOf(file);
  return { contentType: kind.contentType, fileName: cleanFileName(file.fileName, kind.endings) };
}

async function kindOf(file: FileToCheck): Promise<Kind> {
  const { bytes } = file;
  const format = sniff(bytes);
  switch (format) {
    case 'pdf':
      return pdf(bytes);
    case 'dicom':
      return dicom(bytes);
    case 'zip':
      return office(bytes);
    case 'jpeg':
    case 'png':
    case 'webp':
    case 'gif':
      throw refuse('Send a picture as a picture, not as a file.');
    case 'ogg':
    case 'webm':
    case 'mp4':
    case 'wav':
    case 'mp3':
      throw refuse('Sound and video are not accepted as files.');
    case null:
      return text(file);
    default:
      return unreachable(format);
  }
}

function pdf(bytes: Buffer): Kind {
  if (endsAsZip(bytes)) throw refuse('The file is a PDF and an archive at once.');
  if (!bytes.subarray(-PDF_END_BYTES).includes('%%EOF')) throw refuse('The PDF is not complete.');
  return kinds.pdf;
}

/** The first 128 bytes of a DICOM file are free for other uses. A second format in them would be run or shown instead. */
function dicom(bytes: Buffer): Kind {
  const preamble = bytes.subarray(0, 128);
  const isProgram = ['MZ', '\x7fELF', '#!', '<', '%PDF'].some((sign) =>
    preamble.toString('latin1').startsWith(sign),
  );
  const isOtherFormat = sniff(preamble) !== null;
  if (isProgram || isOtherFormat || endsAsZip(bytes))
    throw refuse('The file is a DICOM and something else at once.');
  return kinds.dicom;
}

function office(bytes: Buffer): Kind {
  const names = zipNames(bytes);
  if (names === null) throw refuse(`Archives and damaged documents are not accepted. ${ACCEPTED}`);
  const kind = OFFICE_PARTS.find(([part]) => names.includes(part))?.[1];
  if (kind === undefined || !names.includes('[Content_Types].xml'))
    throw refuse(`Archives are not accepted. ${ACCEPTED}`);
  if (names.some((name) => /(?:^|\/)(?:vbaProject|vbaData)[^/]*$|\.(?:exe|dll|js|vbs)$/i.test(name)))
    throw refuse('Documents with macros are not accepted. Save it without macros and send it again.');
  return kind;
}

async function text({ bytes, fileName, declaredType }: FileToCheck): Promise<Kind> {
  if (bytes.byteLength === 0) throw refuse('The file is empty.');
  if (!(await isPlainText(bytes))) {
    const name = await nameOfFormat(bytes);
    throw refuse(`${name} is not accepted. ${ACCEPTED}`);
  }
  const active = activeTextKind(bytes);
  switch (active) {
    case 'markup':
      throw refuse(`Web pages, drawings and other markup are not accepted. ${ACCEPTED}`);
    case 'script':
      throw refuse(`Programs and scripts are not accepted. ${ACCEPTED}`);
    case null: {
      const isCsv =
        declaredType.toLowerCase().startsWith('text/csv') || ['csv', 'tsv'].includes(endingOf(fileName));
      return isCsv ? kinds.csv : kinds.text;
    }
    default:
      return unreachable(active);
  }
}
