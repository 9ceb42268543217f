import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

/** Line icons on a 24 px grid. They are decoration: the button around them carries the name. */
export const icon = (shape: SVGTemplateResult, size = 22): TemplateResult => html`<svg
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
export const checks = (size?: number) =>
  icon(svg`<path d="m2.5 12.5 4.5 4.5L16 8M11 15.5l1.5 1.5L22 7.5"/>`, size);
export const reply = (size?: number) =>
  icon(svg`<path d="M9.5 6 4 11.5 9.5 17M4.5 11.5H13c4 0 6.5 2.3 7 6.5"/>`, size);
export const more = (size?: number) =>
  icon(
    svg`<circle cx="12" cy="5.5" r="0.9" fill="currentColor"/><circle cx="12" cy="12" r="0.9" fill="currentColor"/><circle cx="12" cy="18.5" r="0.9" fill="currentColor"/>`,
    size,
  );
export const search = (size?: number) =>
  icon(svg`<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>`, size);
export const copy = (size?: number) =>
  icon(
    svg`<rect x="8.5" y="8.5" width="11" height="11" rx="2.5"/><path d="M15.5 8V6.5A2.5 2.5 0 0 0 13 4H6.5A2.5 2.5 0 0 0 4 6.5V13a2.5 2.5 0 0 0 2.5 2.5H8"/>`,
    size,
  );
export const undo = (size?: number) =>
  icon(svg`<path d="M8 5 4 9l4 4M4.5 9H14a5.5 5.5 0 0 1 0 11H8.5"/>`, size);
export const toTop = (size?: number) => icon(svg`<path d="M5 4h14M12 20V8.5M6.5 14 12 8.5l5.5 5.5"/>`, size);
export const settings = (size?: number) =>
  icon(
    svg`<path d="M4 7.5h9M17.5 7.5H20M4 16.5h2.5M11 16.5h9"/><circle cx="15" cy="7.5" r="2.3"/><circle cx="8.7" cy="16.5" r="2.3"/>`,
    size,
  );
export const people = (size?: number) =>
  icon(
    svg`<circle cx="9" cy="8.5" r="3.4"/><path d="M2.8 19c.6-3.2 3-4.8 6.2-4.8s5.600 1.600 6.200 4.800M15.500 5.400a3.400 3.400 0 0 1 0 6.200M17.500 14.600c2 .6 3.300 2.100 3.700 4.400"/>`,
    size,
  );
export const invite = (size?: number) =>
  icon(
    svg`<circle cx="10" cy="8.500" r="3.600"/><path d="M3.500 19.500c.7-3.400 3.200-5.100 6.500-5.100 1.300 0 2.500.3 3.500.8M18 13.500v6M15 16.500h6"/>`,
    size,
  );
export const clipboard = (size?: number) =>
  icon(
    svg`<path d="M9 4.500H7.500A2.500 2.500 0 0 0 5 7v11a2.500 2.500 0 0 0 2.500 2.500h9A2.500 2.500 0 0 0 19 18V7a2.500 2.500 0 0 0-2.500-2.500H15"/><rect x="9" y="3" width="6" height="3.500" rx="1.200"/><path d="M8.800 11.500h6.400M8.800 15.500h4"/>`,
    size,
  );
export const leave = (size?: number) =>
  icon(
    svg`<path d="M13.500 4.500H7A2.500 2.500 0 0 0 4.500 7v10A2.500 2.500 0 0 0 7 19.500h6.500M10 12h10.500M17 8.500l3.500 3.500-3.500 3.500"/>`,
    size,
  );
export const text = (size?: number) =>
  icon(svg`<path d="M4.500 6.500h15M4.500 11h15M4.500 15.500h9"/>`, size);
export const share = (size?: number) =>
  icon(
    svg`<circle cx="6.500" cy="12" r="2.500"/><circle cx="17" cy="6" r="2.500"/><circle cx="17" cy="18" r="2.500"/><path d="m8.700 10.800 6-3.500M8.700 13.200l6 3.500"/>`,
    size,
  );
export const plus = (size?: number) => icon(svg`<path d="M12 5v14M5 12h14"/>`, size);
export const minus = (size?: number) => icon(svg`<path d="M5 12h14"/>`, size);
export const screen = (size?: number) =>
  icon(
    svg`<rect x="3" y="4.5" width="18" height="12" rx="2.4"/><path d="M9 20h6M12 13.5v-5M9.5 10.5 12 8l2.5 2.5"/>`,
    size,
  );
export const screenOff = (size?: number) =>
  icon(
    svg`<rect x="3" y="4.5" width="18" height="12" rx="2.4"/><path d="M9 20h6M9.5 8l5 5M14.5 8l-5 5"/>`,
    size,
  );
export const headset = (size?: number) =>
  icon(
    svg`<path d="M4 14v-2a8 8 0 0 1 16 0v2"/><rect x="3" y="13" width="4.5" height="7" rx="2"/><rect x="16.5" y="13" width="4.5" height="7" rx="2"/>`,
    size,
  );
export const keyboard = (size?: number) =>
  icon(
    svg`<rect x="2.8" y="6" width="18.4" height="12" rx="2.4"/><path d="M6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14h8"/>`,
    size,
  );
export const blur = (size?: number) =>
  icon(
    svg`<circle cx="12" cy="9" r="3.2"/><path d="M6.5 19c.6-3 2.7-4.6 5.5-4.6s4.9 1.6 5.5 4.6"/><path d="M4 5h.01M4 9h.01M4 13h.01M20 5h.01M20 9h.01M20 13h.01M8 4h.01M16 4h.01" stroke-width="2.4"/>`,
    size,
  );
export const signal = (size?: number) => icon(svg`<path d="M5 19v-4M10 19v-7M15 19v-10M20 19V5"/>`, size);
