import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { PhoneNews } from '../../telephony/bindings/ports.ts';
import type { PhoneNewsStore, StoredNews } from '../../telephony/bindings/store.ts';
import { prepareRead, type Read } from './read.ts';
import type { WritesStatements } from './sqlite-wrapped-values.ts';
import type { Statement } from './writer-protocol.ts';

const NEWS = 'INSERT INTO phone_news (consultation_id, by, at, fact)';

/** News of what the statement before it did, if it did anything. */
export const newsOfChange = (consultationId: string, { by, at, fact }: PhoneNews): Statement => ({
  sql: `${NEWS} SELECT ?, ?, ?, ? WHERE changes() > 0`,
  params: [consultationId, by, at, JSON.stringify(fact)],
});

/** The same, of a binding's consultation. */
export const newsOfBinding = (bindingId: string, { by, at, fact }: PhoneNews): Statement => ({
  sql: `${NEWS} SELECT consultation_id, ?, ?, ? FROM phone_binding WHERE binding_id = ? AND changes() > 0`,
  params: [by, at, JSON.stringify(fact), bindingId],
});

/** What the thread is to be told of masked calls. */
export class SqlitePhoneNews implements PhoneNewsStore {
  readonly #writer: WritesStatements;
  readonly #untold: Read;
  readonly #count: Read;
  readonly #last: Read;
  readonly #refusal: Read;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#untold = prepareRead(
      reader,
      `SELECT * FROM phone_news n WHERE NOT EXISTS (SELECT 1 FROM phone_news w
        WHERE w.consultation_id = n.consultation_id AND w.news_id <= n.news_id AND w.retry_at > ?)
        ORDER BY news_id LIMIT ?`,
    );
    this.#count = prepareRead(reader, 'SELECT count(*) AS count FROM phone_news');
    this.#last = prepareRead(reader, 'SELECT max(news_id) AS last FROM phone_news');
    this.#refusal = prepareRead(
      reader,
      `SELECT 1 FROM phone_news WHERE consultation_id = ? AND json_extract(fact, '$.type') = 'phone.refused' LIMIT 1`,
    );
  }

  async untold(now: number, limit: number): Promise<readonly StoredNews[]> {
    return this.#untold.all(now, limit).map((row) => ({
      newsId: Number(row['news_id']),
      consultationId: row['consultation_id'] as ConsultationId,
      news: {
        by: row['by'] as PersonId | null,
        at: Number(row['at']),
        fact: JSON.parse(row['fact'] as string) as PhoneNews['fact'],
      },
      tried: row['tried'] === 1,
    }));
  }

  async countUntold(): Promise<number> {
    return Number(this.#count.get()?.['count'] ?? 0);
  }

  async hasUntoldRefusal(consultationId: ConsultationId): Promise<boolean> {
    return this.#refusal.get(consultationId) !== undefined;
  }

  async lastNews(): Promise<number> {
    return Number(this.#last.get()?.['last'] ?? 0);
  }

  async told(newsId: number): Promise<void> {
    await this.#writer.write([{ sql: 'DELETE FROM phone_news WHERE news_id = ?', params: [newsId] }]);
  }

  async tellLater(newsId: number, retryAt: number): Promise<void> {
    await this.#writer.write([
      { sql: 'UPDATE phone_news SET tried = 1, retry_at = ? WHERE news_id = ?', params: [retryAt, newsId] },
    ]);
  }

  async forgetNews(consultationId: ConsultationId): Promise<void> {
    await this.#writer.write([
      { sql: 'DELETE FROM phone_news WHERE consultation_id = ?', params: [consultationId] },
    ]);
  }
}
