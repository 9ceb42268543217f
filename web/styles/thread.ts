import { css } from 'lit';

export const thread = css`
  :host {
    position: relative;
    display: block;
    min-height: 0;
  }
  .scroller {
    height: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    /* The element keeps the place itself: not every browser anchors, and none does at the very top. */
    overflow-anchor: none;
    scrollbar-gutter: stable;
  }
  .scroller:focus-visible {
    outline-offset: -3px;
  }
  .content {
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
    box-sizing: border-box;
    max-width: 820px;
    min-height: 100%;
    margin: 0 auto;
    padding: 12px 14px 16px;
  }
  .more {
    align-self: center;
  }
  .unread {
    display: flex;
    align-items: center;
    gap: 12px;
    padding: 14px 0 4px;
    color: var(--primary);
    font-size: 0.75rem;
    font-weight: 600;
  }
  .unread::before,
  .unread::after {
    content: '';
    flex: 1;
    height: 1px;
    background: var(--primary);
    opacity: 0.5;
  }
  .found {
    border-radius: var(--radius-2);
    animation: found 1.8s ease-out;
  }
  @keyframes found {
    0%,
    40% {
      background: var(--primary-soft);
      box-shadow: 0 0 0 6px var(--primary-soft);
    }
  }
  .day {
    display: flex;
    justify-content: center;
    padding: 16px 0 8px;
  }
  .day span {
    padding: 2px 12px;
    border-radius: 999px;
    background: var(--surface-3);
    color: var(--text);
    font-size: 0.75rem;
    font-weight: 600;
    line-height: 1.7;
  }
  /* Room between what was said and what happened. */
  li:has(tele-entry, tele-outgoing) + li:has(tele-event) {
    padding-top: 8px;
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: 4px;
    max-width: 300px;
    margin: auto;
    padding: 24px 0 40px;
    color: var(--text-2);
    font-size: 0.9375rem;
    text-align: center;
  }
  .empty svg {
    margin-bottom: 6px;
    color: var(--line-strong);
  }
  .empty strong {
    color: var(--text);
  }
  .jump {
    position: absolute;
    bottom: 12px;
    left: 50%;
    width: max-content;
    transform: translateX(-50%);
    box-shadow: var(--shadow-2);
  }
  .jump.icon {
    width: var(--target);
    left: auto;
    right: 18px;
    transform: none;
    border-color: var(--line);
    background: var(--surface);
  }
`;
