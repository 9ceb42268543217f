import { css } from 'lit';

/** The recorder of a dictation: buttons to be found without looking twice. */
export const dictationStyle = css`
  section {
    display: grid;
    gap: 12px;
    padding: 18px 16px;
    border: 1px solid var(--line);
    border-radius: var(--radius-3);
    background: var(--bg);
  }
  h3 {
    font-size: 1rem;
  }
  .now {
    display: flex;
    align-items: center;
    gap: 10px;
    font-size: 1.0625rem;
  }
  .dot {
    width: 14px;
    height: 14px;
    border-radius: 50%;
    background: var(--danger);
    animation: blink 1.6s ease-in-out infinite;
  }
  .paused .dot {
    border: solid var(--warn);
    border-width: 0 5px;
    border-radius: 0;
    background: none;
    animation: none;
  }
  .time {
    margin-inline-start: auto;
    font-weight: 650;
    font-size: 1.75rem;
    line-height: 1.2;
    font-variant-numeric: tabular-nums;
  }
  .levels {
    width: 100%;
    height: 48px;
  }
  rect {
    fill: var(--primary);
  }
  .paused rect {
    fill: var(--text-2);
    opacity: 0.5;
  }
  .safety {
    display: flex;
    gap: 8px;
    padding: 8px 12px;
    border-radius: var(--radius-2);
    background: var(--ok-soft);
    color: var(--ok);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  .safety.risk {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .safety small {
    display: block;
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
  }
  .big {
    display: flex;
    justify-content: center;
    gap: 36px;
    padding: 6px 0;
  }
  .round {
    display: grid;
    justify-items: center;
    gap: 6px;
    min-width: 88px;
    padding: 0;
    border: 0;
    background: none;
  }
  .round:hover:not(:disabled) {
    background: none;
  }
  .round span {
    display: grid;
    place-items: center;
    width: 72px;
    height: 72px;
    border-radius: 50%;
    background: var(--danger);
    color: var(--on-danger);
  }
  .round.done span {
    background: var(--primary);
    color: var(--on-primary);
  }
  .state {
    color: var(--text-2);
  }
  .bad {
    color: var(--danger);
  }
  .listen {
    justify-self: start;
  }
  .acts {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 8px;
  }
  .acts button {
    padding: 0 14px;
  }
  audio {
    width: 100%;
  }
  progress {
    width: 100%;
    accent-color: var(--primary);
  }
  @keyframes blink {
    50% {
      opacity: 0.3;
    }
  }
`;
