let region: HTMLElement | null = null;
let alternate = false;

/** Speaks a sentence through a polite live region of the document; nothing is shown. */
export function speak(text: string): void {
  region ??= createRegion();
  // Screen readers ignore a region whose text did not change; the no-break space makes a repeat a change.
  alternate = !alternate;
  region.textContent = alternate ? text : `${text}\u00a0`;
}

/** Call once at start: regions that appear together with their first text are often not spoken. */
export function createRegion(): HTMLElement {
  if (region !== null) return region;
  const element = document.createElement('div');
  element.className = 'visually-hidden';
  element.setAttribute('role', 'status');
  element.setAttribute('aria-live', 'polite');
  document.body.append(element);
  region = element;
  return element;
}
