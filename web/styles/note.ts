import { css } from 'lit';

/** A draft and what stands beside it. */
export const noteStyle = css`
  .editor {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 14px;
    margin-top: 10px;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px 10px;
  }
  .saved {
    margin-inline-start: auto;
    color: var(--text-2);
    font-size: 0.8125rem;
  }
  .saved.failed {
    flex-basis: 100%;
    margin: 0;
    color: var(--danger);
  }
  .audio {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 10px;
    padding: 14px;
    border: 1px solid var(--line);
    border-radius: var(--radius-3);
    background: var(--bg);
  }
  .editor .field {
    margin: 0;
  }
  textarea {
    min-height: 150px !important;
  }
  h4 {
    margin: 0;
    font-size: 0.9375rem;
    line-height: 1.4;
  }
  details > summary {
    min-height: 44px;
    padding: 10px 0;
    color: var(--primary);
    font-weight: 600;
    cursor: pointer;
  }
  .acts.end {
    justify-content: flex-end;
  }
  .meeting {
    display: grid;
    gap: 10px;
    padding: 12px;
    border: 2px solid var(--warn);
    border-radius: var(--radius-3);
  }
  .sides {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr));
    gap: 10px;
  }
  .side {
    padding: 10px 12px;
    border-radius: var(--radius-2);
    background: var(--surface-2);
  }
`;
