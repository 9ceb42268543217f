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
  .row {
    display: flex;
    align-items: flex-start;
    max-width: 100%;
    touch-action: pan-y;
    transition: transform 120ms;
  }
  :host([own]) .row {
    flex-direction: row-reverse;
  }
  .menu {
    display: grid;
    flex: none;
    place-items: center;
    width: 44px;
    height: 44px;
    margin: -3px 0;
    padding: 0;
    border: 0;
    border-radius: 50%;
    background: none;
    color: var(--text-2);
    cursor: pointer;
    touch-action: manipulation;
  }
  .menu:hover {
    background: var(--surface-2);
  }
  /* Out of the way until the pointer or the focus is here; a finger has no hover. */
  @media (hover: hover) {
    .row:not(:hover, :focus-within) .menu {
      opacity: 0;
    }
  }
  .tombstone {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    padding: 6px 12px;
    border: 1px dashed var(--line-strong);
    border-radius: var(--radius-3);
    color: var(--text-2);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  tele-quote {
    margin-bottom: 5px;
  }
  .transcript {
    max-width: 290px;
    border-top: 1px solid color-mix(in srgb, var(--text) 14%, transparent);
    margin-top: 4px;
  }
  .row .bubble {
    max-width: min(calc(100% - 44px), 520px);
    min-width: 0;
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
