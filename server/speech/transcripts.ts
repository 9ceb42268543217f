import { AppError, type ConsultationId, type PersonId } from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { AttachmentLibrary } from '../uploads/attachment-library.ts';
import type { Transcriber } from './transcriber.ts';

export interface TranscriptsParts {
  readonly host: ConsultationHost;
  readonly library: AttachmentLibrary;
  /** null: this server has no speech service. */
  readonly transcriber: Transcriber | null;
}

/** The words of voice messages (S4.3). */
export class Transcripts {
  readonly #parts: TranscriptsParts;

  constructor(parts: TranscriptsParts) {
    this.#parts = parts;
  }

  async of(
    _id: ConsultationId,
    _wish: { by: PersonId; sequence: number; language?: 'zh' | 'en' | undefined },
  ): Promise<string> {
    throw new AppError('NOT_CONFIGURED', { detail: this.#parts.transcriber === null ? 'none' : 'soon' });
  }
}
