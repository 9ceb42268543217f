import type { PersonId, QueuePlace } from '@teleconsult/protocol';
import type { ConsultationEvents } from './api.ts';
import type { Emitter } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { Snapshot } from './thread-follower.ts';
import { TypingBoard } from './typing-board.ts';

export interface PeopleBoardOptions {
  readonly self: () => PersonId | null;
  readonly life: Lifetime;
  readonly events: Emitter<ConsultationEvents>;
}

/** What the people of a consultation do now: who is online, who types, who waits at which place. */
export class PeopleBoard {
  readonly typing: TypingBoard;
  readonly #events: Emitter<ConsultationEvents>;
  #queue: QueuePlace | null = null;
  #online: readonly PersonId[] = [];

  constructor({ self, life, events }: PeopleBoardOptions) {
    this.#events = events;
    this.typing = new TypingBoard({
      self,
      life,
      onChange: () => events.emit('typing', this.typing.typing),
    });
  }

  get queue(): QueuePlace | null {
    return this.#queue;
  }

  get online(): readonly PersonId[] {
    return this.#online;
  }

  handleSnapshot({ queue, online }: Pick<Snapshot, 'queue' | 'online'>): void {
    this.handleQueue(queue);
    this.#setOnline(online);
    // Whoever still types says so again.
    this.typing.clear();
  }

  handleQueue(place: QueuePlace | null): void {
    const before = this.#queue;
    if (before?.position === place?.position && before?.estimateMs === place?.estimateMs) return;
    this.#queue = place;
    this.#events.emit('queue', place);
  }

  handlePresence(personId: PersonId, isOnline: boolean): void {
    const others = this.#online.filter((person) => person !== personId);
    this.#setOnline(isOnline ? [...others, personId] : others);
  }

  #setOnline(online: readonly PersonId[]): void {
    const isSame =
      online.length === this.#online.length && online.every((person) => this.#online.includes(person));
    if (isSame) return;
    this.#online = online;
    this.#events.emit('online', online);
  }
}
