import { css } from 'lit';

/** The wide layout begins at the width that tele-visit.ts calls WIDE_PX. */
export const visit = css`
  :host {
    display: grid;
    grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr);
    height: 100%;
    min-height: 0;
    min-width: 0;
    position: relative;
    container-type: inline-size;
  }
  .skip {
    position: absolute;
    z-index: 9;
    top: 8px;
    left: 8px;
    min-height: 44px;
    padding: 0 16px;
    border: 0;
    border-radius: 999px;
    background: var(--primary);
    color: var(--on-primary);
    font: 600 0.9375rem var(--font);
  }
  .skip:not(:focus) {
    clip-path: inset(50%);
    pointer-events: none;
  }
  .body {
    position: relative;
    display: grid;
    grid-template: 'call' auto 'conversation' minmax(0, 1fr) / minmax(0, 1fr);
    min-height: 0;
  }
  .conversation {
    position: relative;
    grid-area: conversation;
    display: grid;
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    min-height: 0;
    min-width: 0;
  }
  tele-call-panel {
    position: absolute;
    z-index: 4;
    inset: 0;
  }
  tele-call-elsewhere {
    grid-area: call;
  }
  .conversation {
    container: conversation / inline-size;
  }
  tele-search {
    position: absolute;
    z-index: 5;
    inset: 0;
  }
  @container conversation (min-width: 760px) {
    tele-search {
      inset: 0 0 0 auto;
      width: 320px;
      border-inline-start: 1px solid var(--line);
    }
    .searching > :not(tele-search) {
      margin-inline-end: 320px;
    }
  }
  .over {
    padding: 16px 20px calc(20px + env(safe-area-inset-bottom));
    border-top: 1px solid var(--line);
    background: var(--surface);
    color: var(--text-2);
    font-size: 0.9375rem;
    text-align: center;
  }
  .over strong {
    display: block;
    color: var(--text);
  }
  .advice {
    max-width: 56ch;
    margin: 6px auto;
    color: var(--text);
  }
  .advice.emergency {
    padding: 10px 14px;
    border-radius: var(--radius-2);
    background: var(--danger-soft);
    color: var(--danger);
    font-weight: 600;
  }
  .drop {
    position: absolute;
    z-index: 6;
    inset: 12px;
    display: grid;
    place-items: center;
    border: 2px dashed var(--primary);
    border-radius: 20px;
    background: color-mix(in srgb, var(--primary-soft) 92%, transparent);
    color: var(--primary);
    font-weight: 600;
    pointer-events: none;
  }
  @container (min-width: 800px) {
    .in-call {
      grid-template: 'call conversation' minmax(0, 1fr) / minmax(0, 1.35fr) minmax(340px, 1fr);
    }
    tele-call-panel {
      position: relative;
      inset: auto;
      grid-area: call;
      height: auto;
    }
  }
`;
