import type { RemoteTrack } from '../api.ts';
import { icon, make, setAttribute, setText } from './dom.ts';
import { icons } from './icons.ts';
import { initials } from './initials.ts';

export interface PictureScene {
  /** Whose picture it is. */
  readonly personId: string | null;
  readonly picture: RemoteTrack | null;
  readonly isFrozen: boolean;
  readonly isByPhone: boolean;
  readonly ownPicture: MediaStreamTrack | null;
  readonly name: string | null;
  readonly label: string;
  readonly ownLabel: string;
}

const NOBODY: PictureScene = {
  personId: null,
  picture: null,
  isFrozen: false,
  isByPhone: false,
  ownPicture: null,
  name: null,
  label: '',
  ownLabel: '',
};

/** The other side's picture, else their telephone or the letters of their name; the person's own in the corner. */
export class Picture {
  readonly #video = quietVideo('picture');
  readonly #own = quietVideo('own');
  readonly #still = make('canvas', 'picture still');
  readonly #avatar = make('div', 'avatar');
  /** Over the letters, and for the eyes alone: the words below say the same. The style sheet lifts the handset. */
  readonly #phone = make('div', 'avatar phone', icon(...icons.hangUp));
  readonly element = make('div', 'view', this.#avatar, this.#phone, this.#video, this.#still, this.#own);
  #isFrozen = false;
  #personId: string | null = null;

  constructor() {
    this.#video.setAttribute('part', 'picture');
    this.#still.setAttribute('part', 'picture');
    this.#still.setAttribute('role', 'img');
    this.#avatar.setAttribute('aria-hidden', 'true');
    this.show(NOBODY);
  }

  show({ personId, picture, isFrozen, isByPhone, ownPicture, name, label, ownLabel }: PictureScene): void {
    const isSame = personId === this.#personId;
    // What is on the screen is the picture of whoever was shown before: it never stands under another's name.
    if (isFrozen && !this.#isFrozen && isSame) this.#keepStill();
    if (!isFrozen || !isSame) setSize(this.#still, 0, 0);
    this.#isFrozen = isFrozen;
    this.#personId = personId;
    const hasStill = this.#still.width > 0;
    this.#still.hidden = !hasStill;
    this.#video.hidden = hasStill || picture === null;
    this.#avatar.hidden = hasStill || picture !== null;
    this.#phone.hidden = !isByPhone;
    setAttribute(this.#video, 'data-source', picture?.source ?? null);
    setAttribute(this.#video, 'aria-label', label);
    setAttribute(this.#still, 'aria-label', label);
    setAttribute(this.#own, 'aria-label', ownLabel);
    this.#own.hidden = ownPicture === null;
    play(this.#video, picture?.track ?? null);
    play(this.#own, ownPicture);
    this.#showName(name);
  }

  /** True while a picture is on the screen that does not stand still on purpose. */
  get isMoving(): boolean {
    return !this.#video.hidden;
  }

  get size(): { readonly width: number; readonly height: number } {
    const { clientWidth: width, clientHeight: height } = this.element;
    return { width, height };
  }

  /** What is to be painted where an element cannot be shown. */
  get image(): HTMLVideoElement | HTMLCanvasElement | null {
    if (this.#still.width > 0) return this.#still;
    return this.isMoving && this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? this.#video : null;
  }

  /** Videos pause while they are moved to another document. */
  handleMoved(): void {
    for (const video of [this.#video, this.#own])
      if (video.srcObject !== null) void video.play().catch(() => undefined);
  }

  /** Lets go of every track and of the still. */
  clear(): void {
    this.show(NOBODY);
  }

  /** A copy: the track may go while its sender is away, and with it what its element shows. */
  #keepStill(): void {
    const { videoWidth, videoHeight, hidden, readyState } = this.#video;
    if (hidden || videoWidth === 0 || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    setSize(this.#still, videoWidth, videoHeight);
    this.#still.getContext('2d')?.drawImage(this.#video, 0, 0, videoWidth, videoHeight);
  }

  #showName(name: string | null): void {
    const letters = name === null ? '' : initials(name);
    if (letters !== '') setText(this.#avatar, letters);
    else if (this.#avatar.firstElementChild === null) this.#avatar.replaceChildren(icon(...icons.person));
  }
}

/** Its sound is played elsewhere, and the browser puts no controls of its own over it. */
export function quietVideo(className: string): HTMLVideoElement {
  const video = make('video', className);
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.disableRemotePlayback = true;
  return video;
}

/** Shows a track; one that is shown already goes on without a break. */
export function play(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
  const { srcObject } = video;
  const shown = srcObject instanceof MediaStream ? (srcObject.getVideoTracks()[0] ?? null) : null;
  if (shown === track && (track !== null || srcObject === null)) return;
  video.srcObject = track === null ? null : new MediaStream([track]);
  if (track !== null) void video.play().catch(() => undefined);
}

/** Writing a size empties a canvas, also when it is the same. */
function setSize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
}
