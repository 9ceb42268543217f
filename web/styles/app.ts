import { css } from 'lit';

export const app = css`
  :host {
    display: block;
    height: var(--app-height, 100dvh);
  }
  /* What is recorded now stands above everything, and takes no room while there is nothing. */
  .app {
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    height: 100%;
  }
  .app > main,
  .app > .plain,
  .app > tele-not-ready {
    grid-row: 2;
    height: 100%;
    min-height: 0;
  }
  /* On a phone the header has no room for it: it stands in the menu. */
  @media (max-width: 560px) {
    tele-visit > tele-language {
      display: none;
    }
  }
  /* The small window reads here what it must not cover: the header with its buttons, and where messages are written. */
  teleconsult-floating-call::part(window) {
    scroll-padding: calc(58px + env(safe-area-inset-top)) env(safe-area-inset-right)
      calc(116px + env(safe-area-inset-bottom)) env(safe-area-inset-left);
  }
  .hear {
    position: fixed;
    z-index: 21;
    inset: calc(12px + env(safe-area-inset-top)) 0 auto;
    width: max-content;
    max-width: calc(100vw - 24px);
    margin: 0 auto;
    border-color: transparent;
    background: #5cc8c4;
    box-shadow: var(--shadow-2);
    color: #00201f;
  }
  .hear:hover:not(:disabled) {
    background: #7bd7d3;
  }
`;

/** A page with nothing but a header and a message. */
export const plain = css`
  .plain {
    display: grid;
    grid-template-rows: auto auto minmax(0, 1fr);
    height: 100%;
  }
  .plain-header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 64px;
    padding: env(safe-area-inset-top) 10px 0 20px;
    color: var(--primary);
    font-weight: 700;
  }
  .plain main {
    grid-row: 3;
    display: grid;
    padding-bottom: 64px;
  }
`;
