const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Presses something wherever it stands, as soon as it is there. */
export async function press(testId: string, also = ''): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const found = deep(document, `[data-testid="${testId}"]${also}`);
    if (found !== null) {
      found.click();
      await settled(150);
      return;
    }
    await settled(50);
  }
  throw new Error(`nothing to press: ${testId}`);
}

function deep(root: ParentNode, selector: string): HTMLElement | null {
  const found = root.querySelector<HTMLElement>(selector);
  if (found !== null) return found;
  for (const element of root.querySelectorAll('*')) {
    const inside = element.shadowRoot === null ? null : deep(element.shadowRoot, selector);
    if (inside !== null) return inside;
  }
  return null;
}
