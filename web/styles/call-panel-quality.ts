import { css } from 'lit';

/** The graphs of the connection. */
export const qualityDialog = css`
  @media (min-width: 481px) {
    dialog {
      width: min(520px, calc(100vw - 32px));
    }
  }
  .now {
    display: flex;
    align-items: center;
    gap: 10px;
  }
  .now strong {
    color: var(--text);
  }
  .now tele-quality-icon {
    padding: 4px 6px;
    border-radius: 8px;
    background: var(--stage);
  }
  .way {
    margin-top: 2px;
    font-size: 0.875rem;
  }
  .graphs {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
    gap: 14px;
    margin-top: 14px;
  }
  figcaption {
    display: flex;
    justify-content: space-between;
    gap: 8px;
    margin-bottom: 4px;
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
  }
  figcaption span {
    color: var(--text-2);
  }
  figure svg {
    width: 100%;
    height: 60px;
    border-radius: var(--radius-1);
    background: var(--surface-2);
  }
  path {
    fill: none;
    vector-effect: non-scaling-stroke;
  }
  .line {
    stroke: var(--primary);
    stroke-width: 2;
    stroke-linejoin: round;
    stroke-linecap: round;
  }
  .base {
    stroke: var(--line-strong);
    stroke-width: 1;
  }
  details {
    margin-top: 14px;
  }
  summary {
    min-height: 44px;
    padding: 10px 0;
    color: var(--primary);
    font-size: 0.9375rem;
    font-weight: 600;
    cursor: pointer;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.75rem;
    font-variant-numeric: tabular-nums;
  }
  th,
  td {
    padding: 4px 4px;
    border-bottom: 1px solid var(--line);
    font-weight: 400;
    text-align: end;
  }
  th:first-child {
    text-align: start;
  }
  thead th {
    color: var(--text-2);
    font-weight: 600;
    vertical-align: bottom;
  }
`;
