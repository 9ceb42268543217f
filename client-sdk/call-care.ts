import type { PersonId, QualityLevel, SeatView } from '@teleconsult/protocol';
import type { CallEvents, QualitySample } from './api.ts';
import { AudioOnly } from './call-audio-only.ts';
import type { SeatDeclarations } from './call-declarations.ts';
import type { OwnSources } from './call-sources.ts';
import { MutedSpeech } from './call-speech.ts';
import { openLevelMeter } from './device-level.ts';
import { listDevices, watchDevices } from './device-list.ts';
import type { Emitter } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { LocalMedia } from './local-media.ts';
import type { MediaDevice } from './media-device.ts';
import type { MediaSession, SeatRef } from './media-session.ts';
import { QualityMonitor, type UnshownMeasures } from './quality-monitor.ts';
import type { Signalling } from './requests.ts';

export interface SeatCareOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly local: LocalMedia;
  readonly life: Lifetime;
  readonly events: Pick<Emitter<CallEvents>, 'emit'>;
  readonly sources: OwnSources;
  readonly declarations: SeatDeclarations;
  /** Null while the seat is being joined. */
  readonly session: () => MediaSession | null;
  readonly isInterrupted: () => boolean;
}

/** Watches how the call is doing on this device, and helps: quality, sound before pictures, devices, hints. */
export class SeatCare {
  readonly #options: SeatCareOptions;
  readonly #monitor: QualityMonitor;
  readonly #audioOnly: AudioOnly;
  readonly #speech: MutedSpeech;
  readonly #peers = new Map<PersonId, QualityLevel>();
  #activeSpeaker: PersonId | null = null;

  constructor(options: SeatCareOptions) {
    this.#options = options;
    const { seat, signalling, device, local, life, events, declarations } = options;
    this.#audioOnly = new AudioOnly((state) => this.#followAudioOnly(state));
    this.#monitor = new QualityMonitor({
      life,
      stats: async () => (await options.session()?.stats()) ?? { send: null, receive: null },
      isInterrupted: options.isInterrupted,
      onSample: (sample, more) => this.#handleSample(sample, more),
      report: (report) => signalling.request('seat.reportQuality', { ...seat, report }),
    });
    this.#speech = new MutedSpeech({
      life,
      openMeter: openLevelMeter,
      onSpeech: () => events.emit('mutedSpeaking', null),
    });
    watchDevices({ device, life, onChange: (devices) => events.emit('devices', devices) });
    local.onInterrupted = (interrupted) => {
      declarations.setInterrupted('system', interrupted).catch(() => {});
    };
  }

  get quality(): readonly QualitySample[] {
    return this.#monitor.samples;
  }

  get peerQuality(): ReadonlyMap<PersonId, QualityLevel> {
    return new Map(this.#peers);
  }

  get activeSpeaker(): PersonId | null {
    return this.#activeSpeaker;
  }

  get audioOnly(): CallEvents['audioOnly'] {
    return this.#audioOnly.state;
  }

  chooseAudioOnly(on: boolean): void {
    this.#audioOnly.choose(on);
  }

  /** Looks at whether the microphone is muted now. */
  listenWhileMuted(): void {
    const { sources, local } = this.#options;
    this.#speech.listenTo(sources.isOn('microphone') ? null : local.track('microphone'));
  }

  async tellDevices(): Promise<void> {
    const { device, life, events } = this.#options;
    const devices = await listDevices(device).catch(() => []);
    if (!life.over) events.emit('devices', devices);
  }

  handleActiveSpeaker(personId: PersonId | null): void {
    if (personId === this.#activeSpeaker) return;
    this.#activeSpeaker = personId;
    this.#options.events.emit('activeSpeaker', personId);
  }

  handlePeerQuality(personId: PersonId, level: QualityLevel): void {
    if (this.#peers.get(personId) === level) return;
    this.#peers.set(personId, level);
    this.#options.events.emit('peerQuality', this.peerQuality);
  }

  /** Who is not in the call any more has no quality and does not speak. Their number bounds what is remembered. */
  handleSeats(seats: readonly SeatView[]): void {
    const held = new Set(seats.filter(({ state }) => state !== 'left').map(({ personId }) => personId));
    const gone = [...this.#peers.keys()].filter((personId) => !held.has(personId));
    for (const personId of gone) this.#peers.delete(personId);
    if (gone.length > 0) this.#options.events.emit('peerQuality', this.peerQuality);
    if (this.#activeSpeaker !== null && !held.has(this.#activeSpeaker)) this.handleActiveSpeaker(null);
    this.listenWhileMuted();
  }

  #handleSample(sample: QualitySample, more: UnshownMeasures): void {
    const { events, sources, session, declarations, life } = this.#options;
    if (life.over) return;
    events.emit('quality', sample);
    const { sendsVideo } = sources;
    const expectsVideo = declarations.showsVideo && (session()?.expectsCamera ?? false);
    const evidence = { ...sample, ...more, sendsVideo, expectsVideo };
    this.#audioOnly.observe(evidence, performance.now());
  }

  #followAudioOnly(state: CallEvents['audioOnly']): void {
    const { sources, declarations, events } = this.#options;
    sources.holdVideo(state.on ? (state.reason === 'chosen' ? 'stopped' : 'kept') : 'none');
    declarations.setAudioOnly(state.on).catch(() => {});
    events.emit('audioOnly', state);
  }
}
