import type {
  ContactCard,
  ContactCardOptions,
  Phone,
  PhoneBindingView,
  PhoneBoard,
  PhoneCallView,
  PhoneEvents,
  PhoneWish,
} from '@teleconsult/client-sdk/phone';
import { contactCard } from '@teleconsult/client-sdk/phone/contact-card';
import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import { AppError, type ErrorCode } from '@teleconsult/protocol/errors';
import { MockEvents } from './mock-events.ts';
import * as ids from './mock-ids.ts';

const NOTHING: PhoneBoard = {
  available: false,
  reachable: [],
  refused: [],
  label: '',
  recording: 'off',
  bindings: [],
};
const LIFETIME_MS = 3 * 3_600_000;

/** Masked calls in memory: a number is there after a moment. */
export class MockPhone implements Phone {
  readonly consultationId: ConsultationId;
  readonly #events = new MockEvents<PhoneEvents>();
  readonly on = this.#events.on;
  board: PhoneBoard = NOTHING;
  self: PersonId = ids.personId('doctor-1');
  people: readonly PersonId[] = [];
  /** How long the provider takes for a number. */
  bindsAfterMs = 300;
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** What these requests fail with, each once. */
  readonly refusals = new Map<string, ErrorCode>();
  /** The last card that was written. */
  card: ContactCard | null = null;

  constructor(consultationId: ConsultationId) {
    this.consultationId = consultationId;
  }

  async load(): Promise<void> {
    this.#ask('load');
  }

  /** The clinic has masked calls, and knows the numbers of these. */
  reaches(people: readonly PersonId[], label: string): void {
    this.people = people;
    this.become({ available: true, reachable: [...people], label });
  }

  become(change: Partial<PhoneBoard>): void {
    this.board = { ...this.board, ...change };
    this.#events.emit('board', this.board);
  }

  async bind({ direction = 'both', recorded = false }: PhoneWish = {}): Promise<PhoneBindingView> {
    this.#ask(`bind ${direction} ${recorded}`);
    return this.add({ direction, recorded });
  }

  add(change: Partial<PhoneBindingView> = {}): PhoneBindingView {
    const binding: PhoneBindingView = {
      bindingId: ids.phoneBindingId(),
      people: this.people.slice(0, 2),
      number: null,
      direction: 'both',
      state: 'binding',
      createdBy: this.self,
      createdAt: Date.now(),
      expiresAt: Date.now() + LIFETIME_MS,
      unboundReason: null,
      recorded: false,
      call: null,
      ...change,
    };
    this.become({ bindings: [binding, ...this.board.bindings] });
    if (binding.state === 'binding')
      setTimeout(() => this.change({ state: 'bound', number: '+8617000003333' }), this.bindsAfterMs);
    return binding;
  }

  /** Changes the newest binding. */
  change(change: Partial<PhoneBindingView>): void {
    const [newest, ...former] = this.board.bindings;
    if (newest !== undefined) this.become({ bindings: [{ ...newest, ...change }, ...former] });
  }

  calls(caller: PersonId, state: PhoneCallView['state'], since = Date.now()): void {
    const [newest] = this.board.bindings;
    const recorded = newest?.recorded ?? false;
    this.change({ call: { phoneCallId: ids.phoneCallId(), caller, state, since, recorded } });
  }

  async unbind(bindingId: string): Promise<PhoneBoard> {
    this.#ask(`unbind ${bindingId}`);
    this.change({ state: 'unbound', number: null, call: null, unboundReason: 'released' });
    return this.board;
  }

  async setRefused(refused: boolean): Promise<PhoneBoard> {
    this.#ask(`setRefused ${refused}`);
    return this.refuses(this.self, refused);
  }

  refuses(personId: PersonId, refused: boolean): PhoneBoard {
    const others = this.board.refused.filter((refusal) => refusal.personId !== personId);
    this.become({ refused: refused ? [...others, { personId, since: Date.now() }] : others });
    if (refused) this.change({ state: 'unbound', number: null, call: null, unboundReason: 'refused' });
    return this.board;
  }

  async join(_callId: string, personId: string): Promise<void> {
    this.#ask(`join ${personId}`);
  }

  contactCard(binding: PhoneBindingView, options?: ContactCardOptions): ContactCard {
    this.card = contactCard(binding, this.board.label, options);
    return this.card;
  }

  close(): void {}

  #ask(what: string): void {
    this.asked.push(what);
    const [name = ''] = what.split(' ');
    const code = this.refusals.get(name);
    if (code === undefined) return;
    this.refusals.delete(name);
    throw new AppError(code);
  }
}
