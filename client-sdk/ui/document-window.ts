import type { Announcement } from './announcements.ts';
import type { Card } from './card.ts';
import { make, setAttribute } from './dom.ts';
import { LiveRegion } from './live-region.ts';
import { PROPERTIES, sheet } from './styles.ts';

/** Document Picture-in-Picture (https://wicg.github.io/document-picture-in-picture/), which TypeScript does not know yet. */
interface DocumentPictureInPicture {
  requestWindow(options: {
    readonly width: number;
    readonly height: number;
    /** Without the browser's own "back to tab": it could not be told from closing. The card has a button for it. */
    readonly disallowReturnToOpener: boolean;
  }): Promise<Window & typeof globalThis>;
}

function offered(): DocumentPictureInPicture | null {
  const { documentPictureInPicture } = window as typeof window & {
    readonly documentPictureInPicture?: DocumentPictureInPicture;
  };
  return documentPictureInPicture ?? null;
}

/** Only a page of its own may have such a window, not one in a frame. */
export const offersDocumentWindow = (): boolean => offered() !== null && window.top === window;

interface DocumentWindowOptions {
  readonly card: Card;
  /** Whose colours it takes. */
  readonly host: HTMLElement;
  readonly size: { readonly width: number; readonly height: number };
  /** The person closed it. */
  readonly onClosed: () => void;
  readonly onResized: () => void;
}

/** A small window above all others, with the card in it. */
export class DocumentWindow {
  readonly #view: Window & typeof globalThis;
  readonly #region = make('section', 'region');
  readonly #live = new LiveRegion();
  #onClosed: (() => void) | null;

  /** Rejects where the browser refuses, as without a click. */
  static async open(options: DocumentWindowOptions): Promise<DocumentWindow> {
    const api = offered();
    if (api === null) throw new DOMException('There is no Document Picture-in-Picture.', 'NotSupportedError');
    return new DocumentWindow(
      await api.requestWindow({ ...options.size, disallowReturnToOpener: true }),
      options,
    );
  }

  private constructor(view: Window & typeof globalThis, options: DocumentWindowOptions) {
    const { card, host, onClosed, onResized } = options;
    this.#view = view;
    this.#onClosed = onClosed;
    const root = view.document.createElement('div');
    const colours = getComputedStyle(host);
    for (const name of PROPERTIES) root.style.setProperty(name, colours.getPropertyValue(name));
    const shadow = root.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet(view, 'whole')];
    view.document.adoptedStyleSheets = [sheet(view, 'ground')];
    this.#region.dataset['testid'] = 'floating-window';
    this.#region.setAttribute('role', 'region');
    this.#region.append(card.element);
    shadow.append(this.#region, this.#live.element);
    view.document.body.append(root);
    card.picture.handleMoved();
    view.addEventListener('resize', onResized);
    view.addEventListener('pagehide', () => this.#handleClosed(), { once: true });
  }

  /** True while the person works in it: then it speaks for itself. */
  get hasFocus(): boolean {
    return this.#view.document.hasFocus();
  }

  name(label: string, lang: string): void {
    const { document } = this.#view;
    if (document.title !== label) document.title = label;
    setAttribute(document.documentElement, 'lang', lang);
    setAttribute(this.#region, 'aria-label', label);
  }

  say(announcements: readonly Announcement[]): void {
    this.#live.say(announcements);
  }

  /** Closes it without telling: whoever calls this knows. The card has to be taken out before. */
  close(): void {
    this.#onClosed = null;
    this.#live.clear();
    this.#view.close();
  }

  #handleClosed(): void {
    this.#live.clear();
    this.#onClosed?.();
    this.#onClosed = null;
  }
}
