import { AppError } from '@teleconsult/protocol/errors';

/** Tracks that are sent and come back. They need no microphone, no camera and no permission. */
export interface CheckTracks {
  readonly tracks: readonly MediaStreamTrack[];
  close(): void;
}

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 15;
/** Blocks of changing colour cost bits like a moving face does; a still picture would cost none. */
const BLOCK = 20;

/**
 * Silence, and a picture that moves. Rejects with `UNSUPPORTED_BROWSER` where they cannot be made. Nothing is heard:
 * the silence is only sent, and what comes back is not played.
 */
export function openCheckTracks(): CheckTracks {
  if (typeof document !== 'object' || typeof AudioContext !== 'function')
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no Web Audio or canvas' });
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const picture = canvas.getContext('2d');
  if (picture === null || typeof canvas.captureStream !== 'function')
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no captureStream' });
  let frame = 0;
  const draw = () => {
    frame += 1;
    for (let x = 0; x < WIDTH; x += BLOCK)
      for (let y = 0; y < HEIGHT; y += BLOCK) {
        picture.fillStyle = `hsl(${(x * 7 + y * 13 + frame * 23) % 360} 80% ${30 + ((x + y + frame * 11) % 40)}%)`;
        picture.fillRect(x, y, BLOCK, BLOCK);
      }
  };
  draw();
  const timer = setInterval(draw, 1000 / FRAMES_PER_SECOND);
  const context = new AudioContext();
  // Without a click on the page it may stay suspended; then the picture alone is sent.
  context.resume().catch(() => {});
  const silence = context.createMediaStreamDestination();
  // A destination that nothing flows into sends nothing.
  const nothing = new ConstantSourceNode(context, { offset: 0 });
  nothing.connect(silence);
  nothing.start();
  const tracks = [
    ...silence.stream.getAudioTracks(),
    ...canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks(),
  ];
  return {
    tracks,
    close: () => {
      clearInterval(timer);
      for (const track of tracks) track.stop();
      context.close().catch(() => {});
    },
  };
}
