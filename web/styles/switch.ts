import { css } from 'lit';

/** A row that is switched on and off as a whole: `<button class="switch" role="switch">` with `.words` and a `.knob`. */
export const switchRow = css`
  .switch {
    display: flex;
    align-items: flex-start;
    gap: 12px;
    width: 100%;
    min-height: 56px;
    padding: 12px 14px;
    border-radius: var(--radius-3);
    text-align: start;
  }
  .switch span.words {
    flex: 1;
    font-weight: 600;
  }
  .switch small {
    display: block;
    margin-top: 2px;
    color: var(--text-2);
    font-weight: 400;
    font-size: 0.8125rem;
    line-height: 1.45;
  }
  .knob {
    flex: none;
    width: 44px;
    height: 26px;
    padding: 3px;
    border-radius: 999px;
    background: var(--line-strong);
  }
  .knob::after {
    content: '';
    display: block;
    width: 20px;
    height: 20px;
    border-radius: 50%;
    background: var(--surface);
    transition: transform 120ms;
  }
  [aria-checked='true'] .knob {
    background: var(--primary);
  }
  [aria-checked='true'] .knob::after {
    transform: translateX(18px);
  }
`;
