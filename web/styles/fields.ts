import { css } from 'lit';

/** Questions and their answers, in dialogs and forms. */
export const fields = css`
  dialog > header {
    display: flex;
    align-items: flex-start;
    justify-content: space-between;
    gap: 12px;
    margin: -8px -10px 4px 0;
  }
  dialog > header h2 {
    margin: 0;
    padding-top: 8px;
  }
  .field {
    display: grid;
    gap: 4px;
    margin: 16px 0 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  label,
  legend,
  .label {
    padding: 0;
    font-weight: 600;
    font-size: 0.9375rem;
    line-height: 1.45;
  }
  .hint,
  dialog .hint {
    color: var(--text-2);
    font-size: 0.8125rem;
    line-height: 1.45;
  }
  .wrong {
    display: flex;
    gap: 6px;
    color: var(--danger);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  input:not([type='checkbox'], [type='radio'], [type='file']),
  select,
  textarea {
    width: 100%;
    min-width: 0;
    min-height: 44px;
    padding: 9px 12px;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-2);
    background: var(--bg);
    color: var(--text);
    font: 1rem / 1.45 var(--font);
  }
  textarea {
    min-height: 92px;
    resize: vertical;
  }
  [aria-invalid='true'] {
    border-color: var(--danger) !important;
  }
  .pair {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr);
    gap: 10px;
  }
  .option {
    display: flex;
    align-items: flex-start;
    gap: 12px;
    min-height: 44px;
    padding: 10px 0;
    font-weight: 400;
    cursor: pointer;
  }
  .option > span {
    flex: 1;
    min-width: 0;
  }
  .option small {
    display: block;
    color: var(--text-2);
    font-size: 0.8125rem;
  }
  input[type='checkbox'],
  input[type='radio'] {
    flex: none;
    width: 20px;
    height: 20px;
    margin: 1px 0 0;
    accent-color: var(--primary);
  }
`;
