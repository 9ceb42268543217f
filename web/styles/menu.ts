import { css } from 'lit';

/** A list of things to do, in a dialog. */
export const menu = css`
  .items {
    display: grid;
    gap: 2px;
    margin: 8px -12px 0;
  }
  .item {
    justify-content: flex-start;
    gap: 14px;
    width: 100%;
    min-height: 48px;
    padding: 6px 12px;
    border-color: transparent;
    border-radius: 14px;
    font-weight: 500;
    text-align: start;
  }
  .item svg {
    color: var(--primary);
  }
  .item span {
    flex: 1;
    min-width: 0;
  }
  .item small {
    color: var(--text-2);
    font-weight: 400;
    font-variant-numeric: tabular-nums;
  }
  .item.warn,
  .item.warn svg {
    color: var(--danger);
  }
  .over {
    padding: 6px 12px;
    font-size: 0.875rem;
  }
`;
