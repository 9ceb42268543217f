import { css } from 'lit';

export const app = css`
  :host {
    display: block;
    height: var(--app-height, 100dvh);
  }
  .app,
  .app > main {
    height: 100%;
  }
  /* On a phone the header has no room for it: it stands in the menu. */
  @media (max-width: 560px) {
    tele-visit > tele-language {
      display: none;
    }
  }
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
  .loading {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 12px;
    color: var(--text-2);
  }
  .spinner {
    width: 22px;
    height: 22px;
    border: 3px solid var(--surface-3);
    border-block-start-color: var(--primary);
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  .failed {
    display: grid;
    align-content: center;
    justify-items: center;
    gap: 12px;
  }
  .failed tele-message-page {
    height: auto;
  }
  .failed small {
    color: var(--text-2);
  }
  @keyframes turn {
    to {
      transform: rotate(360deg);
    }
  }
`;
