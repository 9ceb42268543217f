import { css } from 'lit';

/** One person's tile. The stage decides its size and, with `--fit`, whether the whole picture is seen. */
export const callTile = css`
  :host {
    display: block;
    min-width: 0;
    min-height: 0;
  }
  .tile {
    position: relative;
    height: 100%;
    border-radius: inherit;
    background: var(--stage-2);
    color: var(--stage-text);
    overflow: hidden;
  }
  .tile.speaking::after {
    content: '';
    position: absolute;
    inset: 0;
    border: 3px solid #5cc8c4;
    border-radius: inherit;
    pointer-events: none;
  }
  tele-video {
    position: var(--video-position, absolute);
    inset: 0;
    border-radius: inherit;
    /* The whole picture, unless the tile is small: what the camera shows of a patient must not be cropped away. */
    object-fit: var(--fit, contain);
  }
  .own {
    transform: scaleX(-1);
  }
  .frozen {
    filter: grayscale(0.8) brightness(0.6);
  }
  .nobody {
    display: grid;
    place-items: center;
    height: 100%;
  }
  .nobody tele-avatar {
    --size: var(--avatar-size, clamp(44px, 24cqmin, 132px));
    border-radius: 50%;
  }
  .by-phone {
    align-content: center;
    gap: 8px;
  }
  .by-phone .handset {
    padding: clamp(10px, 6cqmin, 28px);
    border-radius: 50%;
    background: rgb(255 255 255 / 0.1);
    color: #5cc8c4;
  }
  .by-phone .how {
    display: var(--role-display, inline);
    font-weight: 600;
    font-size: 0.9375rem;
  }
  .ringing tele-avatar,
  .connecting tele-avatar {
    animation: breathe 2s ease-in-out infinite;
  }
  .presence {
    position: absolute;
    bottom: var(--presence-bottom, 42px);
    left: 50%;
    width: max-content;
    max-width: calc(100% - 16px);
    padding: 3px 10px;
    border-radius: 12px;
    background: rgb(8 14 17 / 0.86);
    color: #fff;
    font-size: 0.8125rem;
    line-height: 1.4;
    text-align: center;
    transform: translateX(-50%);
  }
  .reconnecting .presence,
  .lost .presence {
    top: var(--away-top, auto);
    bottom: var(--away-bottom, var(--presence-bottom, 42px));
  }
  .ringing .presence,
  .connecting .presence {
    display: var(--presence-display, block);
  }
  .caption {
    position: absolute;
    bottom: 8px;
    left: 8px;
    display: var(--caption-display, inline-flex);
    align-items: center;
    gap: 6px;
    max-width: calc(100% - 16px);
    padding: 2px 10px;
    border-radius: 999px;
    background: rgb(8 14 17 / 0.82);
    color: #fff;
    font-size: 0.8125rem;
    line-height: 1.5;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .role {
    display: var(--role-display, inline);
    flex: none;
    color: #c9d6d8;
  }
  .muted {
    color: #ff9b92;
  }
  @keyframes breathe {
    50% {
      transform: scale(1.06);
    }
  }
`;
