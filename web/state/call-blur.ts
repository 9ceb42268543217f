/** Whether camera and browser can blur what is behind the person themselves (W3C Media Capture Extensions §8). */
export function canBlur(camera: MediaStreamTrack | null): boolean {
  if (camera === null || typeof camera.getCapabilities !== 'function') return false;
  const capabilities: { readonly backgroundBlur?: unknown } = camera.getCapabilities();
  const able = capabilities.backgroundBlur;
  return Array.isArray(able) && able.includes(true) && able.includes(false);
}

/** Whether it is blurred now: the person may have switched it on in the system. */
export function isBlurred(camera: MediaStreamTrack | null): boolean {
  const settings: { readonly backgroundBlur?: unknown } = camera?.getSettings() ?? {};
  return settings.backgroundBlur === true;
}
