import { make } from './dom.ts';
import { play, quietVideo } from './picture.ts';
import type { Size } from './placement.ts';

/** How long the first frame may take. A click's permission lasts for some seconds. */
const FRAME_WITHIN_MS = 1_500;
const WIDTH = 480;
const HEIGHT = 360;

/** What is in the window: the other side's picture, or words over what is left of it. */
export interface VideoLook {
  readonly track: MediaStreamTrack | null;
  /** The last picture, for the time in which none comes. */
  readonly still: CanvasImageSource | null;
  readonly title: string;
  readonly state: string;
}

export const offersVideoWindow = (): boolean =>
  typeof document !== 'undefined' &&
  document.pictureInPictureEnabled &&
  'captureStream' in HTMLCanvasElement.prototype;

/**
 * The browser's own picture window. It shows one video and nothing else, so what has to be said is painted into the
 * picture; the buttons are those that the browser offers.
 */
export class VideoWindow {
  readonly element = quietVideo('unseen');
  readonly #canvas = make('canvas');
  readonly #onClosed: () => void;
  #painted: MediaStreamTrack | null = null;
  #isOpen = false;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
    this.element.disablePictureInPicture = false;
    this.element.setAttribute('aria-hidden', 'true');
    this.element.tabIndex = -1;
    this.#canvas.width = WIDTH;
    this.#canvas.height = HEIGHT;
    this.element.addEventListener('leavepictureinpicture', () => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      this.clear();
      this.#onClosed();
    });
  }

  /** Answers its size at any time. Rejects where the browser refuses, as without a click, or when no frame comes in time. */
  async open(look: VideoLook): Promise<() => Size> {
    this.show(look);
    try {
      await firstFrame(this.element);
      const opened = await this.element.requestPictureInPicture();
      this.#isOpen = true;
      return () => ({ width: opened.width, height: opened.height });
    } catch (error) {
      this.clear();
      throw error;
    }
  }

  /** A picture that flows is shown as it is. Words are painted again each time, so that the window has frames. */
  show({ track, still, title, state }: VideoLook): void {
    if (track !== null) {
      this.#stopPainting();
      play(this.element, track);
      return;
    }
    this.#painted ??= this.#canvas.captureStream().getVideoTracks()[0] ?? null;
    paint(this.#canvas, { still, title, state });
    play(this.element, this.#painted);
  }

  /** Closes it without telling. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.clear();
    if (document.pictureInPictureElement !== null)
      void document.exitPictureInPicture().catch(() => undefined);
  }

  clear(): void {
    this.#stopPainting();
    play(this.element, null);
  }

  #stopPainting(): void {
    this.#painted?.stop();
    this.#painted = null;
  }
}

function firstFrame(video: HTMLVideoElement): Promise<void> {
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) return Promise.resolve();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new DOMException('There is no picture yet.', 'InvalidStateError')),
    FRAME_WITHIN_MS,
  );
  video.addEventListener(
    'loadedmetadata',
    () => {
      clearTimeout(timer);
      resolve();
    },
    { once: true },
  );
  return promise;
}

function paint(canvas: HTMLCanvasElement, { still, title, state }: Omit<VideoLook, 'track'>): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.fillStyle = '#0c1519';
  context.fillRect(0, 0, WIDTH, HEIGHT);
  if (still !== null) {
    context.globalAlpha = 0.4;
    context.drawImage(still, 0, 0, WIDTH, HEIGHT);
    context.globalAlpha = 1;
  }
  context.textAlign = 'center';
  context.fillStyle = '#eef5f6';
  context.font = '600 34px system-ui, sans-serif';
  context.fillText(title, WIDTH / 2, HEIGHT * 0.46, WIDTH - 40);
  context.fillStyle = '#ffd58a';
  context.font = '26px system-ui, sans-serif';
  wrapped(context, state).forEach((line, index) => {
    context.fillText(line, WIDTH / 2, HEIGHT * 0.46 + 46 + index * 34, WIDTH - 40);
  });
}

/** Lines that fit; between words where there are any, and anywhere in Chinese. */
function wrapped(context: CanvasRenderingContext2D, text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) {
    if (line !== '' && context.measureText(line + segment).width > WIDTH - 40) {
      lines.push(line.trim());
      line = '';
    }
    line += segment;
  }
  return [...lines, line.trim()].slice(0, 3);
}
