import type { PersonId } from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import type { AwaitedSource, Call, TeleconsultClient } from '../api.ts';
import { type Ending, type Hint, holdsByPhone, ownLoss, runningScene, type Scene } from './scene.ts';

interface FollowedCallOptions {
  readonly client: TeleconsultClient;
  readonly nameOf: () => ((personId: string) => string) | null;
  /** Something to be seen may be different now. */
  readonly onChange: () => void;
}

/** How long the end of a call stays on the screen: long enough to be read, and to be spoken. */
const FAREWELL_MS = 4_000;
/** How long a hint stays. */
const HINT_MS = 8_000;

/** What became of the call that this device was in last. */
type Phase =
  | { readonly kind: 'none' }
  | { readonly kind: 'active' }
  | { readonly kind: 'elsewhere' }
  /** It was elsewhere, and this device is about to hold it. */
  | { readonly kind: 'returning' }
  | { readonly kind: 'ended'; readonly ending: Ending | null; readonly name: string | null };

/**
 * The call of a client, followed for the eyes: from its restoring through its run to the words about its end. It only
 * listens; letting go of it does nothing to the call.
 */
export class FollowedCall {
  readonly #options: FollowedCallOptions;
  readonly #stops: readonly (() => void)[];
  #call: Call | null = null;
  #callStops: readonly (() => void)[] = [];
  #phase: Phase = { kind: 'none' };
  #liveSince: number | null = null;
  #sawStart = false;
  #wasConnected = false;
  #returns = false;
  #isRefused = false;
  #lastSpeaker: PersonId | null = null;
  #soundBlocked = false;
  #hint: Hint | null = null;
  #hintTimer: ReturnType<typeof setTimeout> | undefined;
  #farewell: ReturnType<typeof setTimeout> | undefined;

  constructor(options: FollowedCallOptions) {
    this.#options = options;
    const { client } = options;
    this.#stops = [
      client.on('activeCall', () => this.#changed()),
      client.on('restoring', () => this.#changed()),
    ];
    this.#adopt(client.activeCall);
  }

  /** What is to be seen now. The order of the events that led to it does not matter: it is read from the facts. */
  look(): Scene {
    const { client } = this.#options;
    this.#adopt(client.activeCall);
    const call = this.#call;
    this.#judge();
    switch (this.#phase.kind) {
      case 'none':
        return { kind: client.restoring === null ? 'none' : 'restoring' };
      case 'ended':
        return client.restoring === null ? this.#phase : { kind: 'restoring' };
      case 'elsewhere':
        return call === null ? { kind: 'none' } : this.#elsewhere(call);
      case 'returning':
        return { kind: 'restoring' };
      case 'active':
        return call === null ? { kind: 'none' } : this.#running(call);
    }
  }

  /** The person has read that the call is elsewhere, or over. */
  dismiss(): void {
    this.#forget();
    this.#options.onChange();
  }

  soundIs(blocked: boolean): void {
    if (blocked === this.#soundBlocked) return;
    this.#soundBlocked = blocked;
    this.#options.onChange();
  }

  /** A device that the person wanted did not come. */
  failed(error: unknown, source: AwaitedSource): void {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    this.#showHint({ kind: code === 'PERMISSION_DENIED' ? 'refused' : 'unavailable', source });
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#forget();
  }

  #running(call: Call) {
    const { client, nameOf } = this.#options;
    return runningScene({
      call,
      selfId: this.#selfId(client, call),
      nameOf: (personId) => nameOf()?.(personId) ?? null,
      liveSince: this.#liveSince,
      wasConnected: this.#wasConnected,
      returns: this.#returns,
      lastSpeaker: this.#lastSpeaker,
      soundBlocked: this.#soundBlocked,
      hint: this.#hint,
    });
  }

  #elsewhere(call: Call): Scene {
    const { client } = this.#options;
    const selfId = this.#selfId(client, call);
    const seat = call.view.seats.find(({ personId }) => personId === selfId);
    const loss = ownLoss(seat, { deviceId: client.deviceId, isRefused: this.#isRefused });
    const { name } = this.#running(call);
    return { kind: 'elsewhere', call, name, loss, isByPhone: holdsByPhone(seat) };
  }

  /** A token that is no JWT does not say who speaks; then the seat of this device does. */
  #selfId(client: TeleconsultClient, call: Call): PersonId | null {
    const ownSeat = () => call.view.seats.find(({ deviceId }) => deviceId === client.deviceId);
    return client.personId ?? ownSeat()?.personId ?? null;
  }

  #changed(): void {
    this.#adopt(this.#options.client.activeCall);
    this.#options.onChange();
  }

  #adopt(call: Call | null): void {
    if (call === null || (call === this.#call && this.#phase.kind !== 'ended')) return;
    // One that is over stays so, whichever event still mentions it.
    if (call.outcome !== null || call.view.state === 'ended') return;
    this.#forget();
    this.#call = call;
    this.#phase = { kind: 'active' };
    this.#sawStart = call.view.state !== 'live';
    this.#noticeState(call);
    const changed = (): void => {
      this.#noticeState(call);
      this.#options.onChange();
    };
    this.#callStops = [
      call.on('changed', changed),
      call.on('path', changed),
      call.on('remoteTracks', changed),
      call.on('localTracks', changed),
      call.on('awaiting', changed),
      call.on('audioOnly', changed),
      call.on('activeSpeaker', (personId) => {
        if (personId === null || personId === this.#selfId(this.#options.client, call)) return;
        this.#lastSpeaker = personId;
        this.#options.onChange();
      }),
      call.on('mutedSpeaking', () => this.#showHint({ kind: 'speaksMuted' })),
      call.on('problem', (error) => this.#noticeProblem(call, error)),
    ];
  }

  /** An incoming call is the app's to show, until it is answered here. */
  #judge(): void {
    const call = this.#call;
    if (call === null || this.#phase.kind === 'ended') return;
    if (call.outcome !== null || call.view.state === 'ended') {
      this.#end(call);
      return;
    }
    const isTaken = this.#options.client.activeCall === call;
    if (call.role === 'elsewhere') {
      this.#phase = { kind: isTaken ? 'returning' : 'elsewhere' };
      this.#returns = true;
      this.#wasConnected = false;
      return;
    }
    this.#isRefused = false;
    if (isTaken) this.#phase = call.role === 'incoming' ? { kind: 'none' } : { kind: 'active' };
    // Hung up here; how it ended is known when the server has answered, which may take its time.
    else this.#end(call);
  }

  #end(call: Call): void {
    const wasShown = this.#phase.kind !== 'none';
    const { name, endsFor } = this.#running(call);
    const ending = this.#endingOf(call, endsFor);
    this.#forget();
    if (!wasShown) return;
    this.#phase = { kind: 'ended', ending, name };
    this.#farewell = setTimeout(() => this.dismiss(), FAREWELL_MS);
  }

  #endingOf({ outcome, view }: Call, endsFor: 'all' | 'me'): Ending | null {
    if (view.state === 'ended') return outcome ?? view.endReason;
    // Another page of this browser took its place, or it may not connect any more: the call itself goes on.
    if (outcome === null && this.#options.client.connection === 'closed') return 'closed';
    if (outcome === 'completed' || (outcome === null && endsFor === 'me')) return 'left';
    return outcome;
  }

  #noticeState({ view, path, microphoneOn }: Call): void {
    this.#wasConnected ||= path === 'connected';
    if (microphoneOn && this.#hint?.kind === 'speaksMuted') this.#hint = null;
    if (view.state !== 'live') return;
    // The server's clock may differ from this device's: it counts only where the beginning was not seen.
    const { answeredAt } = view;
    this.#liveSince ??= this.#sawStart ? Date.now() : Math.min(Date.now(), answeredAt ?? Date.now());
  }

  #noticeProblem(call: Call, error: AppError): void {
    this.#isRefused ||= call.role === 'elsewhere';
    if (error.code !== 'PERMISSION_DENIED' && error.code !== 'DEVICE_UNAVAILABLE') return;
    for (const source of ['microphone', 'camera'] as const)
      if (error.detail?.startsWith(source) === true) this.failed(error, source);
  }

  #showHint(hint: Hint): void {
    this.#hint = hint;
    clearTimeout(this.#hintTimer);
    this.#hintTimer = setTimeout(() => {
      this.#hint = null;
      this.#options.onChange();
    }, HINT_MS);
    this.#options.onChange();
  }

  #forget(): void {
    for (const stop of this.#callStops) stop();
    clearTimeout(this.#hintTimer);
    clearTimeout(this.#farewell);
    this.#callStops = [];
    this.#call = null;
    this.#phase = { kind: 'none' };
    this.#liveSince = null;
    this.#wasConnected = false;
    this.#returns = false;
    this.#isRefused = false;
    this.#lastSpeaker = null;
    this.#soundBlocked = false;
    this.#hint = null;
  }
}
