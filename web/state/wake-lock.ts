/** Keeps the screen on during a video call. Browsers drop the lock with the tab; it is taken again on return. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  readonly #onVisible = (): void => {
    if (document.visibilityState === 'visible') void this.#take();
  };

  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) {
      document.addEventListener('visibilitychange', this.#onVisible);
      void this.#take();
    } else {
      document.removeEventListener('visibilitychange', this.#onVisible);
      void this.#lock?.release().catch(() => undefined);
      this.#lock = null;
    }
  }

  async #take(): Promise<void> {
    try {
      const lock = await navigator.wakeLock?.request('screen');
      if (this.#wanted) this.#lock = lock ?? null;
      else await lock?.release();
    } catch {
      // A low battery refuses the lock; the call is not hurt by it.
    }
  }
}
