import type { TeleconsultClient } from '../api.ts';
import type { FloatingCallEventMap } from './floating-call-api.ts';
import type { Scene } from './scene.ts';

/** Which call the large view is asked for. */
export function askedPlace(
  scene: Scene,
  client: TeleconsultClient | null,
): FloatingCallEventMap['teleconsult-expand']['detail'] | null {
  if (scene.kind === 'call' || scene.kind === 'elsewhere') {
    const { consultationId, callId } = scene.call.view;
    return { consultationId, callId };
  }
  const restoring = client?.restoring ?? null;
  return restoring === null ? null : { consultationId: restoring.consultationId, callId: restoring.callId };
}
