import type {
  CallView,
  ConsumerOffer,
  MediaSource,
  PersonId,
  QualityLevel,
  ResumeTicket,
  SeatView,
  SeatViewMode,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { CallEvents, InputDevice, QualitySample, RemoteTrack } from './api.ts';
import { SeatCare } from './call-care.ts';
import { SeatDeclarations } from './call-declarations.ts';
import { OwnSources, type Sources } from './call-sources.ts';
import { Speaker } from './call-speaker.ts';
import type { Emitter } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { LocalMedia } from './local-media.ts';
import type { MediaDevice } from './media-device.ts';
import { errorOf, MediaSession, type PathState, type SeatRef } from './media-session.ts';
import { persist, type Signalling, toAppError, whenItMayWork } from './requests.ts';
import type { KeptCall } from './resume/kept-call.ts';
import type { SeatClaim } from './resume/seat-claim.ts';
import type { MediaFact, SeatFact } from './seat-fact.ts';
import { VideoDemand } from './video-demand.ts';

export type { Sources } from './call-sources.ts';
export type { SeatFact } from './seat-fact.ts';

export interface CallSeatOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly local: LocalMedia;
  /** Leaving the seat on this device is ending this life. */
  readonly life: Lifetime;
  /** What is to be on at first. */
  readonly wanted: Sources;
  readonly claim: SeatClaim;
  readonly kept: Pick<KeptCall, 'findNewer'>;
  /** The call as the server shows it to everybody, and the person's seat in it. */
  readonly view: () => CallView;
  readonly shown: () => SeatView | null;
  readonly onView: (call: CallView) => void;
  /** The server has answered a join: the ticket is another one now. */
  readonly onJoined: () => void;
  readonly events: Pick<Emitter<CallEvents>, 'emit'>;
  /** The server does not let this device sit here any more. */
  readonly onRefused: (error: AppError) => void;
}

/** While `joining`, facts that arrive ahead of the answer are kept for the session that it makes. */
type State =
  | { readonly kind: 'joining'; readonly early: readonly MediaFact[] }
  | { readonly kind: 'joined'; readonly session: MediaSession };

/** A session that lasted this long was a good one: the next is built at once. */
const STABLE_AFTER_MS = 10_000;
/** Facts kept while joining. Eight people have some twenty tracks. */
const MAX_EARLY_FACTS = 64;
const SESSION_OVER = new AppError('ABORTED', { detail: 'the media session was replaced' });

/**
 * This person's seat, held by this device: joins it, sends what is wanted, and builds the media anew whenever it
 * breaks, until the call or the app ends it. What is sent, said, demanded and measured is kept by a part of its own.
 */
export class CallSeat {
  readonly #options: CallSeatOptions;
  readonly #sources: OwnSources;
  readonly #declarations: SeatDeclarations;
  readonly #demand: VideoDemand;
  readonly #care: SeatCare;
  readonly #speaker: Speaker;
  readonly #joined = Promise.withResolvers<void>();
  #state: State = { kind: 'joining', early: [] };
  #hasJoined = false;
  #path: PathState = 'connecting';

  constructor(options: CallSeatOptions) {
    this.#options = options;
    const { seat, signalling, device, local, life, wanted, shown, onView, events } = options;
    const session = () => (this.#state.kind === 'joined' ? this.#state.session : null);
    this.#demand = new VideoDemand({ life, onChange: () => session()?.adjustAll() });
    this.#declarations = new SeatDeclarations({
      seat,
      signalling,
      isJoined: () => this.#state.kind === 'joined',
      shown,
      onView,
    });
    this.#sources = new OwnSources({
      seat,
      signalling,
      local,
      life,
      wanted,
      session,
      shown,
      othersShare: () => this.#othersShare(),
      onView,
      onLocalTracks: (tracks) => events.emit('localTracks', tracks),
      onProblem: (error) => this.#report(error),
      onDeviceLost: () => void this.#care.tellDevices(),
    });
    this.#care = new SeatCare({
      seat,
      signalling,
      device,
      local,
      life,
      events,
      session,
      sources: this.#sources,
      declarations: this.#declarations,
      isInterrupted: () => this.#path === 'interrupted',
    });
    this.#speaker = new Speaker({ life, tracks: () => this.remoteTracks.map(({ track }) => track) });
    life.onEnd(signalling.onConnected(() => void this.#handleConnected()));
    this.#joined.promise.catch(() => {});
    life.onEnd((reason) => this.#joined.reject(reason));
    void this.#keep().catch((error: unknown) => this.#refused(toAppError(error)));
  }

  /** Resolves when the seat was joined for the first time. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** True while the seat is joined and everything wanted is sent in it. */
  get isSettled(): boolean {
    return this.#state.kind === 'joined' && this.#sources.isSettled;
  }

  /** True from the first join on. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** What the next join of this device needs; null before the first. */
  get ticket(): ResumeTicket | null {
    return this.#options.claim.ticket;
  }

  get path(): PathState {
    return this.#path;
  }

  get localTracks(): CallEvents['localTracks'] {
    return this.#sources.tracks;
  }

  get remoteTracks(): readonly RemoteTrack[] {
    return this.#state.kind === 'joined' ? this.#state.session.remoteTracks : [];
  }

  get quality(): readonly QualitySample[] {
    return this.#care.quality;
  }

  get peerQuality(): ReadonlyMap<PersonId, QualityLevel> {
    return this.#care.peerQuality;
  }

  get activeSpeaker(): PersonId | null {
    return this.#care.activeSpeaker;
  }

  get audioOnly(): CallEvents['audioOnly'] {
    return this.#care.audioOnly;
  }

  isOn(source: MediaSource): boolean {
    return this.#sources.isOn(source);
  }

  /**
   * Off takes effect before this returns; on, when the promise resolves. Rejects when the device cannot be had. Who
   * switches video on has had enough of sound alone.
   */
  async setSource(source: MediaSource, on: boolean): Promise<void> {
    const change = this.#sources.set(source, on);
    if (on && source !== 'microphone' && this.audioOnly.on) this.#care.chooseAudioOnly(false);
    this.#care.listenWhileMuted();
    await change;
    this.#care.listenWhileMuted();
  }

  /** Asks for these devices together, so that the person sees one question. They are switched on after this. */
  prefetch(sources: readonly MediaSource[]): void {
    const both = sources.includes('microphone') && sources.includes('camera');
    if (both) this.#options.local.prefetch({ microphone: true, camera: true });
  }

  setAudioOnly(on: boolean): void {
    this.#care.chooseAudioOnly(on);
  }

  setView(view: SeatViewMode): Promise<void> {
    return this.#declarations.setView(view);
  }

  setInterrupted(interrupted: boolean): Promise<void> {
    return this.#declarations.setInterrupted('host', interrupted);
  }

  async selectDevice({ kind, deviceId }: Pick<InputDevice, 'kind' | 'deviceId'>): Promise<void> {
    if (kind === 'speaker') return this.#speaker.select(deviceId);
    await this.#sources.select(kind, deviceId);
    this.#care.listenWhileMuted();
  }

  setBackgroundBlur(on: boolean): Promise<void> {
    return this.#options.local.setBlurred(on);
  }

  /** The server shows the call otherwise than before. */
  handleView(before: SeatView | null, after: SeatView | null): void {
    this.#sources.obey(before, after);
    this.#care.handleSeats(this.#options.view().seats);
  }

  handleFact(fact: SeatFact): void {
    if (fact.kind === 'activeSpeaker') this.#care.handleActiveSpeaker(fact.personId);
    else if (fact.kind === 'qualityChanged') this.#care.handlePeerQuality(fact.personId, fact.level);
    else if (this.#state.kind === 'joined') this.#apply(this.#state.session, fact);
    // While joining, the loss is about the media that is being replaced.
    else if (fact.kind !== 'mediaLost')
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
    this.#sources.correct();
    void this.#declarations.correct();
  }

  stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }> {
    if (this.#state.kind === 'joining') return Promise.resolve({ send: null, receive: null });
    return this.#state.session.stats();
  }

  /** One round of this loop is: join, send and receive, until the media has to be built anew. */
  async #keep(): Promise<void> {
    const { life, signalling } = this.#options;
    let lostAt = performance.now();
    for (let failures = 0; ; ) {
      const sessionLife = life.child();
      const session = await this.#join(sessionLife);
      const joinedAt = performance.now();
      const reason = await life.within(session.ended);
      const now = performance.now();
      if (failures === 0 || now - joinedAt >= STABLE_AFTER_MS) lostAt = now;
      failures = now - joinedAt >= STABLE_AFTER_MS ? 1 : failures + 1;
      this.#state = { kind: 'joining', early: [] };
      sessionLife.end(SESSION_OVER);
      this.#showRemoteTracks();
      this.#showPath('interrupted');
      // Who speaks is told anew to whoever joins.
      this.#care.handleActiveSpeaker(null);
      const error = errorOf(reason);
      const context = { attempt: failures, elapsedMs: now - lostAt, error };
      const delayMs = signalling.reconnect.rebuildDelayMs(context);
      // The app's policy gives the seat up.
      if (delayMs === null) throw error;
      await life.wait(delayMs, { wake: (wakeUp) => whenItMayWork(signalling, wakeUp) });
    }
  }

  async #join(sessionLife: Lifetime): Promise<MediaSession> {
    const { signalling, life, device, seat, claim, shown, onView } = this.#options;
    const capabilities = device.capabilities;
    const payload = { ...seat, ...(capabilities && { rtpCapabilities: capabilities }) };
    const isHere = () => shown()?.deviceId === signalling.deviceId;
    const answer = await persist({ signalling, life }, () => claim.join(signalling, payload, isHere), {
      onRetry: (error) => error.code === 'MEDIA_UNAVAILABLE' && this.#report(error),
    });
    this.#options.onJoined();
    const loaded = await device.load(answer.routerRtpCapabilities);
    if (life.endReason !== null) throw life.endReason;
    const session = new MediaSession({
      seat,
      answer,
      device: loaded,
      signalling,
      life: sessionLife,
      demand: this.#demand,
      onRemoteTracks: () => this.#showRemoteTracks(),
      onPath: () => this.#showPath(session.path),
    });
    const early = this.#state.kind === 'joining' ? this.#state.early : [];
    this.#state = { kind: 'joined', session };
    this.#hasJoined = true;
    onView(answer.call);
    this.#sources.sendWanted();
    void this.#declarations.correct();
    // The offers fit only if they were made for what this device can receive.
    if (capabilities !== null && JSON.stringify(capabilities) === JSON.stringify(device.capabilities)) {
      for (const consumer of answer.consumers) this.#consume(session, consumer);
    } else {
      void this.#askForOffers(session);
    }
    // A track is offered by the answer or by a fact, never by both: then the fact was about the former seat.
    const offered = new Set(answer.consumers.map(({ producerId }) => producerId));
    for (const fact of early) {
      if (fact.kind !== 'consumerAdded' || !offered.has(fact.consumer.producerId)) this.#apply(session, fact);
    }
    this.#joined.resolve();
    return session;
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
    } catch (error) {
      // A connection that is lost again says nothing of the media; after the next one the server is asked again.
      if (toAppError(error).code !== 'DISCONNECTED') session.end('forgotten');
    }
  }

  #apply(session: MediaSession, fact: MediaFact): void {
    if (fact.kind === 'consumerAdded') this.#consume(session, fact.consumer);
    else session.handleFact(fact);
  }

  /** A track that this browser cannot play is a problem of that track, not of the call. */
  #consume(session: MediaSession, offer: ConsumerOffer): void {
    session.consume(offer).catch((error: unknown) => this.#report(toAppError(error)));
  }

  async #handleConnected(): Promise<void> {
    // The server tells a device that is back who speaks now.
    this.#care.handleActiveSpeaker(null);
    const { claim, kept, seat, life } = this.#options;
    // Had another page of this device the seat while this one slept, media is anew, and what was off there is off.
    const newer = await claim.lookAgain(kept.findNewer(seat.callId));
    if (newer === null || life.over) return;
    for (const one of ['microphone', 'camera'] as const)
      if (newer[one] !== 'on' && this.isOn(one)) this.setSource(one, false).catch(() => {});
    if (this.#state.kind === 'joined') this.#state.session.end('forgotten');
  }

  #othersShare(): boolean {
    const own = this.#options.shown()?.personId;
    return this.#options.view().seats.some(({ personId, screenOn }) => screenOn && personId !== own);
  }

  #showRemoteTracks(): void {
    if (!this.#options.life.over) this.#options.events.emit('remoteTracks', this.remoteTracks);
  }

  #showPath(state: PathState): void {
    if (state === this.#path || this.#options.life.over) return;
    this.#path = state;
    this.#options.events.emit('path', { state });
  }

  #report(error: AppError): void {
    if (!this.#options.life.over) this.#options.events.emit('problem', error);
  }

  #refused(error: AppError): void {
    this.#joined.reject(error);
    if (!this.#options.life.over) this.#options.onRefused(error);
  }
}
