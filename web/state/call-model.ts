import type { Call, InputDevice } from '@teleconsult/client-sdk/api';
import type { CallRecordingControl } from '@teleconsult/client-sdk/records';
import type {
  CallRecording,
  CallView,
  MediaSource,
  Participant,
  PersonId,
  SeatView,
} from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import { messages } from '../i18n/language.ts';
import { speak } from './announcer.ts';
import { deviceNews, newsOf, outcomeNotice } from './call-news.ts';
import { type CallPerson, callPeople, isIn, type SharedScreen, sharedScreen } from './call-people.ts';
import type { CallSound } from './call-sound.ts';
import { Changes } from './changes.ts';
import { information, type Notice } from './notice.ts';
import { phonePart } from './phone-seat.ts';
import type { VisitPhone } from './visit-phone.ts';
import { WakeLock } from './wake-lock.ts';

/** What a person should read about the call right now. */
export type CallStatus =
  | 'ringing'
  | 'connecting'
  | 'live'
  | 'reconnecting'
  | 'otherReconnecting'
  /** The other side was gone for too long, and can still come back. */
  | 'otherLost'
  | 'elsewhere'
  | 'ended';

interface CallModelOptions {
  readonly call: Call;
  readonly self: PersonId;
  readonly deviceId: string;
  /** Who takes part in the consultation, whether or not they are in the call. */
  readonly participants: () => readonly Participant[];
  readonly nameOf: (personId: PersonId) => string;
  readonly sound: CallSound;
  /** The call is in the small window, which has words of its own. */
  readonly isSmall: () => boolean;
  /** `source` is the device that the problem is about, where it is about one. */
  readonly onProblem: (error: AppError, source: MediaSource | null) => void;
  readonly onNotice: (notice: Notice) => void;
  readonly recordingControl: () => Promise<CallRecordingControl>;
  readonly phone: VisitPhone;
}

/** How long the hint for somebody who speaks while muted stays, and how often it comes at most. */
const HINT_MS = 8_000;
const HINT_EVERY_MS = 10_000;

const isHere = (role: Call['role']): boolean => role === 'caller' || role === 'answered';

/**
 * One call as the elements show it. It subscribes in its constructor, so nothing that happens before the first
 * rendering is missed, and it is the only holder of subscriptions to the call.
 */
export class CallModel {
  readonly call: Call;
  readonly self: PersonId;
  readonly changes = new Changes();
  /** The call became video while this person's camera was off, and they have not answered the offer yet. */
  cameraOffered = false;
  /** This person speaks, and nobody hears it. */
  speaksWhileMuted = false;

  readonly #options: CallModelOptions;
  #view: CallView;
  #role: Call['role'];
  #wasConnected: boolean;
  /** Devices whose refusal was told already. */
  readonly #refused = new Set<MediaSource>();
  /** When this device saw the call become live, by its own clock: free of the server clock's difference. */
  #liveSince: number | null = null;
  #sawStart: boolean;
  #outcomeTold = false;
  /** This device held the seat since the model was made, and whether the server took it away. */
  #wasHere: boolean;
  #isRefused = false;
  #lastSpeaker: PersonId | null = null;
  #devices: readonly InputDevice[] | null = null;
  #hintedAt: number | null = null;
  #hint: ReturnType<typeof setTimeout> | undefined;
  readonly #wakeLock = new WakeLock();
  readonly #stops: readonly (() => void)[];

  constructor(options: CallModelOptions) {
    const { call, self } = options;
    this.#options = options;
    this.call = call;
    this.self = self;
    this.#view = call.view;
    this.#role = call.role;
    this.#wasHere = isHere(call.role);
    this.#wasConnected = call.path === 'connected';
    this.#sawStart = call.view.state !== 'live';
    this.#noticeLive();
    const announce = (): void => this.changes.announce();
    this.#stops = [
      call.on('changed', (view) => this.#become(view)),
      call.on('remoteTracks', announce),
      call.on('localTracks', ({ microphone, camera }) => {
        if (microphone !== null) this.#refused.delete('microphone');
        if (camera !== null) {
          this.#refused.delete('camera');
          this.cameraOffered = false;
        }
        this.changes.announce();
      }),
      call.on('path', ({ state }) => {
        this.#wasConnected ||= state === 'connected';
        this.changes.announce();
      }),
      call.on('quality', announce),
      call.on('peerQuality', announce),
      call.on('activeSpeaker', (personId) => {
        if (personId !== null && personId !== self) this.#lastSpeaker = personId;
        this.changes.announce();
      }),
      call.on('audioOnly', (state) => this.#noticeAudioOnly(state)),
      call.on('mutedSpeaking', () => this.#showHint()),
      call.on('devices', (devices) => this.#noticeDevices(devices)),
      call.on('problem', (error) => this.#handleProblem(error)),
      call.on('awaiting', announce),
      options.sound.changes.subscribe(announce),
    ];
  }

  get view(): CallView {
    return this.#view;
  }

  /** Also in a call that runs already, when this person is called in. */
  get rings(): boolean {
    if (this.call.role !== 'incoming' || this.#view.state === 'ended' || this.call.outcome !== null)
      return false;
    return this.#own?.state === 'invited';
  }

  /** It rings while this person is in another call. */
  get isCallWaiting(): boolean {
    return this.#own?.callWaiting === true;
  }

  /** True while this device shows the call: it started or answered it, or another device of the person did. */
  get isOngoing(): boolean {
    return this.call.role !== 'incoming' && this.#view.state !== 'ended' && this.call.outcome === null;
  }

  get other(): SeatView | undefined {
    return this.#view.seats.find((seat) => seat.personId !== this.self && isIn(seat));
  }

  get phone(): VisitPhone {
    return this.#options.phone;
  }

  /** This person takes part by telephone, and so with no device. */
  get isByPhone(): boolean {
    return this.#own !== undefined && phonePart(this.#own) === 'holds';
  }

  get sound(): CallSound {
    return this.#options.sound;
  }

  /** This person's seat is not held by any device: it was lost, and `comeBackUntil` says how long it waits. */
  get isLost(): boolean {
    const { state, deviceId } = this.#own ?? {};
    if (this.call.role !== 'elsewhere') return false;
    if (state === 'left' || state === 'reconnecting') return true;
    // Shown as this device's, which does not have it: refused, or forgotten here. One that moved is shown so for a moment.
    return deviceId === this.#options.deviceId && (this.#isRefused || !this.#wasHere);
  }

  /** Until when this person can come back into the call, in Unix milliseconds; null: not known, or not lost. */
  get comeBackUntil(): number | null {
    return this.#own?.returnUntil ?? null;
  }

  get people(): readonly CallPerson[] {
    const { nameOf, participants } = this.#options;
    const roleOf = (personId: PersonId) =>
      participants().find((person) => person.personId === personId)?.role ?? null;
    return callPeople({ call: this.call, self: this.self, nameOf, roleOf });
  }

  get screen(): SharedScreen | null {
    return sharedScreen(this.call, this.self);
  }

  /** More than two are in the call or are being called. */
  get isGroup(): boolean {
    return this.#view.seats.filter(isIn).length > 2;
  }

  /** Who is shown large where there is little room: the last of the others who spoke. */
  get mainPersonId(): PersonId | null {
    const others = this.#view.seats.filter((seat) => seat.personId !== this.self && isIn(seat));
    const speaker = others.find(({ personId }) => personId === this.#lastSpeaker);
    return (speaker ?? others[0])?.personId ?? null;
  }

  /** Participants of the consultation who are not in the call. */
  get invitable(): readonly Participant[] {
    const inIt = new Set(this.#view.seats.filter(isIn).map(({ personId }) => personId));
    return this.#options.participants().filter(({ personId }) => !inIt.has(personId));
  }

  get isDoctor(): boolean {
    return this.#options
      .participants()
      .some(({ personId, role }) => personId === this.self && role === 'doctor');
  }

  /** In a call of several only the caller and the doctor end it for all, as the server has it. */
  get mayEndForAll(): boolean {
    return this.isGroup && (this.isDoctor || this.#view.startedBy === this.self);
  }

  /** Who muted this person; null when they did it themselves. */
  get mutedByName(): string | null {
    const mutedBy = this.#own?.mutedBy ?? null;
    if (this.call.microphoneOn || mutedBy === null || mutedBy === this.self) return null;
    return this.#options.nameOf(mutedBy);
  }

  get status(): CallStatus {
    if (this.#view.state === 'ended') return 'ended';
    if (this.call.role === 'elsewhere') return 'elsewhere';
    if (this.#view.state === 'ringing') return 'ringing';
    if (this.#view.state === 'connecting') return 'connecting';
    if (this.call.path === 'interrupted') return 'reconnecting';
    // With several, each tile says it of its person.
    if (!this.isGroup && this.other?.state === 'reconnecting') return 'otherReconnecting';
    if (!this.isGroup && this.other?.state === 'left') return 'otherLost';
    // A device that comes back into a live call (a reload) has to connect its own media first.
    return this.call.path === 'connecting' && !this.#wasConnected ? 'connecting' : 'live';
  }

  /** null while nobody has asked to record the call. */
  get recording(): CallRecording | null {
    return this.#view.recording;
  }

  /** This person has been asked whether they may be recorded, and has not answered. */
  get isAskedToBeRecorded(): boolean {
    const own = this.recording?.consents.find(({ personId }) => personId === this.self);
    return own?.state === 'asked' && this.isOngoing && this.call.role !== 'elsewhere';
  }

  async record(act: 'start' | 'pause' | 'resume' | 'stop'): Promise<void> {
    await (await this.#options.recordingControl())[act](this.call);
  }

  async answerRecording(granted: boolean): Promise<void> {
    await (await this.#options.recordingControl()).answer(this.call, granted);
  }

  readonly nameOf = (personId: PersonId): string => this.#options.nameOf(personId);

  get liveForMs(): number {
    return this.#liveSince === null ? 0 : Math.max(0, Date.now() - this.#liveSince);
  }

  async selectDevice(device: Pick<InputDevice, 'kind' | 'deviceId'>): Promise<void> {
    await this.call.selectDevice(device);
    if (device.kind === 'speaker') this.sound.speaker = device.deviceId;
  }

  answerCameraOffer(): void {
    this.cameraOffered = false;
    this.changes.announce();
  }

  dismissHint(): void {
    clearTimeout(this.#hint);
    this.speaksWhileMuted = false;
    this.changes.announce();
  }

  /** What is plugged in now, so that a later change can be told by its name. */
  learnDevices(devices: readonly InputDevice[]): void {
    this.#devices ??= devices;
  }

  close(): void {
    clearTimeout(this.#hint);
    for (const stop of this.#stops) stop();
    this.#wakeLock.want(false);
  }

  get #own(): SeatView | undefined {
    return this.#view.seats.find(({ personId }) => personId === this.self);
  }

  #handleProblem(error: AppError): void {
    // Told right after the seat was let go of.
    this.#isRefused ||= this.call.role === 'elsewhere';
    this.#options.onProblem(error, this.#sourceOf(error));
    this.changes.announce();
  }

  /** A refused device is off; the microphone is asked for first, so it is the first to be refused. */
  #sourceOf({ code, detail }: AppError): MediaSource | null {
    if (code !== 'PERMISSION_DENIED' && code !== 'DEVICE_UNAVAILABLE') return null;
    if (detail?.startsWith('screen')) return null;
    const isMicrophone = !this.call.microphoneOn && !this.#refused.has('microphone');
    const source =
      detail?.startsWith('camera') || (!detail?.startsWith('microphone') && !isMicrophone)
        ? 'camera'
        : 'microphone';
    this.#refused.add(source);
    return source;
  }

  #become(view: CallView): void {
    const before = this.#view;
    const becameVideo = before.media === 'voice' && view.media === 'video';
    this.#view = view;
    if (becameVideo && !this.call.cameraOn) this.cameraOffered = true;
    if (view.media === 'voice') this.cameraOffered = false;
    if (this.call.microphoneOn && this.speaksWhileMuted) this.dismissHint();
    this.#noticeLive();
    this.#tellNews(before, view);
    this.changes.announce();
  }

  #tellNews(before: CallView, after: CallView): void {
    const { nameOf, onNotice, isSmall } = this.#options;
    const wasRinging = this.#role === 'incoming';
    const wasHere = isHere(this.#role);
    this.#role = this.call.role;
    this.#wasHere ||= isHere(this.#role);
    if (isHere(this.#role)) this.#isRefused = false;
    const movedAway = wasRinging && this.#role === 'elsewhere';
    // Lost without another device, the bar in the visit says it.
    if (wasHere && this.#role === 'elsewhere' && !this.isLost)
      onNotice(information(this.isByPhone ? messages().call.byPhone : messages().call.wentOn));
    const outcome =
      movedAway && this.isByPhone
        ? information(messages().call.byPhone)
        : outcomeNotice(movedAway ? 'answered_elsewhere' : this.call.outcome);
    if (outcome !== null && wasRinging && !this.#outcomeTold) {
      this.#outcomeTold = true;
      onNotice(outcome);
    }
    if (!this.isOngoing || this.#role === 'elsewhere') return;
    for (const notice of newsOf({ before, after, self: this.self, nameOf, isSmall: isSmall() }))
      onNotice(notice);
  }

  #noticeAudioOnly({ on, reason }: Call['audioOnly']): void {
    const { call } = messages();
    if (on && reason === 'network') this.#options.onNotice(information(call.audioOnly.network));
    else if (!on) speak(call.audioOnly.back);
    this.changes.announce();
  }

  #noticeDevices(devices: readonly InputDevice[]): void {
    const notice = deviceNews(this.#devices, devices);
    this.#devices = devices;
    if (notice !== null) this.#options.onNotice(notice);
    this.changes.announce();
  }

  #showHint(): void {
    const now = performance.now();
    if (this.call.microphoneOn || (this.#hintedAt !== null && now - this.#hintedAt < HINT_EVERY_MS)) return;
    this.#hintedAt = now;
    this.speaksWhileMuted = true;
    if (!this.#options.isSmall()) speak(messages().call.mutedSpeaking);
    clearTimeout(this.#hint);
    this.#hint = setTimeout(() => this.dismissHint(), HINT_MS);
    this.changes.announce();
  }

  #noticeLive(): void {
    const { state, answeredAt, media } = this.#view;
    if (state === 'live')
      this.#liveSince ??= this.#sawStart ? Date.now() : Math.min(Date.now(), answeredAt ?? Date.now());
    this.#wakeLock.want(media === 'video' && state === 'live' && this.call.role !== 'elsewhere');
  }
}
