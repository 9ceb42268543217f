import { css } from 'lit';

/** Buttons: `button` plain, `.primary`, `.danger`, `.quiet`; `.icon` is a square of one touch target. */
export const buttons = css`
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: var(--target);
    min-width: var(--target);
    margin: 0;
    padding: 0 18px;
    border: 1px solid var(--line);
    border-radius: 999px;
    background: var(--surface);
    color: var(--text);
    font: 600 0.9375rem / 1.2 var(--font);
    text-decoration: none;
    cursor: pointer;
    transition:
      background-color 120ms,
      border-color 120ms;
    -webkit-tap-highlight-color: transparent;
    touch-action: manipulation;
  }
  button:hover:not(:disabled),
  .button:hover {
    background: var(--surface-2);
  }
  button:disabled {
    opacity: 0.5;
    cursor: default;
  }
  .primary {
    border-color: transparent;
    background: var(--primary);
    color: var(--on-primary);
  }
  .primary:hover:not(:disabled) {
    background: var(--primary-hover);
  }
  .danger {
    border-color: transparent;
    background: var(--danger);
    color: var(--on-danger);
  }
  .danger:hover:not(:disabled) {
    background: var(--danger-hover);
  }
  .quiet {
    border-color: transparent;
    background: transparent;
    color: var(--primary);
  }
  .icon {
    width: var(--target);
    padding: 0;
    border-color: transparent;
    background: transparent;
    color: var(--text-2);
  }
  .icon.primary {
    background: var(--primary);
    color: var(--on-primary);
  }
  .icon.quiet {
    color: var(--primary);
  }
`;
