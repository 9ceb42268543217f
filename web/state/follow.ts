import type { ReactiveController, ReactiveControllerHost } from 'lit';

interface FollowOptions<Subject extends object> {
  /** The object to follow at this moment. */
  readonly subject: () => Subject | null;
  /** Subscribes; what it returns is called when the subject is replaced or the element leaves the page. */
  readonly subscribe: (subject: Subject, update: () => void) => readonly (() => void)[];
}

/** Keeps an element subscribed to exactly the object it shows, for exactly as long as it is in the page. */
export class Follow<Subject extends object> implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #options: FollowOptions<Subject>;
  #subject: Subject | null = null;
  #stops: readonly (() => void)[] = [];

  constructor(host: ReactiveControllerHost, options: FollowOptions<Subject>) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostConnected(): void {
    this.#host.requestUpdate();
  }

  hostUpdate(): void {
    const subject = this.#options.subject();
    if (subject === this.#subject) return;
    this.#stop();
    this.#subject = subject;
    if (subject !== null) this.#stops = this.#options.subscribe(subject, () => this.#host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#stop();
    this.#subject = null;
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }
}
