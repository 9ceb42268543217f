import { css } from 'lit';

/** The bubble around one message: the other person's on the left, one's own on the right. */
export const bubble = css`
  :host {
    display: flex;
    flex-direction: column;
    align-items: flex-start;
    padding: 3px 0 0;
  }
  :host([own]) {
    align-items: flex-end;
  }
  :host([group]) {
    padding-top: 12px;
  }
  .name {
    margin: 0 14px 3px;
    color: var(--text-2);
    font-size: 0.8125rem;
    line-height: 1.4;
  }
  .bubble {
    max-width: min(86%, 520px);
    padding: 8px 13px 7px;
    border-radius: var(--radius-3);
    border-start-start-radius: 6px;
    background: var(--surface);
    box-shadow: var(--shadow-1);
    color: var(--text);
  }
  :host([own]) .bubble {
    border-start-start-radius: var(--radius-3);
    border-start-end-radius: 6px;
    background: var(--own);
  }
  .bubble.media {
    padding: 4px 4px 5px;
  }
  .text {
    font-size: 1rem;
    line-height: 1.5;
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  .bubble:not(.media) {
    overflow: hidden;
  }
  .bubble:not(.media) .foot {
    float: inline-end;
    margin: 6px 0 -1px 14px;
  }
  .media .text {
    padding: 6px 9px 0;
  }
  .foot {
    display: flex;
    align-items: center;
    justify-content: flex-end;
    gap: 4px;
    min-height: 18px;
    color: var(--text-2);
    font-size: 0.75rem;
    line-height: 1.5;
  }
  .media .foot {
    padding: 2px 8px 0;
  }
`;
