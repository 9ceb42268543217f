import { AppError, type PhoneBindingId, type PhoneUnboundReason } from '@teleconsult/protocol';
import { SerialBy } from '../../notes/serial-by.ts';
import { retryDelay } from '../../notify/retry-delay.ts';
import type { PhoneNumber } from '../numbers.ts';
import {
  type BindingChange,
  type BoundRelay,
  type PromptId,
  RelayError,
  type RelayParty,
  type RelayProvider,
} from '../ports.ts';
import { numbersOf, type PhoneContext, providerOf, relayOf } from './context.ts';
import { hashesOf } from './hashes.ts';
import type { StoredBinding } from './store.ts';
import { within } from './within.ts';

const PACE = { firstMs: 1_000, mostMs: 300_000 };
/** Most that may wait for their turn at one binding. */
const WAITING = 64;
/** Steps of a binding in one go: it is bound, changed, given back. More would be a mistake that spins. */
const MAX_STEPS = 6;

export interface ProviderWorkParts extends PhoneContext {
  /** Resolves when every decision that has begun is made: after it no call of what is being given back can begin. */
  readonly decisionsMade: () => Promise<void>;
}

/**
 * Brings what providers know to what the store says, and tries again until it is so. What is to be asked is read from the
 * store alone, so a server that died goes on where it was; providers take the same question twice.
 */
export class ProviderWork {
  readonly #parts: ProviderWorkParts;
  readonly #turns = new SerialBy<PhoneBindingId>(WAITING);

  constructor(parts: ProviderWorkParts) {
    this.#parts = parts;
  }

  /** Changes of who is behind a binding wait until its provider has answered. */
  inTurn<T>(bindingId: PhoneBindingId, task: () => Promise<T>): Promise<T> {
    return this.#turns.run(bindingId, task);
  }

  /** Asks what is due. Rejects only where the store fails; what a provider refuses is tried later. */
  run(bindingId: PhoneBindingId): Promise<void> {
    return this.inTurn(bindingId, async () => {
      for (let step = 0; step < MAX_STEPS; step += 1) {
        const binding = await this.#parts.store.bindings.binding(bindingId);
        if (binding === null || binding.retryAt === null || binding.retryAt > this.#parts.clock()) return;
        await this.#step(binding);
        this.#parts.host.changed(binding.consultationId);
      }
    });
  }

  /** Ends a binding: from now on nobody is connected, and its provider is told until it has understood. */
  async end(
    { bindingId, consultationId }: Pick<StoredBinding, 'bindingId' | 'consultationId'>,
    reason: PhoneUnboundReason,
    by: StoredBinding['createdBy'] = null,
  ): Promise<boolean> {
    const { store, clock, log } = this.#parts;
    const fact = { type: 'phone.unbound', bindingId, reason } as const;
    const ended = await store.bindings.beginUnbinding(bindingId, reason, { by, at: clock(), fact });
    if (ended) log.info('phone.unbound', { consultation: consultationId, reason });
    return ended;
  }

  async #step(binding: StoredBinding): Promise<void> {
    const { store, clock, log } = this.#parts;
    const { consultationId, state } = binding;
    try {
      const provider = providerOf(this.#parts, binding.provider);
      if (state === 'binding') await this.#bind(provider, binding);
      else if (state === 'bound') await this.#change(provider, binding);
      else if (state === 'unbinding') await this.#unbind(provider, binding);
    } catch (error) {
      const isGone = error instanceof AppError && (error.code === 'NOT_FOUND' || error.code === 'INTEGRITY');
      const isRefused = error instanceof RelayError && error.reason !== 'unavailable';
      if ((isGone || isRefused) && state !== 'unbinding') {
        log.error('phone.bindingFailed', { consultation: consultationId, reason: state, error });
        await this.end(binding, isGone ? 'consultation_ended' : 'failed');
        return;
      }
      const delay = retryDelay(PACE, binding.attempts + 1);
      log.warn('phone.providerRetry', {
        consultation: consultationId,
        reason: state,
        count: binding.attempts,
        error,
      });
      await store.bindings.retryLater(binding, Math.round(clock() + delay));
    }
  }

  async #bind(provider: RelayProvider, binding: StoredBinding): Promise<void> {
    const { store, seals, clock, log } = this.#parts;
    const { bindingId, consultationId, revision, expiresAt, createdBy } = binding;
    if (expiresAt <= clock()) {
      await this.end(binding, 'expired');
      return;
    }
    const bound = await this.#askToBind(provider, binding);
    const chosen =
      binding.xHash === null
        ? {
            relay: {
              xHash: seals.relayHashOf(bound.x),
              provider: provider.name,
              sealed: seals.sealRelay(bound.x),
            },
            hashes: hashesOf(seals, await numbersOf(this.#parts, binding)),
          }
        : null;
    if (chosen === null && seals.relayHashOf(bound.x) !== binding.xHash)
      throw new RelayError('refused', { detail: 'another relay number than was asked for' });
    const at = clock();
    const fact = { type: 'phone.bound', bindingId, expiresAt } as const;
    const news = { by: createdBy, at, fact };
    const marked = await store.bindings.markBound({ bindingId, revision, ref: bound.ref, chosen, news });
    if (marked === 'taken')
      throw new RelayError('refused', { detail: 'one of the two has this relay number already' });
    log.info('phone.bound', { consultation: consultationId, ms: at - binding.createdAt });
  }

  async #askToBind(provider: RelayProvider, binding: StoredBinding): Promise<BoundRelay> {
    const { settings } = this.#parts;
    const { bindingId, expiresAt, direction, recorded } = binding;
    const { a, b } = await numbersOf(this.#parts, binding);
    const x = await relayOf(this.#parts, binding);
    const { ringMs, maxTalkMs } = settings;
    return this.#ask(
      provider.bind({ bindingId, a, b, x, expiresAt, direction, recorded, ringMs, maxTalkMs }),
    );
  }

  async #change(provider: RelayProvider, binding: StoredBinding): Promise<void> {
    const { store } = this.#parts;
    const { bindingId, revision, people, changing } = binding;
    await this.#parts.decisionsMade();
    // Whoever was replaced is not to go on talking.
    for (const call of provider.capabilities.endsCalls ? await store.calls.runningOf(bindingId) : [])
      if (call.people.a !== people.a || call.people.b !== people.b)
        await this.#ask(provider.endCall(call.callRef, 'visit_ended'));
    const ref = changing.length === 0 ? null : await this.#changeNumbers(provider, binding);
    await store.bindings.markChanged(bindingId, revision, ref);
  }

  /** Answers how the provider calls it then. */
  async #changeNumbers(provider: RelayProvider, binding: StoredBinding): Promise<string> {
    const bound = await this.#boundOf(binding);
    if (bound === null) throw new RelayError('not_found');
    if (binding.changing.every((party) => provider.capabilities.changes.has(party))) {
      const numbers = await numbersOf(this.#parts, binding);
      const change: BindingChange = Object.fromEntries(
        binding.changing.map((party): [RelayParty, PhoneNumber] => [party, numbers[party]]),
      );
      await this.#ask(provider.change(bound, change));
      return bound.ref;
    }
    // Such a provider forgets the binding and is told of it anew; the number stays where we choose it.
    if (provider.capabilities.chooses === 'provider')
      throw new RelayError('refused', { detail: 'a change this provider does not know' });
    await this.#ask(provider.unbind(bound, 'visit_ended'));
    return (await this.#askToBind(provider, binding)).ref;
  }

  async #unbind(provider: RelayProvider, binding: StoredBinding): Promise<void> {
    const { store, clock } = this.#parts;
    await this.#parts.decisionsMade();
    const bound = (await this.#boundOf(binding)) ?? (await this.#boundMeanwhile(provider, binding));
    if (bound !== null)
      try {
        await this.#ask(provider.unbind(bound, spokenFor(binding.unboundReason)));
      } catch (error) {
        if (!(error instanceof RelayError && error.reason === 'not_found')) throw error;
      }
    await store.bindings.markUnbound(binding.bindingId, clock());
  }

  /** The provider may have bound what it was asked for just before the server died. Asking again says how it calls it. */
  async #boundMeanwhile(provider: RelayProvider, binding: StoredBinding): Promise<BoundRelay | null> {
    try {
      return await this.#askToBind(provider, binding);
    } catch (error) {
      if (error instanceof RelayError && error.reason !== 'unavailable') return null;
      // Erased with its consultation: nobody can be connected by it here, and there is nothing left to ask with.
      if (error instanceof AppError && (error.code === 'NOT_FOUND' || error.code === 'INTEGRITY')) {
        this.#parts.log.error('phone.unbindUnknown', { consultation: binding.consultationId, error });
        return null;
      }
      throw error;
    }
  }

  async #boundOf(binding: StoredBinding): Promise<BoundRelay | null> {
    const { bindingId, ref } = binding;
    const x = await relayOf(this.#parts, binding);
    return ref === null || x === null ? null : { bindingId, ref, x };
  }

  #ask<T>(asked: Promise<T>): Promise<T> {
    return within(
      this.#parts.settings.providerMs,
      asked,
      () => new RelayError('unavailable', { detail: 'slow' }),
    );
  }
}

function spokenFor(reason: PhoneUnboundReason | null): PromptId {
  switch (reason) {
    case 'refused':
      return 'refused';
    case 'expired':
      return 'time_over';
    case 'consultation_ended':
    case 'released':
    case 'failed':
    case null:
      return 'visit_ended';
    default: {
      const unreachable: never = reason;
      return unreachable;
    }
  }
}
