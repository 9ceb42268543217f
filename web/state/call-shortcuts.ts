import type { ReactiveController, ReactiveControllerHost } from 'lit';

export type ShortcutKey = 'm' | 'v' | 's';

const KEYS: ReadonlySet<string> = new Set<ShortcutKey>(['m', 'v', 's']);

const isShortcut = (key: string): key is ShortcutKey => KEYS.has(key);

const STORAGE_KEY = 'teleconsult.call-shortcuts';

/** Whether the person has left the single keys on; whoever speaks to the computer switches them off (WCAG 2.1.4). */
export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) !== 'off';
  } catch {
    return true;
  }
}

export function setShortcuts(on: boolean): void {
  try {
    localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off');
  } catch {
    // Without storage they stay on, which the sheet shows.
  }
}

/** Whether a key pressed here is meant as text, or for the field it is pressed in. */
export function takesText(target: EventTarget | undefined): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select, [role="textbox"]');
}

/**
 * Single keys for the call: M, V and S. Only while no text field has the focus, nothing is held with them, and no dialog is
 * open. `press` answers whether it did something.
 */
export class CallShortcuts implements ReactiveController {
  readonly #press: (key: ShortcutKey) => boolean;

  constructor(host: ReactiveControllerHost, press: (key: ShortcutKey) => boolean) {
    this.#press = press;
    host.addController(this);
  }

  hostConnected(): void {
    addEventListener('keydown', this.#onKey);
  }

  hostDisconnected(): void {
    removeEventListener('keydown', this.#onKey);
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const key = event.key.toLowerCase();
    const path = event.composedPath();
    const isInDialog = path.some((node) => node instanceof HTMLDialogElement);
    if (!isShortcut(key) || !shortcutsOn() || isInDialog || takesText(path[0])) return;
    if (this.#press(key)) event.preventDefault();
  };
}
