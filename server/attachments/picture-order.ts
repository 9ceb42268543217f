/** The first byte of every answer. */
export const READY = 1;

/** What the server tells the picture child; its only argument, as JSON. */
export interface PictureOrder {
  /** Width × height above which a picture is not decoded. */
  readonly maxPixels: number;
  /** Bytes a decoder may have to hold at once, by the header, before a picture is not decoded. */
  readonly maxHeldBytes: number;
  /** Longest side of the picture and of the thumbnail in pixels. */
  readonly maxSide: number;
  readonly thumbnailSide: number;
  /** 1 to 100. */
  readonly jpegQuality: number;
}

/** Why the child did not take a picture. The server has the words for people. */
export type PictureRefusal = 'too many pixels' | 'too much to hold' | 'unreadable';

export interface PictureMade {
  readonly contentType: 'image/jpeg' | 'image/png';
  readonly width: number;
  readonly height: number;
  /** Base64. */
  readonly thumbhash: string;
  /** Length of the picture in the answer; the rest is the thumbnail. */
  readonly originalBytes: number;
}

/** The child's answer. `grownBytes`: how much its memory grew at most over what it was before the picture; 0 if unknown. */
export type PictureReply =
  | { readonly made: PictureMade; readonly grownBytes: number }
  | { readonly refused: PictureRefusal; readonly grownBytes: number };
