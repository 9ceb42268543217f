import type { CallView, ConsumerOffer, FactPayload, MediaSource, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CallEvents, RemoteTrack } from './api.ts';
import { delayOf, retryDelay } from './backoff.ts';
import type { Lifetime } from './lifetime.ts';
import type { LocalMedia } from './local-media.ts';
import type { MediaDevice } from './media-device.ts';
import { MediaSession, type PathState, type SeatRef } from './media-session.ts';
import { persist, type Signalling, toAppError } from './requests.ts';

export type Sources = Readonly<Record<MediaSource, boolean>>;

export interface CallSeatOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly local: LocalMedia;
  /** Leaving the seat on this device is ending this life. */
  readonly life: Lifetime;
  /** What is to be on. It changes only by the person's own wish, or when a device fails. */
  readonly wanted: Sources;
  /** The person's seat as the server shows it to everybody. */
  readonly shown: () => SeatView | null;
  readonly onView: (call: CallView) => void;
  readonly onLocalTracks: (tracks: CallEvents['localTracks']) => void;
  readonly onRemoteTracks: (tracks: readonly RemoteTrack[]) => void;
  readonly onPath: (state: PathState) => void;
  readonly onProblem: (error: AppError) => void;
  /** The server does not let this device sit here any more. */
  readonly onRefused: (error: AppError) => void;
}

/** What the server tells a seat about what it receives. */
export type SeatFact =
  | { readonly kind: 'consumerAdded'; readonly consumer: ConsumerOffer }
  | { readonly kind: 'consumerRemoved'; readonly consumerId: string }
  | ({ readonly kind: 'consumerPaused' } & Pick<FactPayload<'seat.consumerPaused'>, 'consumerId' | 'paused'>)
  | { readonly kind: 'mediaLost' };

/** While `joining`, facts that arrive ahead of the answer are kept for the session that it makes. */
type State =
  | { readonly kind: 'joining'; readonly early: readonly SeatFact[] }
  | { readonly kind: 'joined'; readonly session: MediaSession };

const SOURCES: readonly MediaSource[] = ['microphone', 'camera'];
/** A session that lasted this long was a good one: the next is built at once. */
const STABLE_AFTER_MS = 10_000;
/** Facts kept while joining. A call has a handful of tracks. */
const MAX_EARLY_FACTS = 64;
const SESSION_OVER = new AppError('ABORTED', { detail: 'the media session was replaced' });

/**
 * This person's seat, held by this device: joins it, sends what is wanted, and builds the media anew whenever it
 * breaks, until the call or the app ends it.
 */
export class CallSeat {
  readonly #options: CallSeatOptions;
  readonly #wanted: Record<MediaSource, boolean>;
  readonly #joined = Promise.withResolvers<void>();
  /** Changes of one source happen one after the other. */
  readonly #changes: Record<MediaSource, Promise<unknown>>;
  #state: State = { kind: 'joining', early: [] };
  #hasJoined = false;
  #path: PathState = 'connecting';
  #shown: CallEvents['localTracks'] = { microphone: null, camera: null };

  constructor(options: CallSeatOptions) {
    this.#options = options;
    this.#wanted = { ...options.wanted };
    this.#changes = { microphone: Promise.resolve(), camera: Promise.resolve() };
    this.#joined.promise.catch(() => {});
    options.life.onEnd((reason) => this.#joined.reject(reason));
    options.local.onLost = (source) => this.#deviceLost(source);
    void this.#keep().catch((error: unknown) => this.#refused(toAppError(error)));
  }

  /** Resolves when the seat was joined for the first time. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** True from the first join on. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  get path(): PathState {
    return this.#path;
  }

  get localTracks(): CallEvents['localTracks'] {
    return this.#shown;
  }

  get remoteTracks(): readonly RemoteTrack[] {
    return this.#state.kind === 'joined' ? this.#state.session.remoteTracks : [];
  }

  isOn(source: MediaSource): boolean {
    return this.#wanted[source];
  }

  /** Off takes effect before this returns; on, when the promise resolves. Rejects when the device cannot be had. */
  async setSource(source: MediaSource, on: boolean): Promise<void> {
    this.#wanted[source] = on;
    if (!on) this.#silence(source);
    await this.#change(source);
  }

  handleFact(fact: SeatFact): void {
    if (this.#state.kind === 'joined') {
      this.#apply(this.#state.session, fact);
      return;
    }
    // It is about the media that is being replaced.
    if (fact.kind === 'mediaLost') return;
    this.#state = { kind: 'joining', early: [...this.#state.early, fact].slice(-MAX_EARLY_FACTS) };
  }

  /**
   * Signalling is back. Whether the media still belongs to the seat, the server's answer tells: after a restart it
   * knows nothing of it. When it does, what was missed meanwhile is made up for, in both directions.
   */
  async handleReconnected(): Promise<void> {
    if (this.#state.kind === 'joining') return;
    const { session } = this.#state;
    if (this.#options.shown()?.deviceId !== this.#options.signalling.deviceId) {
      session.end('forgotten');
      return;
    }
    await this.#askForOffers(session);
    this.#correct();
  }

  stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }> {
    if (this.#state.kind === 'joining') return Promise.resolve({ send: null, receive: null });
    return this.#state.session.stats();
  }

  /** One round of this loop is: join, send and receive, until the media has to be built anew. */
  async #keep(): Promise<void> {
    const { life } = this.#options;
    for (let failures = 0; ; ) {
      const sessionLife = life.child();
      const session = await this.#join(sessionLife);
      const joinedAt = performance.now();
      const reason = await life.within(session.ended);
      failures = performance.now() - joinedAt >= STABLE_AFTER_MS ? 0 : failures + 1;
      this.#state = { kind: 'joining', early: [] };
      sessionLife.end(SESSION_OVER);
      this.#showRemoteTracks();
      this.#showPath('interrupted');
      if (reason === 'media_lost' && failures <= 1) continue;
      await life.wait(delayOf(retryDelay, failures));
    }
  }

  async #join(sessionLife: Lifetime): Promise<MediaSession> {
    const { signalling, life, device, seat, onView, onProblem } = this.#options;
    const capabilities = device.capabilities;
    const answer = await persist(
      { signalling, life },
      () =>
        signalling.request('seat.join', { ...seat, ...(capabilities && { rtpCapabilities: capabilities }) }),
      { onRetry: (error) => error.code === 'MEDIA_UNAVAILABLE' && onProblem(error) },
    );
    const loaded = await device.load(answer.routerRtpCapabilities);
    if (life.endReason !== null) throw life.endReason;
    const session = new MediaSession({
      seat,
      answer,
      device: loaded,
      signalling,
      life: sessionLife,
      onRemoteTracks: () => this.#showRemoteTracks(),
      onPath: () => this.#showPath(session.path),
    });
    const early = this.#state.kind === 'joining' ? this.#state.early : [];
    this.#state = { kind: 'joined', session };
    this.#hasJoined = true;
    onView(answer.call);
    this.#sendWanted();
    // The offers fit only if they were made for what this device can receive.
    if (capabilities !== null && JSON.stringify(capabilities) === JSON.stringify(device.capabilities)) {
      for (const consumer of answer.consumers) this.#consume(session, consumer);
    } else {
      void this.#askForOffers(session);
    }
    for (const fact of early) this.#apply(session, fact);
    this.#joined.resolve();
    return session;
  }

  /** A new session sends nothing yet, and the server may show something as on that is not wanted. */
  #sendWanted(): void {
    for (const source of SOURCES) {
      if (this.#wanted[source] || this.#isShownOn(source)) this.#changeUnasked(source);
    }
  }

  /** Where the server shows something else than what is wanted, it is told. */
  #correct(): void {
    for (const source of SOURCES) {
      if (this.#isShownOn(source) !== this.#wanted[source]) this.#changeUnasked(source);
    }
  }

  #isShownOn(source: MediaSource): boolean {
    const seat = this.#options.shown();
    return (source === 'microphone' ? seat?.microphoneOn : seat?.cameraOn) ?? false;
  }

  /** A change that nobody waits for: when it fails, that is a problem of the call. */
  #changeUnasked(source: MediaSource): void {
    this.#change(source).catch((error: unknown) => this.#report(toAppError(error)));
  }

  /** Brings one source to what is wanted of it, after the changes before. */
  #change(source: MediaSource): Promise<void> {
    const change = this.#changes[source].then(() => this.#bring(source));
    this.#changes[source] = change.catch(() => {});
    return this.#options.life.within(change);
  }

  async #bring(source: MediaSource): Promise<void> {
    if (!this.#wanted[source]) {
      this.#silence(source);
      await this.#tell(source, false);
      return;
    }
    const track = await this.#acquire(source);
    // Switched off while the browser asked: the change after this one does that.
    if (!this.#wanted[source]) return;
    this.#showLocalTracks();
    // When the seat is joined, it sends what is wanted by then.
    if (this.#state.kind === 'joining') return;
    const { session } = this.#state;
    // Told before anything is sent: nobody is to be heard while shown as muted.
    if (session.sends(source) || !this.#isShownOn(source)) await this.#tell(source, true);
    if (!this.#wanted[source]) return;
    track.enabled = true;
    try {
      await session.send(source, track);
    } catch (error) {
      this.#sendFailed(session, source, error);
    }
    if (!this.#wanted[source]) this.#silence(source);
  }

  async #acquire(source: MediaSource): Promise<MediaStreamTrack> {
    try {
      return await this.#options.local.acquire(source);
    } catch (error) {
      this.#wanted[source] = false;
      this.#showLocalTracks();
      await this.#tell(source, false);
      throw toAppError(error);
    }
  }

  /** What concerns the connection or the seat is mended by a new session; what concerns the track is a problem of it. */
  #sendFailed(session: MediaSession, source: MediaSource, thrown: unknown): void {
    if (this.#options.life.over || this.#state.kind === 'joining' || this.#state.session !== session) return;
    const error = toAppError(thrown);
    const mendable = error.retryable || error.code === 'NOT_FOUND' || error.code === 'WRONG_STATE';
    if (error.code !== 'INTERNAL' && mendable) {
      session.end(error.code === 'MEDIA_UNAVAILABLE' ? 'media_lost' : 'forgotten');
      return;
    }
    this.#wanted[source] = false;
    this.#silence(source);
    throw error;
  }

  /** At once, whatever else is under way: no sound and no picture leaves this device any more. */
  #silence(source: MediaSource): void {
    const { local } = this.#options;
    const track = local.track(source);
    if (track !== null) track.enabled = false;
    if (this.#state.kind === 'joined') this.#state.session.pause(source);
    if (source === 'camera') local.stop('camera');
    this.#showLocalTracks();
  }

  /**
   * Tells the others. That it could not be told is no failure: what is sent is decided here, and after a reconnect
   * or a join the server is told again.
   */
  async #tell(source: MediaSource, on: boolean): Promise<void> {
    if (this.#state.kind === 'joining') return;
    const { signalling, seat, onView } = this.#options;
    const { session } = this.#state;
    try {
      const { call } = await signalling.request('seat.setSource', { ...seat, source, on });
      onView(call);
    } catch (thrown) {
      const { code } = toAppError(thrown);
      if (on && (code === 'NOT_FOUND' || code === 'WRONG_STATE')) session.end('forgotten');
    }
  }

  /** The server answers the same offers each time, and none for a seat that it has forgotten. */
  async #askForOffers(session: MediaSession): Promise<void> {
    const { signalling, seat, device } = this.#options;
    try {
      const rtpCapabilities = device.capabilities ?? {};
      const known = session.consumerIds;
      const { consumers } = await signalling.request('seat.setCapabilities', { ...seat, rtpCapabilities });
      const offered = new Set(consumers.map(({ consumerId }) => consumerId));
      // Its end was missed. What came while the server was asked is not among the known, and stays.
      for (const consumerId of known) if (!offered.has(consumerId)) session.remove(consumerId);
      for (const consumer of consumers) this.#consume(session, consumer);
    } catch {
      session.end('forgotten');
    }
  }

  #apply(session: MediaSession, fact: SeatFact): void {
    switch (fact.kind) {
      case 'consumerAdded':
        this.#consume(session, fact.consumer);
        return;
      case 'consumerRemoved':
        session.remove(fact.consumerId);
        return;
      case 'consumerPaused':
        session.setPaused(fact.consumerId, fact.paused);
        return;
      case 'mediaLost':
        session.end('media_lost');
        return;
      default:
        unreachable(fact);
    }
  }

  /** A track that this browser cannot play is a problem of that track, not of the call. */
  #consume(session: MediaSession, offer: ConsumerOffer): void {
    session.consume(offer).catch((error: unknown) => this.#report(toAppError(error)));
  }

  #deviceLost(source: MediaSource): void {
    this.#wanted[source] = false;
    this.#silence(source);
    this.#report(new AppError('DEVICE_UNAVAILABLE', { detail: `${source} ended` }));
    this.#changeUnasked(source);
  }

  #showLocalTracks(): void {
    const { local } = this.#options;
    const track = (source: MediaSource) => (this.#wanted[source] ? local.track(source) : null);
    const tracks = { microphone: track('microphone'), camera: track('camera') };
    if (tracks.microphone === this.#shown.microphone && tracks.camera === this.#shown.camera) return;
    this.#shown = tracks;
    this.#options.onLocalTracks(tracks);
  }

  #showRemoteTracks(): void {
    if (!this.#options.life.over) this.#options.onRemoteTracks(this.remoteTracks);
  }

  #showPath(state: PathState): void {
    if (state === this.#path || this.#options.life.over) return;
    this.#path = state;
    this.#options.onPath(state);
  }

  #report(error: AppError): void {
    if (!this.#options.life.over) this.#options.onProblem(error);
  }

  #refused(error: AppError): void {
    this.#joined.reject(error);
    if (!this.#options.life.over) this.#options.onRefused(error);
  }
}
