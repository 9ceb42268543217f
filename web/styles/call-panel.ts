import { css } from 'lit';

/** The stage of a call. It is a container named `call`; call-panel-shapes.ts says what it becomes in little room. */
export const callPanel = css`
  :host {
    display: block;
    min-width: 0;
    min-height: 0;
    background: var(--stage);
    color: var(--stage-text);
    container: call / size;
  }
  .panel {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    height: 100%;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    gap: 8px;
    padding: 14px 10px 10px 20px;
  }
  .who {
    flex: 1;
    min-width: 0;
  }
  tele-recording-strip {
    flex: 1 0 100%;
    margin-inline-start: -8px;
  }
  h2:focus {
    outline: none;
  }
  h2 {
    overflow: hidden;
    font-size: 1.0625rem;
    line-height: 1.4;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .state {
    color: var(--stage-text-2);
    font-size: 0.875rem;
    line-height: 1.45;
  }
  .state.reconnecting,
  .state.otherReconnecting,
  .state.otherLost {
    color: #f2c063;
  }
  .clock {
    margin-inline-start: 2px;
    font-variant-numeric: tabular-nums;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-width: 44px;
    min-height: 44px;
    padding: 0;
    border: 0;
    border-radius: 50%;
    background: none;
    color: var(--stage-text);
    font: 600 0.9375rem / 1.2 var(--font);
    cursor: pointer;
    touch-action: manipulation;
  }
  .size:hover {
    background: var(--stage-2);
  }
  .stage {
    position: relative;
    grid-area: 2 / 1;
    min-height: 0;
    margin: 0 12px;
    border-radius: 18px;
    overflow: hidden;
  }
  .offer {
    padding: 0 18px;
    border-radius: 999px;
    background: #5cc8c4;
    color: #00201f;
  }
  .offer.plain {
    background: var(--stage-3);
    color: var(--stage-text);
  }
  .offers {
    position: relative;
    z-index: 1;
    grid-area: 2 / 1;
    display: grid;
    align-content: end;
    justify-items: center;
    gap: 12px;
    padding: 12px 24px;
    pointer-events: none;
  }
  .offers > * {
    box-shadow: 0 4px 18px rgb(0 0 0 / 0.45);
    pointer-events: auto;
  }
  .camera-offer {
    display: grid;
    gap: 12px;
    max-width: 420px;
    padding: 16px;
    border-radius: 16px;
    background: rgb(8 14 17 / 0.92);
    color: #fff;
    font-size: 0.9375rem;
    text-align: center;
  }
  .camera-offer div {
    display: flex;
    flex-wrap: wrap-reverse;
    justify-content: center;
    gap: 8px;
  }
  tele-call-controls {
    padding: 16px 8px calc(16px + env(safe-area-inset-bottom));
  }
  :focus-visible {
    outline-color: #8ab8ff;
  }
`;
