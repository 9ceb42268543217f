import type {
  AwaitedSource,
  Call,
  CallEvents,
  CallOutcome,
  InputDevice,
  QualitySample,
  RemoteTrack,
} from '@teleconsult/client-sdk/api';
import type {
  CallMedia,
  CallView,
  ConsultationView,
  MediaSource,
  PersonId,
  QualityLevel,
  SeatView,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MockEvents } from './mock-events.ts';
import * as ids from './mock-ids.ts';
import { mockFace, mockScreen, mockSound } from './mock-media.ts';

interface MockCallOptions {
  readonly consultation: ConsultationView;
  readonly self: PersonId;
  readonly other: PersonId;
  readonly media: CallMedia;
  readonly role: Call['role'];
  readonly onEnd: (call: MockCall, reason: NonNullable<CallView['endReason']>) => void;
}

const COLOURS = ['#2f6f8f', '#7a4f8c', '#4f7a3a', '#8c5a3c', '#3c5a8c', '#8c3c5a', '#5a8c7a'];

/** A call without a network: the other side answers after a moment and shows a drawn face. */
export class MockCall implements Call {
  readonly id = ids.callId();
  readonly #options: MockCallOptions;
  readonly #events = new MockEvents<CallEvents>();
  readonly on = this.#events.on;
  readonly #tracks = new Map<string, MediaStreamTrack>();
  /** The size at which each video was last said to be shown. */
  readonly viewports = new Map<string, { readonly width: number; readonly height: number } | null>();
  role: Call['role'];
  view: CallView;
  remoteTracks: readonly RemoteTrack[] = [];
  localTracks: CallEvents['localTracks'] = { microphone: null, camera: null, screen: null };
  path: CallEvents['path']['state'] = 'connecting';
  microphoneOn = true;
  cameraOn = false;
  screenOn = false;
  outcome: CallOutcome | null = null;
  quality: readonly QualitySample[] = [];
  peerQuality: ReadonlyMap<PersonId, QualityLevel> = new Map();
  activeSpeaker: PersonId | null = null;
  isRestored = false;
  awaiting: readonly AwaitedSource[] = [];
  audioOnly: CallEvents['audioOnly'] = { on: false, reason: null };

  constructor(options: MockCallOptions) {
    this.#options = options;
    this.role = options.role;
    const { consultation, self, other, media, role } = options;
    const rings = role === 'incoming' || role === 'caller';
    this.view = {
      callId: this.id,
      consultationId: consultation.consultationId,
      media,
      state: rings ? 'ringing' : 'live',
      startedBy: role === 'incoming' ? other : self,
      startedAt: Date.now(),
      ringUntil: rings ? Date.now() + 45_000 : null,
      answeredAt: rings ? null : Date.now() - 83_000,
      endReason: null,
      seats: [
        { ...seat(self), state: role === 'incoming' ? 'invited' : 'present' },
        { ...seat(other), state: role === 'caller' ? 'invited' : 'present' },
      ],
      recording: null,
      revision: 0,
    };
    if (!rings && role !== 'elsewhere') setTimeout(() => this.goLive(), 0);
  }

  get self(): PersonId {
    return this.#options.self;
  }

  async accept({ camera = true }: { camera?: boolean } = {}): Promise<void> {
    this.role = 'answered';
    this.cameraOn = camera && this.view.media === 'video';
    this.#become({ state: 'connecting', answeredAt: Date.now(), ringUntil: null });
    this.seatOf(this.self, { state: 'present' });
    setTimeout(() => this.goLive(), 600);
  }

  /** The other side answers and sends. */
  goLive(): void {
    if (this.view.state === 'ended') return;
    const isVideo = this.view.media === 'video';
    if (this.role === 'caller') this.cameraOn = isVideo;
    this.setPath('connected');
    this.#become({ state: 'live', answeredAt: this.view.answeredAt ?? Date.now(), ringUntil: null });
    this.other({ state: 'present', microphoneOn: true, cameraOn: isVideo });
    this.#showLocal();
  }

  /** Changes what the other side sends. */
  other(change: Partial<SeatView>): void {
    this.seatOf(this.#options.other, change);
  }

  /** Changes somebody's seat, or gives them one. */
  seatOf(personId: PersonId, change: Partial<SeatView>): void {
    const seats = this.view.seats.some((held) => held.personId === personId)
      ? this.view.seats
      : [...this.view.seats, seat(personId)];
    this.#become({
      seats: seats.map((held) => (held.personId === personId ? { ...held, ...change } : held)),
    });
    this.#showRemote();
  }

  setPath(state: CallEvents['path']['state']): void {
    this.path = state;
    this.#events.emit('path', { state });
  }

  speaks(personId: PersonId | null): void {
    this.activeSpeaker = personId;
    this.#events.emit('activeSpeaker', personId);
  }

  peersAre(levels: ReadonlyMap<PersonId, QualityLevel>): void {
    this.peerQuality = levels;
    this.#events.emit('peerQuality', levels);
  }

  /** What the call was like over the last two minutes. */
  measured(samples: readonly QualitySample[]): void {
    this.quality = samples;
    const last = samples.at(-1);
    if (last !== undefined) this.#events.emit('quality', last);
  }

  becomeAudioOnly(reason: 'network' | 'chosen' | null): void {
    this.audioOnly = { on: reason !== null, reason };
    this.#events.emit('audioOnly', this.audioOnly);
    this.#showRemote();
    this.#showLocal();
  }

  speaksWhileMuted(): void {
    this.#events.emit('mutedSpeaking', null);
  }

  plugged(devices: readonly InputDevice[]): void {
    this.#events.emit('devices', devices);
  }

  fails(error: AppError): void {
    this.#events.emit('problem', error);
  }

  /** As the server has the recording of it; null: there is none. */
  recordingIs(recording: CallView['recording']): void {
    this.#become({ recording });
  }

  /** Somebody else switched this microphone off. */
  mutedBy(personId: PersonId): void {
    this.microphoneOn = false;
    this.seatOf(this.self, { microphoneOn: false, mutedBy: personId });
  }

  /** Another device of the person answered or declined. */
  goElsewhere(outcome: 'answered_elsewhere' | 'declined_elsewhere'): void {
    if (outcome === 'answered_elsewhere') this.role = 'elsewhere';
    else this.outcome = outcome;
    this.#become(
      outcome === 'answered_elsewhere'
        ? { state: 'live', ringUntil: null, answeredAt: Date.now() }
        : { state: 'ended', endReason: 'declined' },
    );
    if (outcome === 'declined_elsewhere') this.#options.onEnd(this, 'declined');
  }

  async decline(): Promise<void> {
    this.end('declined');
  }

  async hangUp(): Promise<void> {
    this.end(this.view.state === 'ringing' ? 'cancelled' : 'completed');
  }

  async leave(): Promise<void> {
    this.end('completed');
  }

  end(reason: NonNullable<CallView['endReason']>): void {
    this.outcome = reason;
    this.#become({ state: 'ended', endReason: reason });
    this.#options.onEnd(this, reason);
  }

  async invite(personId: string): Promise<void> {
    const invited = ids.personId(personId);
    this.seatOf(invited, { state: 'invited', leftReason: null });
    setTimeout(() => this.seatOf(invited, { state: 'present', cameraOn: true }), 1500);
  }

  async mute(personId: string): Promise<void> {
    this.seatOf(ids.personId(personId), { microphoneOn: false, mutedBy: this.self });
  }

  async setMicrophone(on: boolean): Promise<void> {
    this.microphoneOn = on;
    this.seatOf(this.self, { microphoneOn: on, mutedBy: null });
  }

  async setCamera(on: boolean): Promise<void> {
    this.cameraOn = on;
    this.#showLocal();
    this.seatOf(this.self, { cameraOn: on });
  }

  async setScreen(on: boolean): Promise<void> {
    this.screenOn = on;
    this.#showLocal();
    this.seatOf(this.self, { screenOn: on });
  }

  async setAudioOnly(on: boolean): Promise<void> {
    this.becomeAudioOnly(on ? 'chosen' : null);
  }

  /** As when the browser asks for its permission again after a restore. */
  becomeAwaiting(awaiting: readonly AwaitedSource[]): void {
    this.awaiting = awaiting;
    this.#events.emit('awaiting', awaiting);
  }

  async continueSources(): Promise<void> {
    this.becomeAwaiting([]);
  }

  async setView(): Promise<void> {}
  async setInterrupted(): Promise<void> {}
  async selectDevice(): Promise<void> {}

  async setBackgroundBlur(): Promise<void> {
    throw new AppError('UNSUPPORTED_BROWSER');
  }

  async setMedia(media: CallMedia): Promise<void> {
    this.cameraOn = false;
    this.#showLocal();
    this.#become({ media });
    this.other({ cameraOn: media === 'video' });
  }

  async stats(): Promise<{ send: null; receive: null }> {
    return { send: null, receive: null };
  }

  #showRemote(): void {
    const others = this.view.seats.filter(
      ({ personId, state }) => personId !== this.self && (state === 'present' || state === 'reconnecting'),
    );
    this.remoteTracks = others.flatMap(({ personId, cameraOn, screenOn }) => [
      this.#remote(personId, 'microphone'),
      ...(cameraOn && !this.audioOnly.on ? [this.#remote(personId, 'camera')] : []),
      ...(screenOn && !this.audioOnly.on ? [this.#remote(personId, 'screen')] : []),
    ]);
    this.#events.emit('remoteTracks', this.remoteTracks);
  }

  #remote(personId: PersonId, source: MediaSource): RemoteTrack {
    const key = `${source} ${personId}`;
    const index = this.view.seats.findIndex((held) => held.personId === personId);
    const track = this.#tracks.get(key) ?? draw(source, COLOURS[(index - 1) % COLOURS.length]);
    this.#tracks.set(key, track);
    return {
      personId,
      source,
      track,
      paused: false,
      setViewport: (size) => this.viewports.set(key, size),
    };
  }

  #showLocal(): void {
    const camera = this.cameraOn && !this.audioOnly.on ? mockFace('#8f5f2f', 480, 640) : null;
    const screen = this.screenOn ? mockScreen() : null;
    this.localTracks = { microphone: null, camera, screen };
    this.#events.emit('localTracks', this.localTracks);
  }

  #become(change: Partial<CallView>): void {
    this.view = { ...this.view, ...change, revision: this.view.revision + 1 };
    this.#events.emit('changed', this.view);
  }
}

function draw(source: MediaSource, colour = '#2f6f8f'): MediaStreamTrack {
  if (source === 'microphone') return mockSound();
  return source === 'screen' ? mockScreen() : mockFace(colour);
}

const seat = (personId: PersonId): SeatView => ({
  personId,
  state: 'present',
  deviceId: ids.deviceId(personId),
  microphoneOn: true,
  cameraOn: false,
  screenOn: false,
  mutedBy: null,
  view: 'full',
  interrupted: false,
  phone: false,
  ringUntil: null,
  callWaiting: false,
  leftReason: null,
  returnUntil: null,
  since: Date.now(),
});
