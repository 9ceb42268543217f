/** Asked of the page when a dialog opens: false lets the rest of the page stay usable beside it. */
export interface DialogOpening {
  isModal: boolean;
}

/**
 * Opens a dialog, modal unless the page says otherwise in answer to `tele-dialog-opening`: a modal dialog would take
 * muting and hanging up away from whoever is in a call in the small window.
 */
export function openDialog(dialog: HTMLDialogElement): void {
  const detail: DialogOpening = { isModal: true };
  dialog.dispatchEvent(new CustomEvent('tele-dialog-opening', { bubbles: true, composed: true, detail }));
  if (detail.isModal) {
    dialog.showModal();
    return;
  }
  // Browsers close only modal ones by the key. A dialog that this one opened has it first.
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
    event.preventDefault();
    dialog.close();
  };
  dialog.addEventListener('keydown', onKey);
  dialog.addEventListener('close', () => dialog.removeEventListener('keydown', onKey), { once: true });
  dialog.show();
}
