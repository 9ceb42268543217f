/** A consultation that is followed, as far as it matters whether it may be let go. */
export interface FollowedVisit {
  readonly call: object | null;
  readonly visit: { readonly outbox: readonly object[]; readonly draft: string };
  readonly replyTo: object | null;
  /** A dictation of it runs on this device. */
  readonly isDictating?: boolean;
  close(): Promise<void>;
}

interface OpenVisitsOptions<Visit> {
  readonly follow: (consultationId: string) => Promise<Visit>;
  /** The one on the screen. */
  readonly shownId: () => string | null;
  /** How many are followed at once. */
  readonly most?: number;
}

const MAX_OPEN = 8;

/**
 * The consultations that a page follows, least recently looked at first. The one on the screen, and one with a call, with
 * something unsent or begun, is never let go: letting go would not end the call, but nothing would be told of it any more.
 */
export class OpenVisits<Visit extends FollowedVisit> {
  readonly #options: OpenVisitsOptions<Visit>;
  readonly #open = new Map<string, Visit>();
  readonly #opening = new Map<string, Promise<Visit>>();

  constructor(options: OpenVisitsOptions<Visit>) {
    this.#options = options;
  }

  get all(): readonly Visit[] {
    return [...this.#open.values()];
  }

  find(consultationId: string | null): Visit | undefined {
    return consultationId === null ? undefined : this.#open.get(consultationId);
  }

  /** A consultation that this person takes no part in any more. */
  drop(consultationId: string): void {
    const model = this.#open.get(consultationId);
    this.#open.delete(consultationId);
    void model?.close().catch(() => undefined);
  }

  /** Opened once, however many ask at the same time. */
  async open(consultationId: string): Promise<Visit> {
    const open = this.#open.get(consultationId);
    if (open !== undefined) {
      this.#open.delete(consultationId);
      this.#open.set(consultationId, open);
      return open;
    }
    let opening = this.#opening.get(consultationId);
    if (opening === undefined) {
      opening = this.#options.follow(consultationId).finally(() => this.#opening.delete(consultationId));
      this.#opening.set(consultationId, opening);
    }
    const model = await opening;
    this.#open.set(consultationId, model);
    this.#letGo(consultationId);
    return model;
  }

  #letGo(keptId: string): void {
    const { shownId, most = MAX_OPEN } = this.#options;
    for (const [id, model] of this.#open) {
      if (this.#open.size <= most) return;
      const isNeeded =
        id === shownId() ||
        model.call !== null ||
        model.visit.outbox.length > 0 ||
        model.visit.draft !== '' ||
        model.replyTo !== null ||
        model.isDictating === true;
      if (id === keptId || isNeeded) continue;
      this.#open.delete(id);
      void model.close().catch(() => undefined);
    }
  }
}
