import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Announcement } from './announcements.ts';
import type { Card } from './card.ts';
import { DocumentWindow, offersDocumentWindow } from './document-window.ts';
import type { FloatingForm, FloatingState } from './floating-call-api.ts';
import { PageWindow } from './page-window.ts';
import type { Size } from './placement.ts';
import { offersVideoWindow, type VideoLook, VideoWindow } from './video-window.ts';
import type { Words } from './words.ts';

/** Where the call is seen now. Exactly one of these, so that there are never two windows. */
type Shown =
  | { readonly kind: 'none' }
  | { readonly kind: 'expanded' }
  | { readonly kind: 'page' }
  | { readonly kind: 'document'; readonly window: DocumentWindow }
  | { readonly kind: 'video'; readonly size: () => Size };

interface FormsOptions {
  readonly card: Card;
  readonly host: HTMLElement;
  /** The person closed a window outside of the page; the call is in the page again. */
  readonly onClosed: () => void;
  /** The size of what is seen may be another. */
  readonly onMoved: () => void;
}

export function offeredForms(): readonly FloatingForm[] {
  return [
    ...(offersDocumentWindow() ? ['document' as const] : []),
    ...(offersVideoWindow() ? ['video' as const] : []),
    'page',
  ];
}

/** The three forms of the window, and the changes from one to another. */
export class Forms {
  readonly #options: FormsOptions;
  readonly page: PageWindow;
  readonly video: VideoWindow;
  #shown: Shown = { kind: 'none' };
  /** Rises with each change that is asked for: a window that opens late finds out that it is not wanted any more. */
  #wish = 0;

  constructor(options: FormsOptions) {
    this.#options = options;
    this.page = new PageWindow(options.card, options.onMoved);
    this.video = new VideoWindow(() => this.#handleClosed());
  }

  get state(): FloatingState {
    return this.#shown.kind;
  }

  /** What is seen of the picture by itself, where that is not the card. */
  get videoSize(): Size | null {
    return this.#shown.kind === 'video' ? this.#shown.size() : null;
  }

  /** Into a form that always succeeds. */
  show(kind: 'none' | 'expanded' | 'page'): void {
    if (this.#shown.kind === kind) return;
    this.#wish += 1;
    this.#leave();
    this.#shown = { kind };
    if (kind === 'page') this.page.open();
  }

  /** Into a window outside of the page. False: the browser refused, or something else was asked for meanwhile. */
  async open(form: 'document' | 'video', look: VideoLook): Promise<boolean> {
    if (this.#shown.kind === form) return true;
    this.#wish += 1;
    const wish = this.#wish;
    // The browser has one such window at a time and closes the former by itself, as if the person did.
    if (this.#shown.kind === 'document' || this.#shown.kind === 'video') this.#toPage();
    try {
      return form === 'document' ? await this.#openDocument(wish) : await this.#openVideo(wish, look);
    } catch {
      return false;
    }
  }

  name(words: Words, name: string | null, lang: string): void {
    this.page.name(words, name);
    if (this.#shown.kind === 'document') this.#shown.window.name(words.window(name), lang);
  }

  /** Says it in the window in which the person works. False: that is the page. */
  say(announcements: readonly Announcement[]): boolean {
    if (this.#shown.kind !== 'document' || !this.#shown.window.hasFocus) return false;
    this.#shown.window.say(announcements);
    return true;
  }

  async #openDocument(wish: number): Promise<boolean> {
    const { card, host, onMoved } = this.#options;
    const opened = await DocumentWindow.open({
      card,
      host,
      size: { width: 320, height: card.isTall ? 280 : 150 },
      onClosed: () => this.#handleClosed(),
      onResized: onMoved,
    });
    if (wish !== this.#wish) {
      this.page.takeCard();
      opened.close();
      return false;
    }
    this.#leave();
    this.#shown = { kind: 'document', window: opened };
    return true;
  }

  async #openVideo(wish: number, look: VideoLook): Promise<boolean> {
    const size = await this.video.open(look);
    if (wish !== this.#wish) {
      this.video.close();
      return false;
    }
    this.#leave();
    this.#shown = { kind: 'video', size };
    return true;
  }

  #leave(): void {
    switch (this.#shown.kind) {
      case 'none':
      case 'expanded':
        return;
      case 'page':
        this.page.close();
        return;
      case 'document':
        this.page.takeCard();
        this.#shown.window.close();
        return;
      case 'video':
        this.video.close();
        return;
      default:
        unreachable(this.#shown);
    }
  }

  #toPage(): void {
    this.#leave();
    this.#shown = { kind: 'page' };
    this.page.open();
  }

  #handleClosed(): void {
    if (this.#shown.kind !== 'document' && this.#shown.kind !== 'video') return;
    this.#wish += 1;
    this.page.takeCard();
    this.#shown = { kind: 'page' };
    this.page.open();
    this.#options.onClosed();
  }
}
