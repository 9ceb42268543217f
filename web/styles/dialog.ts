import { css } from 'lit';

/** A sheet that rises from the bottom on phones and stands in the middle elsewhere. */
export const dialog = css`
  dialog {
    width: min(420px, calc(100vw - 32px));
    max-height: calc(100dvh - 48px);
    padding: 24px;
    border: 0;
    border-radius: 20px;
    background: var(--surface);
    box-shadow: var(--shadow-2);
    color: var(--text);
    overflow: auto;
  }
  dialog::backdrop {
    background: var(--scrim);
  }
  /* Beside a call in the small window, which stays above it and usable. */
  dialog[open]:not(:modal) {
    position: fixed;
    z-index: 15;
    inset: 0;
    margin: auto;
    box-shadow: 0 0 0 100vmax var(--scrim);
  }
  dialog h2 {
    margin-bottom: 8px;
    font-size: 1.1875rem;
    line-height: 1.35;
  }
  dialog p {
    color: var(--text-2);
  }
  .choices {
    display: flex;
    flex-wrap: wrap-reverse;
    justify-content: flex-end;
    gap: 10px;
    margin-top: 22px;
  }
  @media (max-width: 480px) {
    dialog,
    dialog[open]:not(:modal) {
      margin-bottom: 0;
    }
    dialog {
      width: 100%;
      max-width: none;
      padding-bottom: calc(24px + env(safe-area-inset-bottom));
      border-end-start-radius: 0;
      border-end-end-radius: 0;
    }
    .choices > * {
      flex: 1 1 140px;
      padding: 0 10px;
    }
  }
`;
