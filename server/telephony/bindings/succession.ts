import { AppError, type PersonId, type PhoneBindingId } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import type { RelayParty } from '../ports.ts';
import { numbersOf, type PhoneContext } from './context.ts';
import { mayDial } from './destinations.ts';
import { hashesOf } from './hashes.ts';
import { type PairNumbers, sealPair } from './phone-seals.ts';
import type { ProviderWork } from './provider-work.ts';
import type { StoredBinding } from './store.ts';
import { type Pair, successorsOf } from './visit-pair.ts';

/**
 * Puts other people, or other numbers, behind a relay number that stays. Where that cannot be (nobody follows, no number is
 * known, the number would be mistaken for another visit's) it is given back.
 */
export class Succession {
  readonly #context: PhoneContext;
  readonly #work: ProviderWork;

  constructor(context: PhoneContext, work: ProviderWork) {
    this.#context = context;
    this.#work = work;
  }

  /**
   * Brings a binding to what the visit and the telephone book say now: whoever has left is followed by who took their place, a
   * new number takes the place of a former one, and a refusal ends it. Nothing of what is told is relied upon, so it does not
   * matter how late and in which order it is told. True: something was changed, and its provider is to be asked.
   */
  follow(bindingId: PhoneBindingId): Promise<boolean> {
    // In the binding's turn, so that the provider is never asked for people who are being replaced.
    return this.#work.inTurn(bindingId, async () => {
      const binding = await this.#context.store.bindings.binding(bindingId);
      if (binding === null || binding.state === 'unbinding' || binding.state === 'unbound') return false;
      try {
        return await this.#follow(binding);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
        // Erased with its consultation.
        return this.#work.end(binding, 'consultation_ended');
      }
    });
  }

  /** A person's number was changed, or is known no more. Every binding is tried; answers those whose provider is to be asked. */
  async renumber(personId: PersonId): Promise<readonly PhoneBindingId[]> {
    const bindings = await this.#context.store.bindings.openBindingsOf(personId);
    const followed = await Promise.allSettled(
      bindings.map(async ({ bindingId }) => ((await this.follow(bindingId)) ? [bindingId] : [])),
    );
    return followed.flatMap((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  async #follow(binding: StoredBinding): Promise<boolean> {
    const view = await this.#context.host.view(binding.consultationId);
    if (view.phase === 'ended') return this.#work.end(binding, 'consultation_ended');
    const people = successorsOf(view, binding.people);
    if (people === null) return this.#work.end(binding, 'released');
    return this.#replace(binding, people);
  }

  async #replace(binding: StoredBinding, people: Pair): Promise<boolean> {
    const { store, host, seals, settings, clock } = this.#context;
    const { bindingId } = binding;
    const refusals = await store.bindings.refusals(binding.consultationId);
    if (refusals.some(({ personId }) => personId === people.a || personId === people.b))
      return this.#work.end(binding, 'refused');
    const numbers = await this.#numbersOf(people);
    if (numbers === null || numbers.a === numbers.b) return this.#work.end(binding, 'released');
    const before = await numbersOf(this.#context, binding);
    const replaced = (['a', 'b'] as const).filter(
      (party: RelayParty) => numbers[party] !== before[party] || people[party] !== binding.people[party],
    );
    if (replaced.length === 0) return false;
    const { key } = await host.sealing(binding.consultationId);
    const at = clock();
    const result = await store.bindings.replacePeople({
      bindingId,
      revision: binding.revision,
      people,
      replaced,
      hashes: hashesOf(seals, numbers),
      sealed: sealPair(key, bindingId, numbers),
      at,
      restsSince: at - settings.coolDownMs,
    });
    return result === 'replaced' || this.#work.end(binding, 'released');
  }

  async #numbersOf({ a, b }: Pair): Promise<PairNumbers | null> {
    const { destinations } = this.#context.settings;
    const [one, other] = [await this.#numberOf(a), await this.#numberOf(b)];
    if (one === null || other === null) return null;
    return mayDial(one, destinations) && mayDial(other, destinations) ? { a: one, b: other } : null;
  }

  async #numberOf(personId: PersonId): Promise<PhoneNumber | null> {
    const { store, seals } = this.#context;
    const stored = await store.numbers.number(personId);
    return stored === null ? null : seals.openPersonNumber(personId, stored.sealed);
  }
}
