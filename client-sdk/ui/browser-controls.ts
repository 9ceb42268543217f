/** What the browser's own surfaces show, and what their buttons do. */
export interface BrowserControlsLook {
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly toggleMicrophone: () => void;
  /** Null in a voice call. */
  readonly toggleCamera: (() => void) | null;
  readonly hangUp: () => void;
}

/**
 * The actions of calls (https://w3c.github.io/mediasession/), of which TypeScript knows none yet. A browser throws at
 * names that are new to it.
 */
interface CallSession {
  setActionHandler(action: string, handler: (() => void) | null): void;
  /** Browsers with an older draft of the standard answer nothing. */
  setMicrophoneActive?(active: boolean): Promise<void> | undefined;
  setCameraActive?(active: boolean): Promise<void> | undefined;
}

function session(): CallSession | null {
  return 'mediaSession' in navigator ? navigator.mediaSession : null;
}

/**
 * Mute, camera and hang-up in the browser's picture window, and the window that opens as the person leaves the tab. A page
 * has one set of handlers, which may be the app's: they are taken when they are needed, and given up once.
 */
export class BrowserControls {
  #isShown = false;
  #opensOnLeaving = false;

  /** Null: the picture window is not open. */
  show(look: BrowserControlsLook | null): void {
    if (look === null && !this.#isShown) return;
    this.#isShown = look !== null;
    handle('togglemicrophone', look?.toggleMicrophone ?? null);
    handle('togglecamera', look?.toggleCamera ?? null);
    handle('hangup', look?.hangUp ?? null);
    if (look === null) return;
    const held = session();
    void told(() => held?.setMicrophoneActive?.(look.microphoneOn));
    void told(() => held?.setCameraActive?.(look.cameraOn));
  }

  /**
   * `open` is called as the person leaves the tab: a browser that offers this lets a small window open without a click
   * then, and asks the person about it. Null stops it.
   */
  onLeavingTab(open: (() => void) | null): void {
    if ((open !== null) === this.#opensOnLeaving) return;
    this.#opensOnLeaving = open !== null;
    handle('enterpictureinpicture', open);
  }
}

/** What a browser does not take is only not shown there. */
async function told(tell: () => Promise<void> | undefined): Promise<void> {
  try {
    await tell();
  } catch {
    // Not offered here.
  }
}

function handle(action: string, handler: (() => void) | null): void {
  try {
    session()?.setActionHandler(action, handler);
  } catch {
    // Not offered here.
  }
}
