import { AppError, type AttachmentId, type ConsultationId, type PersonId } from '@teleconsult/protocol';
import { createGate } from '../attachments/gate.ts';
import type { VoiceTools } from '../attachments/voice.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { Log } from '../host/ports.ts';
import { BoundedMap } from '../notify/bounded-map.ts';
import type { AttachmentLibrary } from '../uploads/attachment-library.ts';
import { speechSound } from './speech-sound.ts';
import type { Transcriber } from './transcriber.ts';

/** Sound of ten minutes in memory at a time is enough, and a speech service answers one after the other anyway. */
const WIDTH = 1;
/** Most that wait for their turn; beyond it people are told to ask again. */
const WAITING_LIMIT = 20;
/** Most of one person that are being made or wait: who asks for all of a long thread does not keep the others waiting. */
const A_PERSON = 5;
/** How long one message may take, decoding and service together, in milliseconds. */
const TIME_LIMIT_MS = 60_000;
/** Bytes of sound handed to the service at a time: a second of it. */
const CHUNK_BYTES = 32_000;
/** Most transcripts that are kept. A message never changes, so its words do not; they are gone with the process. */
const KEPT_TRANSCRIPTS = 200;
/** Ten minutes of fast speech are 20,000 letters; a service that answers more has not transcribed. */
const MOST_LETTERS = 50_000;

export interface TranscriptsParts {
  readonly host: Pick<ConsultationHost, 'thread'>;
  readonly library: Pick<AttachmentLibrary, 'open'>;
  readonly tools: VoiceTools;
  readonly log: Log;
  /** null: this server has no speech service. */
  readonly transcriber: Transcriber | null;
  /** For tests. */
  readonly timeLimitMs?: number | undefined;
}

export interface TranscriptWish {
  readonly by: PersonId;
  readonly sequence: number;
  readonly language?: 'zh' | 'en' | undefined;
}

/**
 * The words of voice messages (S4.3). They are made when they are asked for, kept in memory for who asks next, and
 * never written anywhere. Whether the person may hear the message is looked at each time.
 */
export class Transcripts {
  readonly #parts: TranscriptsParts;
  readonly #gate = createGate(WIDTH);
  readonly #made = new BoundedMap<string, string>(KEPT_TRANSCRIPTS);
  /** Being made: who asks for the same waits for the same. */
  readonly #making = new Map<string, { readonly by: PersonId; readonly text: Promise<string> }>();

  constructor(parts: TranscriptsParts) {
    this.#parts = parts;
  }

  /**
   * @throws AppError NOT_CONFIGURED without a speech service; NOT_FOUND when there is no such message for this person,
   * or none any more; INVALID when it is no voice message; RATE_LIMITED, MEDIA_UNAVAILABLE: try later
   */
  async of(id: ConsultationId, wish: TranscriptWish): Promise<string> {
    const { transcriber } = this.#parts;
    // Looked at first: to who takes no part there is no consultation, whatever this server can do.
    const attachmentId = await this.#voiceOf(id, wish);
    if (transcriber === null) throw new AppError('NOT_CONFIGURED');
    const key = `${id}|${wish.sequence}|${wish.language ?? ''}`;
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    let making = this.#making.get(key)?.text;
    if (making === undefined) {
      const own = [...this.#making.values()].filter(({ by }) => by === wish.by).length;
      if (this.#making.size >= WAITING_LIMIT || own >= A_PERSON) throw new AppError('RATE_LIMITED');
      making = this.#gate
        .run(() => this.#make(transcriber, { id, attachmentId, wish }))
        .then((text) => {
          this.#made.set(key, text);
          return text;
        })
        .finally(() => this.#making.delete(key));
      this.#making.set(key, { by: wish.by, text: making });
    }
    const text = await making;
    // It took a while: the message may have been withdrawn since, or the person taken out.
    await this.#voiceOf(id, wish);
    return text;
  }

  /** The sound of a voice message that this person may hear now. */
  async #voiceOf(id: ConsultationId, { by, sequence }: TranscriptWish): Promise<AttachmentId> {
    const { entries } = await this.#parts.host.thread(id, by, {
      afterSequence: Math.max(0, sequence - 1),
      limit: 1,
    });
    const [entry] = entries;
    if (entry?.sequence !== sequence || entry.kind !== 'message.sent') throw new AppError('NOT_FOUND');
    if (entry.content.type === 'withdrawn') throw new AppError('NOT_FOUND');
    if (entry.content.type !== 'voice') throw new AppError('INVALID', { detail: 'it is no voice message' });
    return entry.content.attachment.attachmentId;
  }

  async #make(
    transcriber: Transcriber,
    { id, attachmentId, wish }: { id: ConsultationId; attachmentId: AttachmentId; wish: TranscriptWish },
  ): Promise<string> {
    const { tools, log, timeLimitMs = TIME_LIMIT_MS } = this.#parts;
    const timeout = AbortSignal.timeout(timeLimitMs);
    const signal = tools.signal === undefined ? timeout : AbortSignal.any([tools.signal, timeout]);
    const begunAt = performance.now();
    const sound = await speechSound(await this.#bytesOf(id, attachmentId, wish.by), tools, signal);
    try {
      const text = await within(
        transcriber.transcribe(chunksOf(sound), { language: wish.language ?? null, signal }),
        signal,
      );
      if (text.length > MOST_LETTERS) throw new Error('The speech service answered too much.');
      log.info('speech.transcribed', { consultation: id, ms: Math.round(performance.now() - begunAt) });
      return text;
    } catch (cause) {
      if (tools.signal?.aborted) throw new AppError('SHUTTING_DOWN');
      log.warn('speech.failed', { consultation: id, error: cause });
      throw new AppError('MEDIA_UNAVAILABLE', { detail: 'the speech service did not answer', cause });
    } finally {
      sound.fill(0);
    }
  }

  async #bytesOf(id: ConsultationId, attachmentId: AttachmentId, by: PersonId): Promise<Buffer> {
    await using opened = await this.#parts.library.open(id, attachmentId, { by, variant: 'original' });
    const chunks: Buffer[] = [];
    for await (const chunk of opened.object.read()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  // Each is a copy: the buffer is overwritten when the service has answered, whatever it still holds.
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES)
    yield Uint8Array.from(bytes.subarray(at, at + CHUNK_BYTES));
}

/** Ends with the signal even where the work does not look at it. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = (): void => reject(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  return promise;
}
