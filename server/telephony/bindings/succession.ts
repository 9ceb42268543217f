import type { ConsultationView, PersonId } from '@teleconsult/protocol';
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

  /** Whoever has left the consultation is followed by who took their place. */
  async handOver(view: ConsultationView, binding: StoredBinding): Promise<void> {
    const people = successorsOf(view, binding.people);
    if (people === null) await this.#work.end(binding, 'released');
    else if (people.a !== binding.people.a || people.b !== binding.people.b)
      await this.#replace(binding, people);
    else return;
    await this.#work.run(binding.bindingId);
  }

  /** A person's number was changed, or is known no more. */
  async renumber(personId: PersonId): Promise<void> {
    for (const binding of await this.#context.store.bindings.openBindingsOf(personId)) {
      await this.#replace(binding, binding.people);
      await this.#work.run(binding.bindingId);
    }
  }

  /** In the binding's turn, so that the provider is never asked for people who are being replaced. */
  async #replace({ bindingId }: StoredBinding, people: Pair): Promise<void> {
    await this.#work.inTurn(bindingId, async () => {
      const { store, host, seals, settings, clock } = this.#context;
      const binding = await store.bindings.binding(bindingId);
      if (binding === null || binding.state === 'unbinding' || binding.state === 'unbound') return;
      const numbers = await this.#numbersOf(people);
      const refusals = await store.bindings.refusals(binding.consultationId);
      if (refusals.some(({ personId }) => personId === people.a || personId === people.b)) {
        await this.#work.end(binding, 'refused');
        return;
      }
      if (numbers === null || numbers.a === numbers.b) {
        await this.#work.end(binding, 'released');
        return;
      }
      const before = await numbersOf(this.#context, binding);
      const replaced = (['a', 'b'] as const).filter(
        (party: RelayParty) => numbers[party] !== before[party] || people[party] !== binding.people[party],
      );
      if (replaced.length === 0) return;
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
      if (result !== 'replaced') await this.#work.end(binding, 'released');
    });
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
