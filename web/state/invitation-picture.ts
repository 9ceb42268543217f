import encodeQR from 'qr';

/** Light modules around the code, which scanners need (ISO/IEC 18004 asks for four). */
const QUIET = 4;

/** The modules of a QR code, true for dark, its quiet zone included. */
export const modulesOf = (text: string): readonly (readonly boolean[])[] =>
  encodeQR(text, 'raw', { ecc: 'medium', border: QUIET });

/** Draws the code on a canvas, black on white in either colour scheme: not every scanner reads it inverted. */
export function drawCode(
  canvas: HTMLCanvasElement,
  modules: readonly (readonly boolean[])[],
  sizePx: number,
): void {
  const module = Math.max(1, Math.floor(sizePx / modules.length));
  canvas.width = module * modules.length;
  canvas.height = canvas.width;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#000000';
  for (const [y, row] of modules.entries())
    for (const [x, isDark] of row.entries())
      if (isDark) context.fillRect(x * module, y * module, module, module);
}

interface InvitationPicture {
  readonly link: string;
  /** Lines below the code: what it is for, and until when. */
  readonly caption: readonly string[];
}

const WIDTH = 720;
const MARGIN = 40;
const LINE = 44;

/** The code with its caption as a PNG picture, to be sent or printed. */
export async function invitationPicture({ link, caption }: InvitationPicture): Promise<Blob> {
  const code = document.createElement('canvas');
  drawCode(code, modulesOf(link), WIDTH - 2 * MARGIN);
  const picture = document.createElement('canvas');
  picture.width = WIDTH;
  picture.height = MARGIN * 2 + code.height + caption.length * LINE + MARGIN / 2;
  const context = picture.getContext('2d');
  if (context === null) throw new Error('this browser draws nothing');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(code, (WIDTH - code.width) / 2, MARGIN);
  context.fillStyle = '#13222a';
  context.textAlign = 'center';
  for (const [index, line] of caption.entries()) {
    context.font = `${index === 0 ? '600 30px' : '26px'} system-ui, "PingFang SC", "Microsoft YaHei", sans-serif`;
    context.fillText(line, WIDTH / 2, MARGIN * 1.5 + code.height + (index + 0.7) * LINE, WIDTH - MARGIN);
  }
  return new Promise((resolve, reject) =>
    picture.toBlob(
      (blob) => (blob === null ? reject(new Error('the picture is empty')) : resolve(blob)),
      'image/png',
    ),
  );
}
