import { css } from 'lit';

/** What the call becomes in little room: a phone on its side, or a bar above the thread. */
export const callPanelShapes = css`
  @container call (min-width: 420px) and (min-height: 171px) and (max-height: 400px) {
    .panel {
      grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) auto;
    }
    header {
      padding: 6px 10px 6px 20px;
    }
    .state {
      font-size: 0.8125rem;
    }
    .stage {
      margin-bottom: calc(12px + env(safe-area-inset-bottom));
    }
    .take-over,
    tele-call-controls {
      grid-area: 1 / 2 / 3 / 3;
      align-self: center;
      padding: 0 12px 0 0;
    }
  }

  @container call (max-height: 170px) {
    .panel {
      position: relative;
      grid-template: minmax(0, 1fr) / 64px minmax(0, 1fr) auto;
      align-items: center;
      gap: 10px;
      padding: 8px 10px;
    }
    header {
      grid-area: 1 / 2;
      align-items: center;
      padding: 0;
    }
    h2 {
      font-size: 0.9375rem;
    }
    .state {
      display: -webkit-box;
      overflow: hidden;
      font-size: 0.8125rem;
      line-height: 1.35;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 2;
    }
    .stage {
      grid-area: 1 / 1;
      width: 64px;
      height: 100%;
      margin: 0;
      border-radius: 12px;
    }
    .person tele-avatar {
      --size: 44px;
    }
    .quality {
      display: none;
    }
    .offers {
      position: absolute;
      z-index: 5;
      top: 100%;
      right: 0;
      left: 0;
    }
    .take-over,
    tele-call-controls {
      grid-area: 1 / 3;
      padding: 0;
    }
  }
`;
