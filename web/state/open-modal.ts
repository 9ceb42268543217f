/** Whether a modal dialog is open anywhere below, shadow trees included. */
export function hasModal(root: ParentNode): boolean {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches('dialog:modal')) return true;
    if (element.shadowRoot !== null && hasModal(element.shadowRoot)) return true;
  }
  return false;
}
