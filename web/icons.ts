import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

/** Line icons on a 24 px grid. They are decoration: the button around them carries the name. */
const icon = (shape: SVGTemplateResult, size = 22): TemplateResult => html`<svg
  aria-hidden="true"
  focusable="false"
  width=${size}
  height=${size}
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="1.8"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  ${shape}
</svg>`;

const handset = svg`<path d="M6.6 3.5h2.1c.6 0 1 .4 1.2 1l.8 2.9c.1.5 0 1-.4 1.3L8.7 10a12.4 12.4 0 0 0 5.3 5.3l1.3-1.6c.3-.4.8-.5 1.3-.4l2.9.8c.6.2 1 .6 1 1.2v2.1c0 1.7-1.4 3.1-3.1 3.1C10 20.5 3.5 14 3.5 6.6c0-1.7 1.4-3.1 3.1-3.1z"/>`;
const cameraBody = svg`<rect x="2.8" y="6" width="12.7" height="12" rx="2.8"/><path d="m15.5 10.7 4.4-2.7c.6-.4 1.3 0 1.3.7v6.6c0 .7-.7 1.1-1.3.7l-4.4-2.7z"/>`;
const slash = svg`<path d="M3.5 3.5l17 17"/>`;

export const phone = (size?: number) => icon(handset, size);
export const hangUp = (size?: number) => icon(svg`<g transform="rotate(135 12 12)">${handset}</g>`, size);
export const video = (size?: number) => icon(cameraBody, size);
export const videoOff = (size?: number) => icon(svg`${cameraBody}${slash}`, size);
export const microphone = (size?: number) =>
  icon(
    svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>`,
    size,
  );
export const microphoneOff = (size?: number) =>
  icon(
    svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>${slash}`,
    size,
  );
export const picture = (size?: number) =>
  icon(
    svg`<rect x="3.5" y="4.5" width="17" height="15" rx="3"/><circle cx="9" cy="10" r="1.6"/><path d="m4 17.5 4.7-4.3a1.5 1.5 0 0 1 2 0l2.3 2 1.7-1.6a1.5 1.5 0 0 1 2.1 0l3.4 3.4"/>`,
    size,
  );
export const camera = (size?: number) =>
  icon(
    svg`<path d="M4 8.5A2.5 2.5 0 0 1 6.5 6h1.2L9 4h6l1.3 2h1.2A2.5 2.5 0 0 1 20 8.5v8a2.5 2.5 0 0 1-2.5 2.5h-11A2.5 2.5 0 0 1 4 16.5z"/><circle cx="12" cy="12.3" r="3.3"/>`,
    size,
  );
export const paperclip = (size?: number) =>
  icon(
    svg`<path d="m19.5 11.3-7.7 7.7a4.8 4.8 0 0 1-6.8-6.8l7.9-7.9a3.2 3.2 0 0 1 4.5 4.5l-7.8 7.8a1.6 1.6 0 0 1-2.3-2.3l7-7"/>`,
    size,
  );
export const file = (size?: number) =>
  icon(
    svg`<path d="M13.5 3.5H7.5A2.5 2.5 0 0 0 5 6v12a2.5 2.5 0 0 0 2.5 2.5h9A2.5 2.5 0 0 0 19 18V9zM13.5 3.5V9H19M8.8 13.5h6.4M8.8 16.8h4"/>`,
    size,
  );
export const download = (size?: number) =>
  icon(svg`<path d="M12 4v10.5M7.5 10.5 12 15l4.5-4.5M5 19.5h14"/>`, size);
export const send = (size?: number) =>
  icon(
    svg`<path d="M4.2 12h8.3M4.2 12 3.6 5.3c0-.7.6-1.2 1.3-.9l15.2 6.8c.7.3.7 1.3 0 1.6L4.9 19.6c-.7.3-1.4-.2-1.3-.9z"/>`,
    size,
  );
export const play = (size?: number) =>
  icon(
    svg`<path d="M8 5.6v12.8c0 .7.8 1.2 1.5.8l9.7-6.4c.6-.4.6-1.2 0-1.6L9.5 4.8C8.8 4.4 8 4.9 8 5.6z" fill="currentColor"/>`,
    size,
  );
export const pause = (size?: number) => icon(svg`<path d="M8.5 5.5v13M15.5 5.5v13" stroke-width="3"/>`, size);
export const close = (size?: number) => icon(svg`<path d="m6 6 12 12M18 6 6 18"/>`, size);
export const back = (size?: number) => icon(svg`<path d="m14.5 5-7 7 7 7"/>`, size);
export const down = (size?: number) => icon(svg`<path d="M12 5v14M6 13l6 6 6-6"/>`, size);
export const check = (size?: number) => icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`, size);
export const clock = (size?: number) =>
  icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>`, size);
export const alert = (size?: number) =>
  icon(
    svg`<path d="M12 8.5v4.5M12 16.3v.1M10.3 4.3 2.9 17a2 2 0 0 0 1.7 3h14.8a2 2 0 0 0 1.7-3L13.7 4.3a2 2 0 0 0-3.4 0z"/>`,
    size,
  );
export const info = (size?: number) =>
  icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.9V8"/>`, size);
export const retry = (size?: number) =>
  icon(svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15"/>`, size);
export const globe = (size?: number) =>
  icon(
    svg`<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c2.3 2.3 3.5 5.3 3.5 8.5s-1.2 6.2-3.5 8.5C9.7 18.2 8.5 15.2 8.5 12S9.7 5.8 12 3.5z"/>`,
    size,
  );
export const speaker = (size?: number) =>
  icon(svg`<path d="M4 9.5h3.5L12 5.5v13l-4.5-4H4zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.7 7.7 0 0 1 0 11"/>`, size);
export const shrink = (size?: number) =>
  icon(svg`<path d="M19.5 4.5 14 10M14 5.5V10h4.5M4.5 19.5 10 14M10 18.5V14H5.5"/>`, size);
export const expand = (size?: number) =>
  icon(svg`<path d="m14 10 5.5-5.5M15 4.5h4.5V9M10 14l-5.5 5.5M9 19.5H4.5V15"/>`, size);
export const chat = (size?: number) =>
  icon(
    svg`<path d="M4 8.5A3.5 3.5 0 0 1 7.5 5h9A3.5 3.5 0 0 1 20 8.5v5a3.5 3.5 0 0 1-3.5 3.5H12l-4.3 3.3c-.5.4-1.2 0-1.2-.6v-2.8A3.5 3.5 0 0 1 4 13.5z"/>`,
    size,
  );
export const person = (size?: number) =>
  icon(svg`<circle cx="12" cy="8.5" r="4"/><path d="M4.5 20c.8-3.7 3.8-5.5 7.5-5.5s6.7 1.8 7.5 5.5"/>`, size);
export const stethoscope = (size?: number) =>
  icon(
    svg`<path d="M6 4H4.5v5a4.5 4.5 0 0 0 9 0V4H12M9 13.5V15a5.5 5.5 0 0 0 11 0v-2.5"/><circle cx="20" cy="10.5" r="2"/>`,
    size,
  );
export const shield = (size?: number) =>
  icon(svg`<path d="M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6zM9 12l2.2 2.2L15.2 10"/>`, size);
