import { randomBytes } from 'node:crypto';
import type { AttachmentId, ConsultationId, Entry } from '@teleconsult/protocol';
import { RawClient } from '../../helpers/raw-client.ts';
import { createConsultation, peopleOf } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { TusClient } from '../uploads/tus-client.ts';

/** What a visit was told was on disk. */
export interface Acknowledged {
  readonly consultationId: ConsultationId;
  readonly patient: string;
  readonly texts: string[];
  readonly files: { readonly attachmentId: AttachmentId; readonly text: string }[];
}

/** A consultation of a patient who writes. */
export class DrillVisit implements AsyncDisposable {
  readonly acknowledged: Acknowledged;
  readonly #client: RawClient;
  readonly #tus: TusClient;

  static async begin(origin: string): Promise<DrillVisit> {
    const view = await createConsultation(origin, hostToken());
    const { patient } = peopleOf(view);
    const client = await RawClient.connect(origin, personToken(patient));
    await client.request('consultation.enter', { consultationId: view.consultationId });
    return new DrillVisit(origin, client, {
      consultationId: view.consultationId,
      patient,
      texts: [],
      files: [],
    });
  }

  private constructor(origin: string, client: RawClient, acknowledged: Acknowledged) {
    this.#client = client;
    this.acknowledged = acknowledged;
    this.#tus = new TusClient(origin, personToken(acknowledged.patient));
  }

  async say(text: string): Promise<void> {
    const { consultationId, texts } = this.acknowledged;
    const clientMessageId = `m-${randomBytes(8).toString('hex')}`;
    await this.#client.request('message.send', {
      consultationId,
      clientMessageId,
      content: { type: 'text', text },
    });
    texts.push(text);
  }

  /** Sends a text file and waits until it is ready. */
  async sendFile(text: string): Promise<void> {
    const { consultationId, files } = this.acknowledged;
    const attachmentId = await this.#tus.upload(
      { consultationId, kind: 'file', fileName: 'notes.txt', contentType: 'text/plain' },
      Buffer.from(text),
    );
    const status = await this.#tus.ended(consultationId, attachmentId);
    if (status.status !== 'ready') throw new Error(`The file is ${status.status}.`);
    files.push({ attachmentId: status.attachment.attachmentId, text });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** What of a visit cannot be read back from a server; empty when all of it can. */
export async function missingFrom(origin: string, visit: Acknowledged): Promise<string[]> {
  const { consultationId, patient, texts, files } = visit;
  const missing: string[] = [];
  const thread = await readThread(origin, consultationId);
  if (thread === null) return ['the thread'];
  const said = new Set(
    thread.flatMap((entry) =>
      entry.kind === 'message.sent' && entry.content.type === 'text' ? [entry.content.text] : [],
    ),
  );
  missing.push(...texts.filter((text) => !said.has(text)));
  const tus = new TusClient(origin, personToken(patient));
  for (const { attachmentId, text } of files) {
    const answer = await tus.content(consultationId, attachmentId);
    if (answer.status !== 200 || (await answer.text()).trim() !== text.trim())
      missing.push(`file ${attachmentId}`);
  }
  return missing;
}

/** The whole thread, as the host application reads it; null where the server says that there is none. */
export async function readThread(origin: string, id: ConsultationId): Promise<Entry[] | null> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.sequence ?? 0;
    const response = await fetch(`${origin}/v1/consultations/${id}/thread?afterSequence=${after}&limit=200`, {
      headers: { authorization: `Bearer ${hostToken()}` },
    });
    if (response.status !== 200) return null;
    const page = (await response.json()) as { entries: Entry[]; hasMore: boolean };
    entries.push(...page.entries);
    if (!page.hasMore) return entries;
  }
}
