import type { VisitModel } from './visit-model.ts';

/** How many consultations a page follows at once, where it does not say otherwise. */
const MAX_OPEN = 8;

/**
 * The consultations that a page follows, least recently looked at first. One with a call, with something unsent or
 * begun is never let go: letting go would not end the call, but nothing would be told of it any more.
 */
export class OpenVisits {
  readonly #follow: (consultationId: string) => Promise<VisitModel>;
  readonly #open = new Map<string, VisitModel>();
  readonly #opening = new Map<string, Promise<VisitModel>>();
  readonly #most: number;

  constructor(follow: (consultationId: string) => Promise<VisitModel>, most = MAX_OPEN) {
    this.#follow = follow;
    this.#most = most;
  }

  get all(): readonly VisitModel[] {
    return [...this.#open.values()];
  }

  find(consultationId: string | null): VisitModel | undefined {
    return consultationId === null ? undefined : this.#open.get(consultationId);
  }

  /** A consultation that this person takes no part in any more. */
  drop(consultationId: string): void {
    const model = this.#open.get(consultationId);
    this.#open.delete(consultationId);
    void model?.close().catch(() => undefined);
  }

  /** Opened once, however many ask at the same time. */
  async open(consultationId: string): Promise<VisitModel> {
    const open = this.#open.get(consultationId);
    if (open !== undefined) {
      this.#open.delete(consultationId);
      this.#open.set(consultationId, open);
      return open;
    }
    let opening = this.#opening.get(consultationId);
    if (opening === undefined) {
      opening = this.#follow(consultationId).finally(() => this.#opening.delete(consultationId));
      this.#opening.set(consultationId, opening);
    }
    const model = await opening;
    this.#open.set(consultationId, model);
    this.#letGo(consultationId);
    return model;
  }

  #letGo(keptId: string): void {
    for (const [id, model] of this.#open) {
      if (this.#open.size <= this.#most) return;
      const isNeeded =
        model.call !== null ||
        model.visit.outbox.length > 0 ||
        model.visit.draft !== '' ||
        model.replyTo !== null;
      if (id === keptId || isNeeded) continue;
      this.#open.delete(id);
      void model.close().catch(() => undefined);
    }
  }
}
