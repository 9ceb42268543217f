import type { Card } from './card.ts';
import { icon, make, setAttribute } from './dom.ts';
import { dragBy } from './dragging.ts';
import { icons } from './icons.ts';
import { keepPlacement, keptPlacement } from './kept-placement.ts';
import { onRoomChange, pageRoom } from './page-room.ts';
import {
  type Box,
  boxAt,
  fitting,
  innerCorner,
  overlap,
  type Placement,
  sharesOf,
  snapped,
  stretched,
} from './placement.ts';
import type { Words } from './words.ts';

/** What an arrow key moves or resizes by. */
const STEP_PX = 16;

/**
 * The box in the page. It can be dragged, thrown into a corner, resized, and moved by keys; it stays within what can be
 * seen, and the next page finds it where it was. It stands in the browser's top layer, so that nothing of the page covers
 * it; a modal dialog of the app makes it inert like the rest of the page.
 */
export class PageWindow {
  readonly #handle = make('button', 'handle');
  readonly #how = make('span', 'unseen');
  readonly #grip = make('div', 'grip');
  readonly element = make('section', 'window', this.#handle, this.#how);
  readonly #card: Card;
  readonly #onMoved: () => void;
  #placement: Placement = keptPlacement();
  #isOpen = false;
  #focusBefore: HTMLElement | null = null;
  #stops: readonly (() => void)[] = [];

  constructor(card: Card, onMoved: () => void) {
    this.#card = card;
    this.#onMoved = onMoved;
    this.element.hidden = true;
    this.element.setAttribute('part', 'window');
    this.element.dataset['testid'] = 'floating-window';
    this.element.setAttribute('role', 'region');
    this.#handle.type = 'button';
    this.#handle.dataset['testid'] = 'floating-move';
    this.#handle.append(icon(...icons.grip));
    this.#how.id = 'how';
    this.#handle.setAttribute('aria-describedby', 'how');
    this.#grip.dataset['testid'] = 'floating-resize';
    this.element.append(card.element, this.#grip);
    this.#handle.addEventListener('keydown', (event) => this.#handleKey(event));
    this.#dragToMove();
    this.#dragToResize();
    this.element.addEventListener('focusin', ({ relatedTarget }) => {
      if (relatedTarget instanceof HTMLElement && !this.element.contains(relatedTarget))
        this.#focusBefore = relatedTarget;
    });
  }

  /** The card lives here, out of sight, when no window shows it: its picture goes on. */
  takeCard(): void {
    if (this.#card.element.parentNode === this.element) return;
    this.#grip.before(this.#card.element);
    this.#card.picture.handleMoved();
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.takeCard();
    this.element.hidden = false;
    this.#toTop();
    const restack = (): void => this.#restack();
    const stepAside = (event: FocusEvent): void => this.#stepAside(event);
    document.addEventListener('fullscreenchange', restack);
    document.addEventListener('focusin', stepAside);
    this.#stops = [
      onRoomChange(() => this.settle()),
      () => document.removeEventListener('fullscreenchange', restack),
      () => document.removeEventListener('focusin', stepAside),
    ];
    this.settle();
  }

  /** The element was moved within the page, which takes it from the top layer and pauses its picture. */
  reopen(): void {
    if (!this.#isOpen) return;
    this.#card.picture.handleMoved();
    this.#toTop();
    this.settle();
  }

  close(): void {
    if (!this.#isOpen) return;
    const hadFocus = this.#focused !== null;
    this.#isOpen = false;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    if (isPopover(this.element) && this.element.isConnected) this.element.hidePopover();
    this.element.hidden = true;
    if (hadFocus && this.#focusBefore?.isConnected === true) this.#focusBefore.focus();
    this.#focusBefore = null;
  }

  name(words: Words, name: string | null): void {
    setAttribute(this.element, 'aria-label', words.window(name));
    setAttribute(this.#handle, 'aria-label', words.move);
    setAttribute(this.#handle, 'title', `${words.move}. ${words.moveHow}`);
    if (this.#how.textContent !== words.moveHow) this.#how.textContent = words.moveHow;
  }

  /** Puts the box where it belongs in the room that there is now. */
  settle(): void {
    if (!this.#isOpen) return;
    const room = pageRoom(this.element);
    this.#show(boxAt(this.#placement, this.#realSize(room), room));
  }

  /** What the content needs may decide the height. */
  #realSize(room: Box): { width: number; height: number } {
    const { width, height } = fitting(this.#placement, room);
    const { style } = this.element;
    style.width = `${width}px`;
    style.height = this.#card.isTall === true ? `${height}px` : 'auto';
    style.maxHeight = `${room.height}px`;
    return { width, height: this.element.offsetHeight };
  }

  #show({ left, top }: Box): void {
    this.element.style.translate = `${left}px ${top}px`;
    const { isLeft, isTop } = innerCorner(this.#placement);
    setAttribute(this.#grip, 'data-corner', `${isTop ? 'top' : 'bottom'}-${isLeft ? 'left' : 'right'}`);
    this.#onMoved();
  }

  /** Where it is by its placement, whatever motion is still on its way. */
  #box(room: Box): Box {
    return boxAt(
      this.#placement,
      { width: this.element.offsetWidth, height: this.element.offsetHeight },
      room,
    );
  }

  #place(change: Partial<Placement>, isKept = true): void {
    this.#placement = { ...this.#placement, ...change };
    this.settle();
    if (isKept) keepPlacement(this.#placement);
  }

  #dragToMove(): void {
    let from: { box: Box; room: Box } | null = null;
    const at = (way: { x: number; y: number }, { box, room }: { box: Box; room: Box }) =>
      sharesOf({ ...box, left: box.left + way.x, top: box.top + way.y }, room, this.#placement);
    dragBy(this.element, {
      start: (event) => {
        if (!this.#isForDragging(event)) return false;
        const room = pageRoom(this.element);
        from = { box: this.#box(room), room };
        return true;
      },
      move: (way) => {
        if (from === null) return;
        this.element.classList.add('held');
        this.#place(at(way, from), false);
      },
      end: (speed) => {
        this.element.classList.remove('held');
        if (from === null) return;
        const { room, box } = from;
        const free = { x: room.width - box.width || 1, y: room.height - box.height || 1 };
        this.#place(snapped(this.#placement, { x: speed.x / free.x, y: speed.y / free.y }));
      },
    });
  }

  #dragToResize(): void {
    let from: { box: Box; room: Box } | null = null;
    dragBy(this.#grip, {
      start: () => {
        const room = pageRoom(this.element);
        from = { box: this.#box(room), room };
        return true;
      },
      move: (way) => {
        if (from === null) return;
        this.element.classList.add('held');
        const box = stretched(from.box, innerCorner(this.#placement), way, from.room);
        const height = this.#card.isTall === true ? box.height : this.#placement.height;
        this.#place({ ...sharesOf(box, from.room, this.#placement), width: box.width, height }, false);
      },
      end: () => {
        this.element.classList.remove('held');
        this.#place({});
      },
    });
  }

  /** Buttons are pressed, not dragged, but for the handle. */
  #isForDragging({ target }: PointerEvent): boolean {
    if (!(target instanceof Element) || this.#grip.contains(target)) return false;
    const button = target.closest('button');
    return button === null || button === this.#handle;
  }

  #handleKey(event: KeyboardEvent): void {
    const { key, shiftKey } = event;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    const room = pageRoom(this.element);
    if (key === 'Home' || key === 'End')
      this.#place({ x: snapped(this.#placement).x, y: key === 'Home' ? 0 : 1 });
    else if (step !== undefined) {
      const [x = 0, y = 0] = step.map((one) => one * STEP_PX);
      const box = this.#box(room);
      if (shiftKey) this.#place(fitting({ width: box.width + x, height: this.#placement.height + y }, room));
      else this.#place(sharesOf({ ...box, left: box.left + x, top: box.top + y }, room, this.#placement));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** What is written in, or reached by keys, is not left under the box. */
  #stepAside(event: FocusEvent): void {
    const [target] = event.composedPath();
    if (!(target instanceof Element) || this.element.contains(target) || !target.matches(':focus-visible'))
      return;
    const rect = target.getBoundingClientRect();
    const room = pageRoom(this.element);
    if (rect.width === 0 || !overlap(rect, this.#box(room))) return;
    const { x, y } = this.#placement;
    const size = { width: this.element.offsetWidth, height: this.element.offsetHeight };
    const free = [
      { x, y: y > 0.5 ? 0 : 1 },
      { x: x > 0.5 ? 0 : 1, y },
      { x: x > 0.5 ? 0 : 1, y: y > 0.5 ? 0 : 1 },
    ].find((place) => !overlap(rect, boxAt(place, size, room)));
    if (free !== undefined) this.#place(free, false);
  }

  #toTop(): void {
    if (!this.#isOpen || !('showPopover' in this.element) || !this.element.isConnected) return;
    this.element.popover = 'manual';
    if (!isPopover(this.element)) this.element.showPopover();
  }

  /**
   * What goes to full screen covers the top layer; shown anew the box stands over it. Chromium lets nothing beside the
   * element in full screen be pressed: it is seen, and works again afterwards.
   */
  #restack(): void {
    const focused = this.#focused;
    if (isPopover(this.element)) this.element.hidePopover();
    this.#toTop();
    if (focused instanceof HTMLElement) focused.focus();
  }

  get #focused(): Element | null {
    const root = this.element.getRootNode();
    const focused = root instanceof ShadowRoot ? root.activeElement : null;
    return focused !== null && this.element.contains(focused) ? focused : null;
  }
}

function isPopover(element: HTMLElement): boolean {
  try {
    return element.popover === 'manual' && element.matches(':popover-open');
  } catch {
    // Browsers without popovers do not know the selector.
    return false;
  }
}
