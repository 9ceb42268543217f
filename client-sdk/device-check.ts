import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions, DeviceCheck } from './api.ts';
import { type LevelMeter, openLevelMeter } from './device-level.ts';
import { playTone } from './device-tone.ts';
import type { Lifetime } from './lifetime.ts';
import { throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import { toAppError } from './requests.ts';

export interface DeviceCheckParts {
  readonly device: MediaDevice;
  /** The client's. */
  readonly life: Lifetime;
  readonly openMeter?: (track: MediaStreamTrack) => LevelMeter | null;
}

type Kind = 'microphone' | 'camera';
type Answer = { readonly track: MediaStreamTrack } | { readonly problem: AppError };

/** Opens microphone and camera to be looked at. Rejects with `ABORTED` alone; what cannot be had is a problem. */
export async function openDeviceCheck(
  parts: DeviceCheckParts,
  { signal, camera = true }: CallOptions & { camera?: boolean } = {},
): Promise<DeviceCheck> {
  throwIfAborted(signal);
  const life = parts.life.child();
  const kinds: readonly Kind[] = camera ? ['microphone', 'camera'] : ['microphone'];
  const asking = ask(parts.device, kinds, life);
  try {
    return new OpenDevices(await life.within(asking, signal), { ...parts, life });
  } catch (error) {
    // What is still answered is stopped as it comes.
    life.end(new AppError('ABORTED'));
    throw error;
  }
}

/** Asked for together, the person sees one question. When that fails, each is asked for alone. */
async function ask(
  device: MediaDevice,
  kinds: readonly Kind[],
  life: Lifetime,
): Promise<ReadonlyMap<Kind, Answer>> {
  const both = kinds.length > 1 ? await capture(device, kinds, life).catch(() => null) : null;
  const answers = new Map<Kind, Answer>();
  for (const kind of kinds) {
    try {
      const stream = both ?? (await capture(device, [kind], life));
      const [track] = kind === 'microphone' ? stream.getAudioTracks() : stream.getVideoTracks();
      if (track === undefined) throw new AppError('DEVICE_UNAVAILABLE', { detail: `no ${kind} track` });
      answers.set(kind, { track });
    } catch (error) {
      answers.set(kind, { problem: toAppError(error) });
    }
  }
  return answers;
}

async function capture(device: MediaDevice, kinds: readonly Kind[], life: Lifetime): Promise<MediaStream> {
  const stream = await device.capture({
    audio: kinds.includes('microphone'),
    video: kinds.includes('camera'),
  });
  life.onEnd(() => {
    for (const track of stream.getTracks()) track.stop();
  });
  return stream;
}

class OpenDevices implements DeviceCheck {
  readonly #life: Lifetime;
  readonly #answers: Map<Kind, Answer>;
  readonly #meter: LevelMeter | null;

  constructor(answers: ReadonlyMap<Kind, Answer>, { life, openMeter = openLevelMeter }: DeviceCheckParts) {
    this.#life = life;
    this.#answers = new Map(answers);
    for (const [kind, answer] of answers) {
      if (!('track' in answer)) continue;
      answer.track.addEventListener('ended', () => {
        const problem = new AppError('DEVICE_UNAVAILABLE', { detail: `${kind} ended` });
        this.#answers.set(kind, { problem });
      });
    }
    const { microphone } = this;
    this.#meter = microphone === null ? null : openMeter(microphone);
    life.onEnd(() => this.#meter?.close());
  }

  get microphone(): MediaStreamTrack | null {
    return this.#track('microphone');
  }

  get camera(): MediaStreamTrack | null {
    return this.#track('camera');
  }

  get problems(): DeviceCheck['problems'] {
    return { microphone: this.#problem('microphone'), camera: this.#problem('camera') };
  }

  get level(): number {
    return this.microphone === null || this.#life.over ? 0 : (this.#meter?.read() ?? 0);
  }

  playTone({ signal }: CallOptions = {}): Promise<void> {
    return playTone(this.#life, signal);
  }

  close(): void {
    this.#life.end(new AppError('ABORTED', { detail: 'the device check was closed' }));
  }

  #track(kind: Kind): MediaStreamTrack | null {
    const answer = this.#answers.get(kind);
    return answer !== undefined && 'track' in answer && !this.#life.over ? answer.track : null;
  }

  #problem(kind: Kind): AppError | null {
    const answer = this.#answers.get(kind);
    return answer !== undefined && 'problem' in answer ? answer.problem : null;
  }
}
