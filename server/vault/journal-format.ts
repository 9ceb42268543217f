/** The layout of a journal's frames, for who writes and who reads them (docs/VAULT-FORMAT.md). */

/** Bytes of plaintext in every frame: small, since a frame that is closed by time is written whole. */
export const JOURNAL_FRAME_LENGTH = 4096;
/** A frame's content begins with how many of its bytes count. */
export const LENGTH_BYTES = 2;
export const JOURNAL_FRAME_ROOM = JOURNAL_FRAME_LENGTH - LENGTH_BYTES;
