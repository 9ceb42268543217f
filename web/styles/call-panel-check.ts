import { css } from 'lit';

/** The check of camera, microphone, speaker and network. */
export const deviceCheck = css`
  :host {
    display: block;
    margin-top: 4px;
  }
  .lead {
    color: var(--text-2);
    font-size: 0.9375rem;
  }
  ul {
    display: grid;
    gap: 10px;
    margin-top: 12px;
  }
  ul > li {
    display: grid;
    gap: 8px;
    padding: 12px 14px 14px;
    border: 1px solid var(--line);
    border-radius: var(--radius-2);
  }
  h3 {
    display: flex;
    align-items: center;
    gap: 8px;
    margin: 0;
    font-size: 0.9375rem;
  }
  .mark {
    margin-inline-start: auto;
  }
  .well .mark {
    color: var(--ok);
  }
  .trouble .mark,
  .problem {
    color: var(--danger);
  }
  p {
    color: var(--text-2);
    font-size: 0.875rem;
    line-height: 1.5;
  }
  p.problem {
    color: var(--danger);
  }
  .preview {
    height: clamp(140px, 26dvh, 240px);
    border-radius: var(--radius-1);
    background: var(--stage);
    object-fit: contain;
    transform: scaleX(-1);
    overflow: hidden;
  }
  meter,
  progress {
    width: 100%;
    height: 14px;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .row p {
    flex: 1 1 140px;
    color: var(--text);
  }
  .verdict {
    color: var(--text);
  }
  .advice {
    display: grid;
    gap: 4px;
    padding-inline-start: 20px;
    list-style: decimal;
    font-size: 0.875rem;
    line-height: 1.5;
  }
  .numbers {
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
  }
  .all {
    display: flex;
    align-items: center;
    gap: 8px;
    margin-top: 12px;
    padding: 10px 14px;
    border-radius: var(--radius-2);
    background: var(--ok-soft);
    color: var(--ok);
    font-weight: 600;
  }
`;
