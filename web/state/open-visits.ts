import type { VisitModel } from './visit-model.ts';

/** How many consultations a doctor's page follows at once; a running one is never let go. */
const MAX_OPEN = 8;

/** The consultations the doctor's page follows, least recently looked at first. */
export class OpenVisits {
  readonly #follow: (consultationId: string) => Promise<VisitModel>;
  readonly #open = new Map<string, VisitModel>();
  readonly #opening = new Map<string, Promise<VisitModel>>();

  constructor(follow: (consultationId: string) => Promise<VisitModel>) {
    this.#follow = follow;
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
      if (this.#open.size <= MAX_OPEN) return;
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
