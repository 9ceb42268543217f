import { svg } from 'lit';
import { icon } from './icons.ts';

/** The icons of what is recorded, fetched with it: a page without has no need of them. */
export const record = (size?: number) =>
  icon(
    svg`<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="4" fill="currentColor" stroke="none"/>`,
    size,
  );
export const stop = (size?: number) =>
  icon(svg`<rect x="6.5" y="6.5" width="11" height="11" rx="1.6" fill="currentColor"/>`, size);
export const calendar = (size?: number) =>
  icon(
    svg`<rect x="3.5" y="5.5" width="17" height="15" rx="2.6"/><path d="M3.5 10h17M8 3.5v4M16 3.5v4"/>`,
    size,
  );
export const back10 = (size?: number) =>
  icon(svg`<path d="M4 5v5h5"/><path d="M4.6 10A8 8 0 1 1 4 13.5"/>`, size);
export const forward10 = (size?: number) =>
  icon(svg`<path d="M20 5v5h-5"/><path d="M19.4 10A8 8 0 1 0 20 13.5"/>`, size);
export const cut = (size?: number) =>
  icon(
    svg`<circle cx="6" cy="6.5" r="2.5"/><circle cx="6" cy="17.5" r="2.5"/><path d="M8.2 8 20 17M8.2 16 20 7"/>`,
    size,
  );
export const trash = (size?: number) =>
  icon(svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.2 11v5M13.800 11v5"/>`, size);
export const pen = (size?: number) =>
  icon(svg`<path d="m4.5 19.5 1-4L16 5a2 2 0 0 1 3 3L8.5 18.5z"/><path d="m14.5 6.5 3 3"/>`, size);
export const speakerOff = (size?: number) =>
  icon(svg`<path d="M4 9.5v5h3.5L12 18.5V5.5L7.5 9.5z"/><path d="m15.5 9.5 5 5M20.5 9.5l-5 5"/>`, size);
