import { Changes } from './changes.ts';

/**
 * How the others are heard in this page: one for its whole life, as there is one call at a time. The element that plays
 * sets `play`; whoever offers a control calls it.
 */
export class CallSound {
  readonly changes = new Changes();
  /** The browser wants a tap before it plays anything. */
  isBlocked = false;
  /** The speaker that was chosen; null: the system's. */
  speaker: string | null = null;
  /** Plays what is blocked. Call it inside a click. */
  play: (() => void) | null = null;

  blockedIs(isBlocked: boolean): void {
    if (this.isBlocked === isBlocked) return;
    this.isBlocked = isBlocked;
    this.changes.announce();
  }
}
