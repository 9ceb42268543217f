import { css } from 'lit';

/** Where the tiles stand. `n2` to `n8` is the number of people; the container `call` is the panel. */
export const callStage = css`
  :host {
    display: block;
    min-height: 0;
  }
  .stage {
    position: relative;
    display: grid;
    gap: 8px;
    height: 100%;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  }
  .people {
    display: grid;
    gap: 8px;
    min-width: 0;
    min-height: 0;
  }
  .place {
    min-width: 0;
    min-height: 0;
    border-radius: 16px;
  }
  tele-call-tile {
    height: 100%;
    border-radius: inherit;
  }

  /* Two people: the other one fills the stage. */
  .duo:not(.shares) .people {
    position: relative;
  }
  .duo:not(.shares) .other {
    border-radius: 18px;
  }
  .duo:not(.shares) .self {
    position: absolute;
    right: 12px;
    bottom: 12px;
    /* In its own shape: the person sees what the other side sees. */
    --video-position: static;
    --video-width: auto;
    --video-height: auto;
    --video-max-width: clamp(104px, 26cqi, 190px);
    --video-max-height: clamp(64px, 26cqb, 190px);
    --caption-display: none;
    border-radius: 14px;
    box-shadow: 0 4px 18px rgb(0 0 0 / 0.45);
    overflow: hidden;
  }
  .duo:not(.shares) .self.without-picture {
    display: none;
  }
  .duo:not(.shares) {
    /* Below the initials, and clear of one's own picture. */
    --presence-bottom: calc(50% - 116px);
    /* Above the face, and below what is said at the top. */
    --away-top: max(52px, 14%);
    --away-bottom: auto;
  }

  /* Several: a grid. */
  .group:not(.shares) .people {
    grid-auto-rows: minmax(0, 1fr);
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }
  .group:not(.shares) .n5,
  .group:not(.shares) .n6,
  .group:not(.shares) .n7,
  .group:not(.shares) .n8 {
    grid-template-columns: repeat(3, minmax(0, 1fr));
  }
  .group:not(.shares) .n3 .main {
    grid-column: 1 / -1;
  }

  /* A shared screen: large, the people beside it. */
  .shares {
    grid-template: minmax(0, 1fr) / minmax(0, 1fr) clamp(110px, 20cqi, 180px);
  }
  .shares .people {
    --fit: cover;
    --role-display: none;
    --avatar-size: 48px;
    --presence-bottom: 36px;
    align-content: start;
    grid-auto-rows: minmax(0, 120px);
  }
  .shares .n7,
  .shares .n8 {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }
  .screen {
    position: relative;
    min-width: 0;
    min-height: 0;
    border-radius: 16px;
    background: #000;
    overflow: hidden;
  }
  .screen tele-video {
    position: absolute;
    inset: 0;
    border-radius: inherit;
    object-fit: contain;
  }
  .screen p {
    display: grid;
    place-items: center;
    height: 100%;
    padding: 0 24px;
    color: var(--stage-text-2);
    font-size: 0.9375rem;
    text-align: center;
  }
  figcaption {
    position: absolute;
    bottom: 8px;
    left: 8px;
    display: inline-flex;
    align-items: center;
    gap: 6px;
    max-width: calc(100% - 16px);
    padding: 2px 10px;
    border-radius: 999px;
    background: rgb(8 14 17 / 0.82);
    color: #fff;
    font-size: 0.8125rem;
  }

  .chips {
    position: absolute;
    z-index: 1;
    top: 12px;
    right: 12px;
    left: 12px;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    pointer-events: none;
  }
  .chips li {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    padding: 3px 10px;
    border-radius: 14px;
    background: rgb(8 14 17 / 0.86);
    color: #fff;
    font-size: 0.8125rem;
    line-height: 1.45;
  }

  /* A phone: the speaker large, the others small below. */
  @container call (max-width: 479px) {
    .group:not(.shares) .people,
    .group:not(.shares) .people:is(.n5, .n6, .n7, .n8) {
      grid-template-rows: minmax(0, 1fr);
      grid-auto-rows: clamp(64px, 16cqb, 112px);
    }
    .group:not(.shares) .people:is(.n4, .n6, .n7) {
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }
    .group:not(.shares) .people:is(.n5, .n8) {
      grid-template-columns: repeat(4, minmax(0, 1fr));
    }
    .group:not(.shares) .main {
      grid-column: 1 / -1;
      order: -1;
    }
    .group:not(.shares) .place:not(.main) {
      --fit: cover;
      --role-display: none;
      --avatar-size: 44px;
      --presence-bottom: 36px;
    }
    .shares {
      grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    }
    .shares .people,
    .shares .people:is(.n7, .n8) {
      grid-template-columns: repeat(auto-fit, minmax(80px, 1fr));
      grid-auto-rows: clamp(56px, 13cqb, 96px);
    }
  }
`;
