/** The shapes of the icons, for `icon` of dom.ts. */
const MICROPHONE = [
  'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z',
  'M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
];
const CAMERA = [
  'M5.6 6h7.1a2.8 2.8 0 0 1 2.8 2.8v6.4a2.8 2.8 0 0 1-2.8 2.8H5.6a2.8 2.8 0 0 1-2.8-2.8V8.8A2.8 2.8 0 0 1 5.6 6z',
  'm15.5 10.7 4.4-2.7c.6-.4 1.3 0 1.3.7v6.6c0 .7-.7 1.1-1.3.7l-4.4-2.7z',
];
const SLASH = 'M3.5 3.5l17 17';

export const icons = {
  microphone: MICROPHONE,
  microphoneOff: [...MICROPHONE, SLASH],
  camera: CAMERA,
  cameraOff: [...CAMERA, SLASH],
  expand: ['m14 10 5.5-5.5M15 4.5h4.5V9', 'M10 14l-5.5 5.5M9 19.5H4.5V15'],
  hangUp: [
    'M3.2 14.6c-.5-1-.3-2.2.6-2.9a13.3 13.3 0 0 1 16.4 0c.9.7 1.1 1.9.6 2.9l-.7 1.3c-.3.6-1 .9-1.7.6l-2.7-1c-.5-.2-.9-.7-.9-1.3l-.1-1.7a10.3 10.3 0 0 0-5.4 0l-.1 1.7c0 .6-.4 1.1-.9 1.3l-2.7 1c-.7.3-1.4 0-1.7-.6z',
  ],
  close: ['m6 6 12 12M18 6 6 18'],
  person: ['M12 4.5a4 4 0 1 1 0 8 4 4 0 0 1 0-8z', 'M4.5 20c.8-3.7 3.8-5.5 7.5-5.5s6.7 1.8 7.5 5.5'],
  grip: ['M5 10h14M5 14h14'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
