import { AppError, type ConsultationId } from '@teleconsult/protocol';
import { BoundedMap } from '../../notify/bounded-map.ts';
import { retryDelay } from '../../notify/retry-delay.ts';
import type { PhoneContext } from './context.ts';
import type { StoredNews } from './store.ts';

const PAGE = 100;
const PACE = { firstMs: 1_000, mostMs: 300_000 };
/** Consultations of which it is remembered how often telling failed; of one that is forgotten counting begins anew. */
const FAILING = 1_000;
/** News that was told and could not be taken off the list; of one that is forgotten the host is asked to look first. */
const TOLD = 10_000;

type TellerContext = Pick<PhoneContext, 'store' | 'host' | 'clock' | 'log'>;

/**
 * Tells threads what happened, in order and each thing once. News is written together with what happened; a server that
 * dies between telling and forgetting it says so to the host, which looks into the thread first.
 */
export class NewsTeller {
  readonly #context: TellerContext;
  readonly #attempts = new BoundedMap<ConsultationId, number>(FAILING);
  readonly #told = new BoundedMap<number, true>(TOLD);
  #running: Promise<void> | null = null;
  #isAskedAgain = false;
  /** What was there when the server started may have been told by the one before it. */
  #before = 0;
  #closed = false;

  constructor(context: TellerContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#before = await this.#context.store.news.lastNews();
  }

  /** Tells what is not told yet. Never rejects; what fails is told later. */
  tell(): Promise<void> {
    this.#isAskedAgain = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      // Whoever asks from here on is heard: between the last look and the end of this nothing else runs.
      await Promise.resolve();
      while (this.#isAskedAgain && !this.#closed) {
        this.#isAskedAgain = false;
        const { store, clock } = this.#context;
        const news = await store.news.untold(clock(), PAGE);
        const byConsultation = Map.groupBy(news, ({ consultationId }) => consultationId);
        // All are waited for, whatever fails for one: two who tell the same at once would tell it twice.
        const tellings = [...byConsultation.values()].map((some) => this.#tellInOrder(some));
        const failed = (await Promise.allSettled(tellings)).find(({ status }) => status === 'rejected');
        if (failed?.status === 'rejected') throw failed.reason;
        if (news.length === PAGE) this.#isAskedAgain = true;
      }
    } catch (error) {
      this.#context.log.warn('phone.notTold', { error });
    } finally {
      this.#running = null;
    }
  }

  async #tellInOrder(some: readonly StoredNews[]): Promise<void> {
    const { store, host, clock, log } = this.#context;
    for (const { newsId, consultationId, news, tried } of some) {
      if (this.#closed) return;
      try {
        if (this.#told.get(newsId) !== true)
          await host.tell(consultationId, news, tried || newsId <= this.#before);
      } catch (error) {
        if (error instanceof AppError && error.code === 'NOT_FOUND') {
          if (await this.#isErased(consultationId)) return store.news.forgetNews(consultationId);
          // Of somebody who takes part no more: the thread has no place for it, but for what comes after it.
          await store.news.told(newsId);
          continue;
        }
        const attempts = (this.#attempts.get(consultationId) ?? 0) + 1;
        this.#attempts.set(consultationId, attempts);
        log.warn('phone.notTold', { consultation: consultationId, count: attempts, error });
        return store.news.tellLater(newsId, Math.round(clock() + retryDelay(PACE, attempts)));
      }
      this.#attempts.delete(consultationId);
      this.#told.set(newsId, true);
      await store.news.told(newsId);
      this.#told.delete(newsId);
      host.changed(consultationId);
    }
  }

  async #isErased(consultationId: ConsultationId): Promise<boolean> {
    try {
      await this.#context.host.view(consultationId);
      return false;
    } catch (error) {
      // What cannot be read now is not erased: the news is kept, and told later.
      if (error instanceof AppError && error.code === 'NOT_FOUND') return true;
      throw error;
    }
  }
}
