import type { AwaitedSource } from '../api.ts';
import type { CallActs } from './call-acts.ts';
import type { RunningScene, Scene } from './scene.ts';

interface RequestsOptions {
  readonly scene: () => Scene;
  readonly playSound: () => void;
  /** A device that was asked for did not come. */
  readonly failed: (error: unknown, source: AwaitedSource) => void;
}

/** What the buttons ask of the call. What a call refuses is said in words, or is seen in that nothing changes. */
export function requestsOf({
  scene,
  playSound,
  failed,
}: RequestsOptions): Omit<CallActs, 'expand' | 'dismiss'> {
  const running = (ask: (scene: RunningScene) => void): void => {
    const now = scene();
    if (now.kind === 'call') ask(now);
  };
  return {
    toggleMicrophone: () =>
      running(({ call, microphoneOn }) => {
        call.setMicrophone(!microphoneOn).catch((error: unknown) => failed(error, 'microphone'));
      }),
    toggleCamera: () =>
      running(({ call, cameraOn }) => {
        call.setCamera(!cameraOn).catch((error: unknown) => failed(error, 'camera'));
      }),
    hangUp: () =>
      running(({ call, endsFor }) => {
        // Media stops at once; the server is told as soon as there is a connection.
        (endsFor === 'all' ? call.hangUp() : call.leave()).catch(() => undefined);
      }),
    goOn: () =>
      running(({ call, awaited }) => {
        playSound();
        if (awaited === null || awaited.sources.length === 0) return;
        const [first = 'microphone'] = awaited.sources;
        call.continueSources().catch((error: unknown) => failed(error, refusedSource(error) ?? first));
      }),
    continueHere: () => {
      const now = scene();
      // Refused, the window says as before that the call is elsewhere.
      if (now.kind === 'elsewhere') now.call.accept({ camera: false }).catch(() => undefined);
    },
  };
}

function refusedSource(error: unknown): AwaitedSource | null {
  const detail = error instanceof Error && 'detail' in error ? error.detail : null;
  if (typeof detail !== 'string') return null;
  return detail.startsWith('camera') ? 'camera' : detail.startsWith('microphone') ? 'microphone' : null;
}
