import { css } from 'lit';

/** A list of people: a picture, a name over what is to be said of them, and what can be done. */
export const personRows = css`
  li {
    display: flex;
    align-items: center;
    gap: 12px;
    min-height: 60px;
  }
  .who {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
    line-height: 1.4;
  }
  .who strong {
    display: block;
    font-weight: 600;
  }
  small {
    color: var(--text-2);
    font-size: 0.8125rem;
  }
`;
