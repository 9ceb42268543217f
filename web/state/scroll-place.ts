/**
 * Where the reader is in a scroller: the first row that is seen, and how far it is from the top. Restoring it after
 * rows came, went or changed their height keeps the text under the eye where it was.
 */
export class ScrollPlace {
  readonly #scroller: HTMLElement;
  readonly #list: HTMLElement;
  /** Where the end was when it was gone to: rows that grow afterwards leave the reader above the new end. */
  #endTop: number | null = null;
  #anchor: { readonly row: Element; readonly fromTop: number; readonly scrollTop: number } | null = null;

  constructor(scroller: HTMLElement, list: HTMLElement) {
    this.#scroller = scroller;
    this.#list = list;
  }

  /** Remembers the first row in view. Lines such as days come and go with their neighbours and hold nothing. */
  note(): void {
    const { top } = this.#scroller.getBoundingClientRect();
    const rows = this.#list.children;
    for (let index = this.#firstBelow(top); index < rows.length; index += 1) {
      const row = rows[index];
      if (row === undefined || !row.hasAttribute('data-holds')) continue;
      const { scrollTop } = this.#scroller;
      this.#anchor = { row, fromTop: row.getBoundingClientRect().top - top, scrollTop };
      return;
    }
    this.#anchor = null;
  }

  /** Holds a row at a distance from the top, such as the one that was jumped to. */
  hold(row: Element, fromTop: number): void {
    this.#anchor = { row, fromTop, scrollTop: this.#scroller.scrollTop };
    this.restore();
  }

  restore(): void {
    this.#restore(0);
  }

  /** Restores what rows moved, and keeps what the reader has scrolled since: both may come before the next frame. */
  restoreScrolled(): void {
    this.#restore(this.#scroller.scrollTop - (this.#anchor?.scrollTop ?? 0));
  }

  #restore(scrolledPx: number): void {
    const anchor = this.#anchor;
    if (anchor === null || !anchor.row.isConnected) return;
    const { top } = this.#scroller.getBoundingClientRect();
    const moved = anchor.row.getBoundingClientRect().top - top - anchor.fromTop + scrolledPx;
    if (Math.abs(moved) >= 1) this.#scroller.scrollTop += moved;
  }

  toEnd(): void {
    this.#anchor = null;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#endTop = this.#scroller.scrollTop;
  }

  /** Nobody scrolled up since the end was gone to, however much has grown below. */
  get staysAtEnd(): boolean {
    return this.#endTop !== null && this.#scroller.scrollTop >= this.#endTop - 2;
  }

  /** How far the end of the content is below the view. */
  get belowPx(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  get abovePx(): number {
    return this.#scroller.scrollTop;
  }

  /** The last row whose end is in view. */
  get lastSeen(): Element | null {
    const { bottom } = this.#scroller.getBoundingClientRect();
    const index = this.#firstBelow(bottom + 1);
    for (let at = Math.min(index, this.#list.children.length - 1); at >= 0; at -= 1) {
      const row = this.#list.children[at];
      if (row?.hasAttribute('data-sequence') && row.getBoundingClientRect().bottom <= bottom + 1) return row;
    }
    return null;
  }

  /** The index of the first row that ends below a height of the window. Rows are in order, so it is searched by halves. */
  #firstBelow(height: number): number {
    const rows = this.#list.children;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (row !== undefined && row.getBoundingClientRect().bottom <= height) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
