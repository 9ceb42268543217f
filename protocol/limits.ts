/** Largest Socket.IO frame in bytes, after decompression. A larger one closes the connection that sent it. */
export const MAX_FRAME_BYTES = 64 * 1024;

/** Longest text of one message, in UTF-16 code units; four times that in UTF-8 stays below the frame limit. */
export const MAX_TEXT_LENGTH = 4_000;

/** Longest caption of a picture or note on an ending, in UTF-16 code units. */
export const MAX_CAPTION_LENGTH = 500;

/** Largest upload in bytes by kind. A phone photograph is 3–12 MB, ten minutes of Opus speech about 2 MB. */
export const MAX_UPLOAD_BYTES = {
  image: 25 * 1024 * 1024,
  voice: 15 * 1024 * 1024,
  file: 50 * 1024 * 1024,
} as const;

/** Largest picture in pixels (width × height); above it a file is taken for a decompression bomb. */
export const MAX_IMAGE_PIXELS = 64_000_000;

/** Longest voice message in milliseconds. */
export const MAX_VOICE_MS = 10 * 60_000;

/** Most entries one page of a thread holds. */
export const MAX_PAGE_SIZE = 200;

/** Page size when a request names none. */
export const DEFAULT_PAGE_SIZE = 50;

/** How many peaks describe a voice message. Each is 0 (silence) to 100 (full scale). */
export const VOICE_PEAK_COUNT = 64;

/** How long after sending a message may be recalled, in milliseconds. A server may be set to another time. */
export const DEFAULT_RECALL_MS = 2 * 60_000;

/** Longest search text, in UTF-16 code units. */
export const MAX_QUERY_LENGTH = 100;

/** Most people in one consultation: patient, doctor, relatives, interpreter, colleagues. */
export const MAX_PARTICIPANTS = 8;

/** Most pictures and documents of one consultation form. */
export const MAX_FORM_ATTACHMENTS = 12;

/** A typing notice that is not renewed is over after this many milliseconds. */
export const TYPING_MS = 6_000;

/** Longest life of an invitation in milliseconds, and what it has when none is asked for. */
export const MAX_INVITATION_MS = 7 * 24 * 3_600_000;
export const DEFAULT_INVITATION_MS = 24 * 3_600_000;

/** Longest network check in milliseconds; the server ends it then. */
export const MAX_CHECK_MS = 60_000;

/** Longest dictation in milliseconds. */
export const MAX_DICTATION_MS = 2 * 3_600_000;

/** Most bytes one append to a dictation carries. */
export const MAX_DICTATION_PART_BYTES = 1024 * 1024;

/** Most bytes of a dictation: two hours of speech are about 30 MB. */
export const MAX_DICTATION_BYTES = 128 * 1024 * 1024;

/** Most files of a dictation: one, and one more for each time it was continued after a crash of its device. */
export const MAX_DICTATION_FILES = 50;

/** Longest text of a note, in UTF-16 code units. */
export const MAX_NOTE_LENGTH = 12_000;

/** Longest reason of a follow-up, in UTF-16 code units. */
export const MAX_FOLLOW_UP_REASON = 500;

/** Most follow-ups of one consultation, and how far ahead one may be planned in milliseconds. */
export const MAX_FOLLOW_UPS = 50;
export const MAX_FOLLOW_UP_MS = 5 * 366 * 24 * 3_600_000;

/** Most notes of one consultation, versions of a draft and additions to a signed note. */
export const MAX_NOTES = 100;
export const MAX_NOTE_VERSIONS = 200;

/** Most clips of one health channel, drafts and published ones together. */
export const MAX_CLIPS = 300;
