/** Longest name of a file in bytes of UTF-8: what file systems and the protocol allow. */
export const MAX_FILE_NAME_BYTES = 255;

/** Endings that make a computer run a file when it is opened, whatever is in it. */
const RUNNABLE = new Set(
  (
    'app apk appimage application bat bash bin chm class cmd com command cpl csh deb desktop dll dmg exe gadget ' +
    'hta htm html inf ins ipa jar js jse jsp lnk mht mhtml mjs msc msi msp mst pif php pl ps1 psm1 py pyw rb reg ' +
    'rpm scf scpt scr sct sh shb svg svgz sys url vb vbe vbs wsc wsf wsh xht xhtml xll xml xsl zsh'
  ).split(' '),
);

/** Control characters, what separates folders, and what makes text run backwards so that a name looks like another. */
const UNWANTED = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}/\\:*?"<>|]/gu;

/** The ending of a name without its dot, in lower case; empty when there is none. */
export const endingOf = (name: string): string => /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

export const isRunnableName = (name: string): boolean => RUNNABLE.has(endingOf(name));

/**
 * A name that is safe to show and to save under: one part, no control or direction characters, at most 255 bytes,
 * with an ending that says what the file is.
 * @param endings what files of this kind end in, the usual one first
 */
export function cleanFileName(name: string, endings: readonly [string, ...string[]]): string {
  const visible = name
    .normalize('NFC')
    .replace(UNWANTED, ' ')
    .replace(/\s+/gu, ' ')
    // Leading dots hide a file, trailing dots and spaces vanish on some systems.
    .replace(/^[. ]+|[. ]+$/gu, '');
  const hasEnding = endings.includes(endingOf(visible));
  const stem = hasEnding ? visible.slice(0, visible.lastIndexOf('.')).trimEnd() : visible;
  const ending = `.${hasEnding ? endingOf(visible) : endings[0]}`;
  return `${shorten(stem === '' ? 'file' : stem, MAX_FILE_NAME_BYTES - ending.length)}${ending}`;
}

/** Cuts between characters, never within one. */
function shorten(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let kept = '';
  let byteSize = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    byteSize += Buffer.byteLength(segment);
    if (byteSize > maxBytes) break;
    kept += segment;
  }
  return kept.trimEnd();
}
