import { css } from 'lit';

/** The wide dialogs of recordings, notes and follow-ups, and the cards in them. */
export const recordsStyle = css`
  dialog {
    width: min(820px, calc(100vw - 32px));
  }
  .cards {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 12px;
    margin-top: 14px;
  }
  .card {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
    min-width: 0;
    padding: 14px 16px;
    border: 1px solid var(--line);
    border-radius: var(--radius-3);
    background: var(--bg);
  }
  h3 {
    font-size: 1rem;
    line-height: 1.4;
    overflow-wrap: anywhere;
  }
  dialog .meta,
  .meta {
    color: var(--text-2);
    font-size: 0.875rem;
    line-height: 1.45;
    overflow-wrap: anywhere;
  }
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    width: max-content;
    max-width: 100%;
    padding: 2px 10px;
    border-radius: 999px;
    background: var(--surface-3);
    font-weight: 600;
    font-size: 0.8125rem;
    line-height: 1.5;
  }
  .badge.now {
    background: var(--danger-soft);
    color: var(--danger);
  }
  .badge.well {
    background: var(--ok-soft);
    color: var(--ok);
  }
  .badge.warn {
    background: var(--warn-soft);
    color: var(--warn);
  }
  dialog .told,
  .told {
    display: flex;
    gap: 8px;
    padding: 10px 12px;
    border-radius: var(--radius-2);
    background: var(--warn-soft);
    color: var(--warn);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  .acts {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
  }
  .cards + .acts {
    margin-top: 14px;
  }
  .cards:empty {
    margin: 0;
  }
  .signed {
    display: flex;
    gap: 6px;
    color: var(--ok);
  }
  .acts button {
    padding: 0 14px;
  }
  .text {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  dialog .text {
    color: var(--text);
  }
  progress {
    width: 100%;
    height: 8px;
    accent-color: var(--primary);
  }
  .warn-text {
    color: var(--danger);
  }
  @media (max-width: 480px) {
    dialog {
      padding: 20px 14px calc(20px + env(safe-area-inset-bottom));
    }
    .card {
      padding: 12px;
    }
  }
`;
