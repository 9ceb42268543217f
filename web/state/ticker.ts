import type { ReactiveController, ReactiveControllerHost } from 'lit';

interface TickerOptions {
  readonly everyMs: number;
  /** Asked after every rendering: should the clock run? */
  readonly running: () => boolean;
}

/** Renders its host again and again while something in it shows running time. */
export class Ticker implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #options: TickerOptions;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(host: ReactiveControllerHost, options: TickerOptions) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostConnected(): void {
    this.#host.requestUpdate();
  }

  hostUpdated(): void {
    if (!this.#options.running()) this.#stop();
    else this.#timer ??= setInterval(() => this.#host.requestUpdate(), this.#options.everyMs);
  }

  hostDisconnected(): void {
    this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
