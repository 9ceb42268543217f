import type { FollowUpBoard, FollowUpId, FollowUpOutcome, NoteId } from '@teleconsult/protocol';
import type { CallOptions } from '../api.ts';
import type { ClientIds } from './client-ids.ts';
import { askOnce, askUntilAnswered, type RecordParts } from './record-parts.ts';

interface Plan {
  readonly dueAt: number;
  readonly reason: string;
}

/** What is done with follow-ups. */
export class FollowUpActs {
  readonly #parts: RecordParts & { readonly ids: ClientIds };

  constructor(parts: RecordParts & { readonly ids: ClientIds }) {
    this.#parts = parts;
  }

  async list(options?: CallOptions): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    return (await signalling.request('followUp.list', { consultationId }, options)).board;
  }

  plan(
    { dueAt, reason }: Plan,
    options?: CallOptions,
  ): Promise<{ board: FollowUpBoard; followUpId: FollowUpId }> {
    const { signalling, consultationId, ids } = this.#parts;
    const plan = { consultationId, dueAt, reason };
    return ids.use(['followUp', plan], (clientFollowUpId) => {
      const ask = () => signalling.request('followUp.plan', { ...plan, clientFollowUpId }, options);
      return askUntilAnswered(this.#parts, ask, options);
    });
  }

  change(followUpId: FollowUpId, { dueAt, reason }: Plan, options?: CallOptions): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    const payload = { consultationId, followUpId, dueAt, reason };
    return this.#once(signalling.request('followUp.change', payload, options), options);
  }

  cancel(followUpId: FollowUpId, options?: CallOptions): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    return this.#once(
      signalling.request('followUp.cancel', { consultationId, followUpId }, options),
      options,
    );
  }

  begin(followUpId: FollowUpId, options?: CallOptions): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    return this.#once(signalling.request('followUp.begin', { consultationId, followUpId }, options), options);
  }

  complete(
    followUpId: FollowUpId,
    { outcome, noteId }: { readonly outcome: FollowUpOutcome; readonly noteId?: string },
    options?: CallOptions,
  ): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    const note = noteId === undefined ? {} : { noteId: noteId as NoteId };
    const payload = { consultationId, followUpId, outcome, ...note };
    return this.#once(signalling.request('followUp.complete', payload, options), options);
  }

  /** No is asked until the server has heard it. */
  async refuseContact(refused: boolean, options?: CallOptions): Promise<FollowUpBoard> {
    const { signalling, consultationId } = this.#parts;
    const ask = () => signalling.request('contact.set', { consultationId, refused }, options);
    return refused ? (await askUntilAnswered(this.#parts, ask, options)).board : this.#once(ask(), options);
  }

  async #once(asking: Promise<{ board: FollowUpBoard }>, options?: CallOptions): Promise<FollowUpBoard> {
    return (await askOnce(this.#parts, asking, options)).board;
  }
}
