/** One object URL at a time: a new blob replaces and revokes the one before. */
export class BlobUrl {
  #url: string | null = null;

  get value(): string | null {
    return this.#url;
  }

  show(blob: Blob): string {
    this.clear();
    this.#url = URL.createObjectURL(blob);
    return this.#url;
  }

  clear(): void {
    if (this.#url !== null) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }
}

/** Hands a blob to the browser as a download. */
export function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser reads the URL after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
