import type { Call, CallEvents, RemoteTrack } from '@teleconsult/client-sdk/api';
import type { CallMedia, CallView, ConsultationView, PersonId, SeatView } from '@teleconsult/protocol';
import { MockEvents } from './mock-events.ts';
import * as ids from './mock-ids.ts';
import { mockFace, mockSound } from './mock-media.ts';

interface MockCallOptions {
  readonly consultation: ConsultationView;
  readonly self: PersonId;
  readonly other: PersonId;
  readonly media: CallMedia;
  readonly role: Call['role'];
  readonly onEnd: (call: MockCall, reason: NonNullable<CallView['endReason']>) => void;
}

/** A call without a network: the other side answers after a moment and shows a drawn face. */
export class MockCall implements Call {
  readonly id = ids.callId();
  readonly #options: MockCallOptions;
  readonly #events = new MockEvents<CallEvents>();
  readonly on = this.#events.on;
  role: Call['role'];
  view: CallView;
  remoteTracks: readonly RemoteTrack[] = [];
  localTracks: CallEvents['localTracks'] = { microphone: null, camera: null };
  path: CallEvents['path']['state'] = 'connecting';
  microphoneOn = true;
  cameraOn = false;

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
      seats: [seat(self), seat(other)],
      revision: 0,
    };
    if (!rings && role !== 'elsewhere') setTimeout(() => this.goLive(), 0);
  }

  async accept({ camera = true }: { camera?: boolean } = {}): Promise<void> {
    this.role = 'answered';
    this.cameraOn = camera && this.view.media === 'video';
    this.#become({ state: 'connecting', answeredAt: Date.now(), ringUntil: null });
    setTimeout(() => this.goLive(), 600);
  }

  /** The other side answers and sends. */
  goLive(): void {
    if (this.view.state === 'ended') return;
    const isVideo = this.view.media === 'video';
    if (this.role === 'caller') this.cameraOn = isVideo;
    this.setPath('connected');
    this.#become({ state: 'live', answeredAt: this.view.answeredAt ?? Date.now(), ringUntil: null });
    this.other({ microphoneOn: true, cameraOn: isVideo });
    this.#showLocal();
  }

  /** Changes what the other side sends. */
  other(change: Partial<SeatView>): void {
    const { other } = this.#options;
    this.#become({
      seats: this.view.seats.map((seat) => (seat.personId === other ? { ...seat, ...change } : seat)),
    });
    const { cameraOn } = this.view.seats.find(({ personId }) => personId === other) ?? { cameraOn: false };
    this.remoteTracks = [
      { personId: other, source: 'microphone', track: mockSound(), paused: false },
      ...(cameraOn
        ? [{ personId: other, source: 'camera' as const, track: mockFace('#2f6f8f'), paused: false }]
        : []),
    ];
    this.#events.emit('remoteTracks', this.remoteTracks);
  }

  setPath(state: CallEvents['path']['state']): void {
    this.path = state;
    this.#events.emit('path', { state });
  }

  async decline(): Promise<void> {
    this.end('declined');
  }

  async hangUp(): Promise<void> {
    this.end(this.view.state === 'ringing' ? 'cancelled' : 'completed');
  }

  end(reason: NonNullable<CallView['endReason']>): void {
    this.#become({ state: 'ended', endReason: reason });
    this.#options.onEnd(this, reason);
  }

  async setMicrophone(on: boolean): Promise<void> {
    this.microphoneOn = on;
    this.#become({});
  }

  async setCamera(on: boolean): Promise<void> {
    this.cameraOn = on;
    this.#showLocal();
    this.#become({});
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

  #showLocal(): void {
    const camera = this.cameraOn ? mockFace('#8f5f2f', 480, 640) : null;
    this.localTracks = { microphone: null, camera };
    this.#events.emit('localTracks', this.localTracks);
  }

  #become(change: Partial<CallView>): void {
    this.view = { ...this.view, ...change, revision: this.view.revision + 1 };
    this.#events.emit('changed', this.view);
  }
}

const seat = (personId: PersonId): SeatView => ({
  personId,
  state: 'present',
  deviceId: ids.deviceId(personId),
  microphoneOn: true,
  cameraOn: false,
  since: Date.now(),
});
