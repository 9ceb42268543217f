import { css } from 'lit';

/** The lanes of a recording. The slider lies over the waves, so that a press on a wave goes there. */
export const lanePlayer = css`
  :host {
    display: block;
    --name: 136px;
  }
  .player {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 12px;
  }
  .pictures {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(200px, 100%), 1fr));
    gap: 8px;
  }
  figure {
    position: relative;
    overflow: hidden;
    aspect-ratio: 4 / 3;
    max-height: 34vh;
    border-radius: var(--radius-2);
    background: var(--stage);
  }
  video {
    display: block;
    width: 100%;
    height: 100%;
    object-fit: contain;
  }
  .without video {
    visibility: hidden;
  }
  figcaption {
    position: absolute;
    inset: auto 8px 8px auto;
    padding: 2px 10px;
    border-radius: 999px;
    background: rgb(8 14 17 / 0.8);
    color: #fff;
    font-size: 0.8125rem;
  }
  .lanes {
    position: relative;
    display: grid;
    gap: 6px;
  }
  .row {
    display: grid;
    grid-template-columns: var(--name) minmax(0, 1fr);
    align-items: center;
    gap: 8px;
  }
  .who {
    display: flex;
    align-items: center;
    gap: 4px;
    min-width: 0;
  }
  .who .icon {
    flex: none;
    width: 40px;
    min-width: 40px;
  }
  .name {
    min-width: 0;
    overflow: hidden;
    font-weight: 600;
    font-size: 0.875rem;
    line-height: 1.3;
    text-overflow: ellipsis;
  }
  .name small {
    display: block;
    color: var(--text-2);
    font-weight: 400;
    font-size: 0.75rem;
  }
  .wave {
    width: 100%;
    height: 48px;
    border-radius: var(--radius-1);
    background: var(--surface-2);
  }
  .lane {
    --of: var(--avatar-0);
  }
  .of-1 {
    --of: var(--avatar-1);
  }
  .of-2 {
    --of: var(--avatar-2);
  }
  .of-3 {
    --of: var(--avatar-3);
  }
  rect {
    fill: color-mix(in srgb, var(--of) 45%, var(--text-2));
    opacity: 0.55;
  }
  rect.played {
    fill: var(--of);
    opacity: 1;
  }
  @media (prefers-color-scheme: dark) {
    rect.played {
      fill: color-mix(in srgb, var(--of) 45%, #fff);
    }
  }
  .muted .wave {
    opacity: 0.4;
  }
  .axis svg {
    overflow: visible;
  }
  text {
    fill: var(--text-2);
    font-size: 0.6875rem;
    font-variant-numeric: tabular-nums;
  }
  .seek {
    position: absolute;
    inset: 0 0 16px calc(var(--name) + 8px);
    border-radius: var(--radius-1);
  }
  .seek:has(:focus-visible) {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  .cursor {
    position: absolute;
    inset: 0;
    overflow: visible;
    pointer-events: none;
  }
  line {
    stroke: var(--text);
    stroke-width: 2;
  }
  .seek input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .controls {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
  }
  .controls .icon {
    position: relative;
  }
  .controls .icon small {
    position: absolute;
    inset: auto 0 3px;
    font-size: 0.625rem;
    line-height: 1;
  }
  .play {
    width: 52px;
    height: 52px;
  }
  .time {
    flex: 1 0 auto;
    padding-inline-start: 4px;
    color: var(--text-2);
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  select {
    min-height: 44px;
    max-width: 88px;
    margin-inline-start: auto;
    padding: 0 8px;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-2);
    background: var(--bg);
    color: var(--text);
    font: 600 0.875rem var(--font);
  }
  .failed {
    color: var(--danger);
    font-size: 0.875rem;
  }
  @media (max-width: 520px) {
    :host {
      --name: 0px;
    }
    .row {
      grid-template-columns: minmax(0, 1fr);
      gap: 0;
    }
    .axis > span {
      display: none;
    }
    .seek {
      inset: auto 0 0;
      height: 44px;
    }
    .cursor {
      display: none;
    }
    .seek input {
      opacity: 1;
      accent-color: var(--primary);
    }
    .lanes {
      padding-bottom: 44px;
    }
    /* Beside five controls it has no room. */
    .controls {
      flex-wrap: wrap;
    }
    .time {
      order: -1;
      flex: 1 0 100%;
      padding: 0;
      text-align: center;
    }
    .speed {
      margin-inline-start: auto;
    }
  }
`;
