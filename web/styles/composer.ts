import { css } from 'lit';

export const composer = css`
  :host {
    display: block;
    padding: 4px 10px calc(10px + env(safe-area-inset-bottom));
  }
  .box,
  .off {
    max-width: 800px;
    margin: 0 auto;
  }
  .box {
    border: 1px solid var(--line-strong);
    border-radius: 20px;
    background: var(--surface);
    box-shadow: var(--shadow-1);
  }
  .box:has(textarea:focus-visible) {
    border-color: var(--focus);
    box-shadow: 0 0 0 2px var(--focus);
  }
  textarea:focus-visible {
    outline: none;
  }
  form {
    display: grid;
  }
  .reply {
    display: flex;
    align-items: center;
    gap: 10px;
    padding: 6px 4px 0 16px;
    color: var(--primary);
    font-size: 0.8125rem;
    line-height: 1.4;
  }
  .reply p {
    flex: 1;
    min-width: 0;
    padding-inline-start: 10px;
    border-inline-start: 3px solid var(--primary);
    color: var(--text);
  }
  .reply strong,
  .reply span {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  textarea {
    display: block;
    width: 100%;
    max-height: min(180px, 30dvh);
    min-height: 48px;
    padding: 12px 16px 6px;
    border: 0;
    border-radius: 20px;
    background: transparent;
    color: var(--text);
    font: 1rem / 1.5 var(--font);
    resize: none;
    overflow-y: auto;
  }
  textarea::placeholder {
    color: var(--text-2);
    opacity: 1;
  }
  .tools {
    display: flex;
    align-items: center;
    padding: 0 6px 6px;
  }
  .camera {
    display: none;
  }
  /* A phone: the camera is a press away. A mouse has no camera to point. */
  @media (pointer: coarse) {
    .camera {
      display: inline-flex;
    }
  }
  .counter {
    flex: 1;
    min-width: 0;
    padding: 0 8px;
    color: var(--text-2);
    font-size: 0.75rem;
    line-height: 1.3;
    text-align: end;
  }
  .counter.over {
    color: var(--danger);
    font-weight: 600;
  }
  button[type='submit'] {
    margin-inline-start: 4px;
  }
  button[type='submit']:disabled {
    background: var(--surface-3);
    color: var(--text-2);
    opacity: 1;
  }
  .off {
    display: flex;
    align-items: flex-start;
    gap: 10px;
    margin-bottom: 8px;
    padding: 10px 4px 10px 14px;
    border-radius: var(--radius-2);
    background: var(--warn-soft);
    color: var(--warn);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  .off p {
    flex: 1;
    color: var(--text);
  }
  .off button {
    margin: -10px 0;
    color: inherit;
  }
`;
