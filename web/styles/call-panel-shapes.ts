import { css } from 'lit';

/** What the call becomes in little room: a phone on its side. */
export const callPanelShapes = css`
  @container call (min-width: 420px) and (max-height: 400px) {
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
    tele-call-controls {
      grid-area: 1 / 2 / 3 / 3;
      align-self: center;
      padding: 0 12px 0 0;
    }
  }
`;
