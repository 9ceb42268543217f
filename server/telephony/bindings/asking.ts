import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type PersonId,
  type PhoneBindingId,
  type PhoneDirection,
} from '@teleconsult/protocol';
import { type PhoneContext } from './context.ts';
import { COUNTED_MS } from './decisions.ts';
import { mayDial } from './destinations.ts';
import { hashesOf } from './hashes.ts';
import { type PairNumbers, sealPair } from './phone-seals.ts';
import type { StoredBinding } from './store.ts';
import { type Pair, pairOf, relayDirection } from './visit-pair.ts';

export interface BindWish {
  readonly clientBindingId: string;
  readonly direction: PhoneDirection;
  readonly recorded: boolean;
}

/** Asks for a relay number between the two of a consultation. Two who ask at once get one. */
export class Asking {
  readonly #context: PhoneContext;

  constructor(context: PhoneContext) {
    this.#context = context;
  }

  /**
   * The binding there is, or a new one that its provider does not know yet.
   * @param by null: the rule
   * @throws AppError FORBIDDEN, WRONG_STATE, CONFLICT, RATE_LIMITED, NOT_CONFIGURED, INVALID
   */
  async ask(view: ConsultationView, by: PersonId | null, wish: BindWish): Promise<StoredBinding> {
    const { store } = this.#context;
    const { consultationId } = view;
    const direction = relayDirection(view, wish.direction);
    const said = await store.bindings.bindingByClient(consultationId, by, wish.clientBindingId);
    if (said !== null) {
      if (said.direction !== direction || said.recorded !== wish.recorded) throw new AppError('CONFLICT');
      return said;
    }
    if (view.phase !== 'active' && view.phase !== 'waiting')
      throw new AppError('WRONG_STATE', { detail: 'the visit is not running' });
    const open = await store.bindings.openBinding(consultationId);
    if (open !== null) return asTheirs(open, by);
    const people = pairOf(view, by);
    if (people === null)
      throw new AppError('WRONG_STATE', { detail: 'there are no two to phone each other' });
    const bindingId = await this.#create(view, { by, wish, people, direction });
    const created = await store.bindings.binding(bindingId);
    if (created === null) throw new AppError('STORAGE_UNAVAILABLE');
    return asTheirs(created, by);
  }

  async #create(
    view: ConsultationView,
    asked: {
      readonly by: PersonId | null;
      readonly wish: BindWish;
      readonly people: Pair;
      readonly direction: StoredBinding['direction'];
    },
  ): Promise<PhoneBindingId> {
    const { store, host, seals, settings, ids, clock, providers } = this.#context;
    const { consultationId } = view;
    const { by, wish, people, direction } = asked;
    const [provider] = providers;
    if (provider === undefined) throw new AppError('NOT_CONFIGURED');
    if (wish.recorded && provider.capabilities.recording === 'none')
      throw new AppError('NOT_CONFIGURED', { detail: 'recorded: this provider does not record' });
    const numbers = await this.#numbersOf(people);
    const { key } = await host.sealing(consultationId);
    const bindingId = ids.phoneBindingId();
    const now = clock();
    const result = await store.bindings.createBinding({
      bindingId,
      consultationId,
      clientBindingId: wish.clientBindingId,
      createdBy: by,
      people,
      direction,
      recorded: wish.recorded,
      provider: provider.name,
      createdAt: now,
      expiresAt: this.#expiryOf(view, now, provider.capabilities.minLifetimeMs),
      sealed: sealPair(key, bindingId, numbers),
      hashes: hashesOf(seals, numbers),
      fromPool: provider.capabilities.chooses === 'us',
      pairsPerRelay: settings.pairsPerRelay,
      restsSince: now - settings.coolDownMs,
      atMost: settings.limits.bindingsPerConsultation,
      countedSince: now - COUNTED_MS,
    });
    switch (result) {
      case 'created':
        return bindingId;
      case 'exists':
        return this.#theOneOf(consultationId, by, wish.clientBindingId);
      case 'refused':
        throw new AppError('FORBIDDEN', { detail: 'one of the two does not want to be phoned' });
      case 'no_relay':
        this.#context.log.warn('phone.noRelay', { consultation: consultationId });
        throw new AppError('OVERLOADED', { detail: 'no relay number is free' });
      case 'limit':
        throw new AppError('RATE_LIMITED', { detail: 'too many relay numbers for this visit today' });
      default: {
        const unreachable: never = result;
        return unreachable;
      }
    }
  }

  async #theOneOf(
    consultationId: ConsultationId,
    by: PersonId | null,
    clientBindingId: string,
  ): Promise<PhoneBindingId> {
    const { bindings } = this.#context.store;
    const found =
      (await bindings.openBinding(consultationId)) ??
      (await bindings.bindingByClient(consultationId, by, clientBindingId));
    // Given back in between: whoever asks again finds none and gets a new one.
    if (found === null) throw new AppError('OVERLOADED', { detail: 'try again' });
    return found.bindingId;
  }

  async #numbersOf({ a, b }: Pair): Promise<PairNumbers> {
    const { store, seals, settings } = this.#context;
    const [ofA, ofB] = await Promise.all([store.numbers.number(a), store.numbers.number(b)]);
    if (ofA === null || ofB === null)
      throw new AppError('WRONG_STATE', { detail: 'a telephone number is not known' });
    const numbers = { a: seals.openPersonNumber(a, ofA.sealed), b: seals.openPersonNumber(b, ofB.sealed) };
    if (numbers.a === numbers.b) throw new AppError('WRONG_STATE', { detail: 'both have the same number' });
    if (!mayDial(numbers.a, settings.destinations) || !mayDial(numbers.b, settings.destinations))
      throw new AppError('WRONG_STATE', { detail: 'a telephone number may not be dialled' });
    return numbers;
  }

  /** From the visit's start; a number asked for late is good for a while all the same. */
  #expiryOf({ phase, phaseSince, createdAt }: ConsultationView, now: number, leastMs: number): number {
    const { lifetimeMs, shortestLifetimeMs } = this.#context.settings;
    const start = phase === 'active' ? phaseSince : createdAt;
    return Math.max(start + lifetimeMs, now + shortestLifetimeMs, now + leastMs);
  }
}

/** @throws AppError WRONG_STATE for a second doctor: a visit has one relay number, and it is not for them */
function asTheirs(binding: StoredBinding, by: PersonId | null): StoredBinding {
  const { a, b } = binding.people;
  if (by === null || by === a || by === b) return binding;
  throw new AppError('WRONG_STATE', { detail: 'the visit has a relay number between two others' });
}
