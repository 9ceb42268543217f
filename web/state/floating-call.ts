/** Fetches the small window of the call: most visits to the page never show it. May be called again. */
export async function fetchFloatingCall(): Promise<void> {
  const { defineFloatingCall } = await import('@teleconsult/client-sdk/ui');
  defineFloatingCall();
}
