import {
  AppError,
  type RecordingRight,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { Clock, Publisher } from '../host/ports.ts';
import type { OpenedFile, StoredFile, TrackFiles } from '../recordings/ports.ts';
import type { FileFacts } from '../recordings/sealed-facts.ts';
import type { AskedBy } from '../signalling/handlers/recording-port.ts';
import { type Audited, personDoing } from './audited.ts';
import { type Grant, LINK_MS, LinkTickets } from './link-tickets.ts';
import { Once } from './once.ts';
import type { RecordingAccess, Seen } from './recording-access.ts';
import type { SeekIndex } from './seek-index.ts';
import { type ServedFile, servedFile } from './served-file.ts';
import { watchedBytes } from './watched-bytes.ts';
import { waveIndex } from './wave-head.ts';

export const MEDIA_PATH = '/v1/recordings/media';

export interface MediaLinksParts {
  readonly access: RecordingAccess;
  readonly audited: Audited;
  readonly files: TrackFiles;
  readonly publisher: Pick<Publisher, 'isConnected'>;
  readonly clock: Clock;
}

/** What a link that is good answers with. Whoever asked for it closes it. */
export interface LinkedMedia extends AsyncDisposable {
  readonly byteSize: number;
  readonly contentType: string;
  /** RFC 9110 §8.8.3, strong: the same tag, the same bytes. */
  readonly etag: string;
  /** null: to be played. Names nobody. */
  readonly fileName: string | null;
  /** Whose link it is, to share out what a person may use. */
  readonly personId: string;
  /** Checks from time to time that the link is still good, and throws when it is not. */
  read(range: { readonly start: number; readonly endExclusive: number }): AsyncIterable<Uint8Array>;
}

const ENDINGS: Readonly<Record<string, string>> = {
  'audio/webm': 'webm',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'audio/x-matroska': 'mka',
  'audio/ogg': 'ogg',
  'audio/mp4': 'm4a',
  'video/mp4': 'mp4',
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
};

/**
 * Links to sealed media. Each is for one person on one device, one file and one right, and is judged anew with every
 * request: it is worth nothing once the person may not, the device is gone, or five minutes have passed.
 */
export class MediaLinks {
  readonly #parts: MediaLinksParts;
  readonly #tickets = new LinkTickets();
  readonly #used = new Once();

  constructor(parts: MediaLinksParts) {
    this.#parts = parts;
  }

  /** @throws AppError NOT_FOUND, FORBIDDEN, WRONG_STATE, or that it cannot be recorded */
  async create(
    payload: RequestPayload<'recording.link'>,
    asked: AskedBy,
  ): Promise<RequestResult<'recording.link'>> {
    const { audited, access, clock } = this.#parts;
    const { consultationId, recordingId, fileId, right } = payload;
    const doing = personDoing(asked, { action: 'recording.link', consultationId, object: fileId });
    const { facts } = await audited.judging(doing, async () => {
      const seen = await access.find(payload, asked.by);
      requireRight(seen, right);
      return access.file(seen, fileId);
    });
    await audited.granted(doing);
    const expiresAt = clock() + LINK_MS;
    const ticket = this.#tickets.seal({
      personId: asked.by,
      deviceId: asked.deviceId,
      consultationId,
      recordingId,
      fileId,
      right,
      seekable: facts.seekIndex !== undefined,
      expiresAt,
    });
    return { url: `${MEDIA_PATH}/${ticket}`, contentType: facts.contentType, expiresAt };
  }

  /**
   * What a link leads to. Its first use is on record before this answers.
   * @throws AppError NOT_FOUND, EXPIRED, FORBIDDEN, INTEGRITY, or that it cannot be recorded
   */
  async open(ticket: string): Promise<LinkedMedia> {
    const { audited, clock, files } = this.#parts;
    const grant = this.#tickets.open(ticket, clock());
    const { consultationId, recordingId, fileId, right, expiresAt } = grant;
    const doing = personDoing(
      { by: grant.personId, deviceId: grant.deviceId },
      { action: `recording.${right}`, consultationId, object: fileId },
    );
    const once = (result: string, work: () => Promise<void>) =>
      // A ticket that has run out is not opened any more: nothing needs to be remembered of it then.
      this.#used.first(`${result} ${ticket}`, { now: clock(), until: expiresAt, work });
    let found: { seen: Seen; file: StoredFile; facts: FileFacts };
    try {
      found = await this.#judge(grant);
    } catch (error) {
      await once('refused', () => audited.refused(doing));
      throw error;
    }
    await once('granted', () => audited.granted(doing));
    const { seen, file, facts } = found;
    try {
      const place = { consultationId, recordingId, fileId, key: seen.key };
      const opened = await files.open(place, file);
      return this.#served(grant, { opened, file, facts });
    } catch (error) {
      await once('failed', () => audited.refused(doing, 'failed'));
      throw error;
    }
  }

  #served(
    grant: Grant,
    { opened, file, facts }: { opened: OpenedFile; file: StoredFile; facts: FileFacts },
  ): LinkedMedia {
    const { right, seekable, personId } = grant;
    const served = servedFile(opened, indexOf(facts, opened, seekable));
    return {
      byteSize: served.byteSize,
      contentType: facts.contentType,
      etag: entityTag(file, served),
      fileName: right === 'download' ? fileNameOf(file, facts) : null,
      personId,
      read: (range) => watchedBytes(served.read(range), () => this.#judge(grant)),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  }

  async #judge(grant: Grant): Promise<{ seen: Seen; file: StoredFile; facts: FileFacts }> {
    const { access, publisher } = this.#parts;
    const { personId, deviceId, consultationId, fileId, right } = grant;
    if (!publisher.isConnected(personId, deviceId, consultationId)) throw new AppError('NOT_FOUND');
    const seen = await access.find(grant, personId);
    requireRight(seen, right);
    return { seen, ...(await access.file(seen, fileId)) };
  }
}

/** @throws AppError FORBIDDEN */
export function requireRight({ acts }: Seen, right: RecordingRight): void {
  if (!acts.includes(right)) throw new AppError('FORBIDDEN');
}

/** How a file is served; null: as it is. */
function indexOf(
  { samples, seekIndex }: FileFacts,
  { byteSize }: Pick<OpenedFile, 'byteSize'>,
  seekable: boolean,
): SeekIndex | null {
  if (samples !== undefined) return waveIndex(samples, 0, byteSize);
  return seekable ? (seekIndex ?? null) : null;
}

/** The same tag, the same bytes: once it is measured, a file is served with an index. */
export const entityTag = ({ fileId }: StoredFile, { byteSize }: ServedFile): string =>
  `"${fileId}-${byteSize}"`;

/** Such as `recording-20261122-093000.webm`: when it began, and nobody's name. */
export function fileNameOf({ createdAt }: StoredFile, { contentType, startedAt }: FileFacts): string {
  const [type = ''] = contentType.split(';');
  const at = new Date(startedAt ?? createdAt)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '-');
  return `recording-${at}.${ENDINGS[type.trim()] ?? 'bin'}`;
}
