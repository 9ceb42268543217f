import type { Records } from '@teleconsult/client-sdk/records';
import type { RecordingFile, RecordingView } from '@teleconsult/protocol';

/** A link this close to its end is not begun with: the browser asks for ranges for as long as it plays. */
const RENEW_BEFORE_MS = 45_000;

/** Links to the files of a recording, each fetched when it is needed and again before it expires. */
export class LaneLinks {
  readonly #records: Pick<Records, 'link'>;
  readonly #recording: Pick<RecordingView, 'recordingId'>;
  readonly #links = new Map<string, { readonly url: string; readonly expiresAt: number }>();

  constructor(records: Pick<Records, 'link'>, recording: Pick<RecordingView, 'recordingId'>) {
    this.#records = records;
    this.#recording = recording;
  }

  /** `after`: the link that did not work (any more), which is not answered again. */
  async urlOf(file: Pick<RecordingFile, 'fileId'>, after: string | null = null): Promise<string> {
    const known = this.#links.get(file.fileId);
    if (known !== undefined && known.url !== after && !this.isStale(file)) return known.url;
    const link = await this.#records.link(file, this.#recording, 'play');
    this.#links.set(file.fileId, link);
    return link.url;
  }

  /** Its link ends soon, or there is none. */
  isStale({ fileId }: Pick<RecordingFile, 'fileId'>): boolean {
    const known = this.#links.get(fileId);
    return known === undefined || known.expiresAt - Date.now() < RENEW_BEFORE_MS;
  }
}
