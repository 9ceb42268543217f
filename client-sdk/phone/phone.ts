import type {
  CallId,
  ConsultationId,
  PersonId,
  PhoneBindingId,
  PhoneBindingView,
  PhoneBoard,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions } from '../api.ts';
import { Emitter } from '../events.ts';
import { type ClientInsides, insides } from '../insides.ts';
import { type Lifetime, throwIfAborted } from '../lifetime.ts';
import { ClientIds } from '../records/client-ids.ts';
import { LiveView } from '../records/live-view.ts';
import { askOnce, askUntilAnswered, type RecordParts } from '../records/record-parts.ts';
import { toAppError } from '../requests.ts';
import { contactCard } from './contact-card.ts';
import type { OpenPhone, Phone, PhoneEvents, PhoneWish } from './phone-api.ts';
import { phoneNews } from './phone-news.ts';

const NOTHING: PhoneBoard = {
  available: false,
  reachable: [],
  refused: [],
  label: '',
  recording: 'off',
  bindings: [],
};

/** Nobody waits for a number that may come tomorrow: whoever asked is told. */
async function orScarce<T>(asking: Promise<T>): Promise<T | AppError> {
  try {
    return await asking;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'OVERLOADED' || error.code === 'RATE_LIMITED') return error;
    throw error;
  }
}

/**
 * Masked calls of one visit, over the connection of the client. Throws `INVALID` for a client that is not the SDK's own.
 */
export const openPhone: OpenPhone = (client, consultationId, { signal } = {}) => {
  const shared = insides.get(client);
  if (shared === undefined) throw new AppError('INVALID', { detail: 'client' });
  throwIfAborted(signal);
  return new VisitPhone(shared, consultationId as ConsultationId, signal);
};

class VisitPhone implements Phone {
  readonly consultationId: ConsultationId;
  readonly #events = new Emitter<PhoneEvents>();
  readonly #parts: RecordParts;
  readonly #life: Lifetime;
  readonly #ids = new ClientIds();
  readonly #view: LiveView<PhoneBoard>;
  /** What was told last; null before the first answer. */
  #told: PhoneBoard | null = null;
  #isLoaded = false;
  /** Ends the wait of the last `setRefused`. */
  #refusing: { readonly abort: () => void } | null = null;

  constructor(shared: ClientInsides, consultationId: ConsultationId, signal: AbortSignal | undefined) {
    const { signalling, facts } = shared;
    this.consultationId = consultationId;
    this.#life = shared.life.child();
    this.#parts = { consultationId, signalling, life: this.#life };
    this.#view = new LiveView<PhoneBoard>({
      signalling,
      life: this.#life,
      empty: NOTHING,
      fetch: async (options) => (await signalling.request('phone.get', { consultationId }, options)).board,
      onChange: (board) => this.#tell(board),
    });
    this.#life.onEnd(
      facts.on('phone.changed', (fact) => {
        if (fact.consultationId === consultationId && this.#isLoaded) this.#view.hear();
      }),
    );
    // What was told while this device was away.
    this.#life.onEnd(
      signalling.onConnected(() => {
        if (this.#isLoaded) this.#view.hear();
      }),
    );
    if (signal !== undefined) this.#closeWith(signal);
  }

  get board(): PhoneBoard {
    return this.#view.value;
  }

  get on(): Phone['on'] {
    return this.#events.on;
  }

  async load(options?: CallOptions): Promise<void> {
    this.#isLoaded = true;
    await this.#life.within(this.#view.load(options), options?.signal);
  }

  bind: Phone['bind'] = async (wish = {}, options) => {
    const bound = await this.#ask(wish, options);
    // Asked for before, without an answer, and given back since: this asks for a new one.
    return bound.state === 'unbound' ? this.#ask(wish, options) : bound;
  };

  unbind: Phone['unbind'] = async (bindingId, options) => {
    const { consultationId, signalling } = this.#parts;
    const payload = { consultationId, bindingId: bindingId as PhoneBindingId };
    const ask = () => signalling.request('phone.unbind', payload, options);
    return this.#show((await askUntilAnswered(this.#parts, ask, options)).board);
  };

  setRefused: Phone['setRefused'] = async (refused, options) => {
    this.#checkOpen();
    // A refusal that still waits for the connection must not come after what was pressed last.
    this.#refusing?.abort();
    const refusing = this.#life.toSignal(options?.signal);
    this.#refusing = refusing;
    const { consultationId, signalling } = this.#parts;
    const { signal } = refusing;
    const ask = () => signalling.request('phone.setRefused', { consultationId, refused }, { signal });
    try {
      const asking = refused ? askUntilAnswered(this.#parts, ask, { signal }) : askOnce(this.#parts, ask());
      return this.#show((await asking).board);
    } finally {
      refusing.abort();
    }
  };

  join: Phone['join'] = async (callId, personId, options) => {
    this.#checkOpen();
    const { consultationId, signalling } = this.#parts;
    const payload = { consultationId, callId: callId as CallId, personId: personId as PersonId };
    await askOnce(this.#parts, signalling.request('phone.join', payload, options), options);
  };

  contactCard: Phone['contactCard'] = (binding, options) => contactCard(binding, this.board.label, options);

  close(): void {
    this.#life.end(new AppError('ABORTED', { detail: 'masked calls were closed' }));
    this.#events.clear();
  }

  async #ask(
    { direction = 'both', recorded = false }: PhoneWish,
    options: CallOptions | undefined,
  ): Promise<PhoneBindingView> {
    const { consultationId, signalling } = this.#parts;
    const { board, bindingId } = await this.#ids.use([direction, recorded], async (clientBindingId) => {
      const payload = { consultationId, clientBindingId, direction, recorded };
      const ask = () => orScarce(signalling.request('phone.bind', payload, options));
      const answer = await askUntilAnswered(this.#parts, ask, options);
      if (answer instanceof AppError) throw answer;
      return answer;
    });
    this.#show(board);
    const bound = board.bindings.find((binding) => binding.bindingId === bindingId);
    if (bound === undefined) throw new AppError('NOT_FOUND', { detail: 'the number was given back' });
    return bound;
  }

  /** For what is sent at once: the others wait for a life that is over. */
  #checkOpen(): void {
    if (this.#life.endReason !== null) throw this.#life.endReason;
  }

  #show(board: PhoneBoard): PhoneBoard {
    this.#isLoaded = true;
    this.#view.set(board);
    return board;
  }

  #tell(board: PhoneBoard): void {
    const before = this.#told;
    this.#told = board;
    this.#events.emit('board', board);
    if (before === null) return;
    for (const one of phoneNews(before, board)) this.#events.emit('news', one);
  }

  #closeWith(signal: AbortSignal): void {
    const close = (): void => this.close();
    signal.addEventListener('abort', close, { once: true });
    this.#life.onEnd(() => signal.removeEventListener('abort', close));
  }
}
