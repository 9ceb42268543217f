import type { OpenedFile } from '../recordings/ports.ts';
import type { SeekIndex } from './seek-index.ts';

/** The bytes a player is given. */
export interface ServedFile {
  readonly byteSize: number;
  /** Reads of the stored file only what the range touches. */
  read(range: { readonly start: number; readonly endExclusive: number }): AsyncIterable<Uint8Array>;
}

/** A stretch of what is served: made bytes, or a stretch of the stored file. */
type Piece =
  | { readonly kind: 'made'; readonly bytes: Buffer }
  | { readonly kind: 'kept'; readonly start: number; readonly endExclusive: number };

/** The stored file as it is, or (with an index) as one in which a player can seek. */
export function servedFile(file: Pick<OpenedFile, 'byteSize' | 'read'>, index: SeekIndex | null): ServedFile {
  const pieces = index === null ? [kept(0, file.byteSize)] : piecesOf(index);
  const byteSize = pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
  return {
    byteSize,
    async *read({ start, endExclusive }) {
      let at = 0;
      for (const piece of pieces) {
        const from = Math.max(0, start - at);
        const behind = Math.min(sizeOf(piece), endExclusive - at);
        at += sizeOf(piece);
        if (from >= behind) continue;
        if (piece.kind === 'made') yield piece.bytes.subarray(from, behind);
        else yield* file.read({ start: piece.start + from, endExclusive: piece.start + behind });
      }
    },
  };
}

function piecesOf({ head, keptStart, keptEnd, patch }: SeekIndex): Piece[] {
  const begin: Piece = { kind: 'made', bytes: Buffer.from(head, 'base64') };
  if (patch === null) return [begin, kept(keptStart, keptEnd)];
  const bytes = Buffer.from(patch.bytes, 'base64');
  return [
    begin,
    kept(keptStart, patch.at),
    { kind: 'made', bytes },
    kept(patch.at + bytes.byteLength, keptEnd),
  ];
}

const kept = (start: number, endExclusive: number): Piece => ({ kind: 'kept', start, endExclusive });

const sizeOf = (piece: Piece): number =>
  piece.kind === 'made' ? piece.bytes.byteLength : piece.endExclusive - piece.start;
