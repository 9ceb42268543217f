/** The public interface of `<teleconsult-floating-call>`. */
import type { CallId, ConsultationId } from '@teleconsult/protocol';
import type { TeleconsultClient } from '../api.ts';

/**
 * Where the small window is:
 * - `document`: a window of its own above all others (Document Picture-in-Picture), with all controls;
 * - `video`: the browser's picture window (`requestPictureInPicture`), with the controls that the browser offers;
 * - `page`: a box in this page that can be dragged and resized.
 */
export type FloatingForm = 'document' | 'video' | 'page';

/** What is on the screen: nothing without a call, the app's own large view, or the small window. */
export type FloatingState = 'none' | 'expanded' | FloatingForm;

/** Languages the element speaks; `lang` of the element or of the page decides, English otherwise. */
export type FloatingLanguage = 'zh' | 'en';

export interface FloatingCallEventMap {
  /** The person wants the large view: show it and set `expanded`. */
  'teleconsult-expand': CustomEvent<{ readonly consultationId: ConsultationId; readonly callId: CallId }>;
  /** The window changed its form. */
  'teleconsult-form': CustomEvent<{ readonly state: FloatingState }>;
}

/**
 * The call in a small window, while the person reads, writes or is in another part of the app. One element for the whole
 * app, next to its routes rather than inside one: it shows `client.activeCall` by itself, also after a reload, and says
 * in words what happens. There is never more than one window: a second element in the same page stays empty.
 */
export interface FloatingCall extends HTMLElement {
  /** Whose call is shown. Setting another one, or null, lets go of the former. */
  client: TeleconsultClient | null;
  /** True while the app shows the call large by itself. Attribute `expanded`. */
  expanded: boolean;
  /** How the person on the other side is called; left out, the element says "Call". */
  nameOf: ((personId: string) => string) | null;
  /** Messages not yet read, shown as a badge; 0 shows none. Attribute `unread`. */
  unread: number;
  /** Set while the app plays the others' sound by itself; otherwise the element plays it, large or small. Attribute `silent`. */
  silent: boolean;
  /** What is on the screen now. */
  readonly state: FloatingState;
  /** The forms that this browser offers, best first. `page` is always among them. */
  readonly forms: readonly FloatingForm[];
  /**
   * Makes the call small. From a click it takes the best form that the browser offers, or the one asked for; without a
   * click browsers allow `page` alone, and that is taken. Resolves with the form.
   */
  float(form?: FloatingForm): Promise<FloatingForm>;
  /** Asks the app for the large view, as the button in the window does. */
  expand(): void;
  addEventListener<K extends keyof FloatingCallEventMap>(
    type: K,
    listener: (event: FloatingCallEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof FloatingCallEventMap>(
    type: K,
    listener: (event: FloatingCallEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'teleconsult-floating-call': FloatingCall;
  }
}
