import type { RemoteTrack } from '../api.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Tells the sizes at which the others' pictures are shown, so that no more is sent than is seen: the one on the screen in
 * its real size, all others not at all. Told once for each size and track.
 */
export class Viewports {
  readonly #told = new Map<string, { readonly track: MediaStreamTrack; readonly size: string }>();

  /** `size` is that of the shown picture; null: it cannot be seen either. */
  show(tracks: readonly RemoteTrack[], shown: RemoteTrack | null, size: Size | null): void {
    const pictures = tracks.filter(({ source }) => source !== 'microphone');
    const keys = new Set(pictures.map(keyOf));
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key);
    for (const picture of pictures)
      this.#tell(picture, picture.track === shown?.track && size !== null && size.width > 0 ? size : null);
  }

  /**
   * Somebody else shows the pictures from now on. Until they tell their sizes the best is asked for, for what was told
   * here last would stay.
   */
  release(tracks: readonly RemoteTrack[]): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    for (const picture of tracks)
      if (picture.source !== 'microphone')
        picture.setViewport({ width: screen.width, height: screen.height });
  }

  /** Another tile of the same picture may have said something else as it went: tells all anew. */
  forget(): void {
    this.#told.clear();
  }

  #tell(picture: RemoteTrack, size: Size | null): void {
    const said = size === null ? '' : `${Math.round(size.width)} ${Math.round(size.height)}`;
    const key = keyOf(picture);
    const told = this.#told.get(key);
    if (told?.track === picture.track && told.size === said) return;
    this.#told.set(key, { track: picture.track, size: said });
    picture.setViewport(size);
  }
}

const keyOf = ({ source, personId }: RemoteTrack): string => `${source} ${personId}`;
