import {
  AppError,
  type CallMedia,
  type CallView,
  ConsumerOffer,
  type DeviceId,
  type IceServer,
  type MediaSource,
  type PersonId,
  type RequestPayload,
  type RequestResult,
  ResumeTicket,
  RtpCapabilities,
  type SeatView,
  TransportOffer,
} from '@teleconsult/protocol';
import { testFakeParameters } from 'mediasoup-client';
import { doctor, patient, ringingCall } from './samples.ts';
import type { Device, ScriptedServer } from './scripted-server.ts';
import type { ScriptedThread } from './scripted-thread.ts';

const ACKNOWLEDGED = [
  'seat.connectTransport',
  'seat.resumeConsumer',
  'seat.pauseConsumer',
  'seat.setLayers',
  'seat.reportQuality',
] as const;

/** One call on a scripted server, with the patient's seats as the real server would move them. */
export class ScriptedCall {
  readonly #server: ScriptedServer;
  readonly #thread: ScriptedThread;
  view: CallView;
  /** Tracks of the other side that a joining device is offered. */
  offers: ConsumerOffer[] = [];
  /** True while the server holds media for the patient's seat. */
  holdsSeat = false;
  /** How often the patient joined; each join has a resume ticket of its own. */
  joins = 0;
  /** The tickets that are good: that of the last answer, and the one it was had with, as that answer may be lost. */
  #tickets: readonly ResumeTicket[] = [];
  /** Who holds the seat by the last join. */
  #holder: DeviceId | null = null;
  /** STUN and TURN servers that a joining device is told. */
  iceServers: IceServer[] = [];
  /** Changes when the server's router does, as with a new version. */
  routerCapabilities: RtpCapabilities = RtpCapabilities.parse(
    testFakeParameters.generateRouterRtpCapabilities(),
  );

  constructor(server: ScriptedServer, thread: ScriptedThread, changes: Partial<CallView> = {}) {
    this.#server = server;
    this.#thread = thread;
    this.view = ringingCall(thread.id, changes);
    this.#answerCalls();
    this.answerSeats();
  }

  /** Rings on every device of the patient. */
  ring(): void {
    this.#server.tell('call.changed', this.view);
  }

  /** Also a watch shows the call from now on. */
  showInSnapshots(): void {
    this.#thread.call = () => (this.view.state === 'ended' ? null : this.view);
  }

  change(changes: Partial<CallView>): CallView {
    this.view = { ...this.view, ...changes, revision: this.view.revision + 1 };
    return this.view;
  }

  changeSeat(personId: PersonId, changes: Partial<SeatView>): CallView {
    const seats = this.view.seats.map((seat) =>
      seat.personId === personId ? { ...seat, ...changes } : seat,
    );
    return this.change({ seats });
  }

  tell(changes: Partial<CallView>): void {
    this.#server.tell('call.changed', this.change(changes));
  }

  end(endReason: NonNullable<CallView['endReason']>): void {
    this.tell({ state: 'ended', endReason, ringUntil: null });
  }

  /** The other side begins to send. */
  offer(source: MediaSource, from: PersonId = doctor): ConsumerOffer {
    const codecMimeType = source === 'microphone' ? 'audio/opus' : 'video/VP8';
    const { id, producerId, kind, rtpParameters } = testFakeParameters.generateConsumerRemoteParameters({
      codecMimeType,
    });
    const offer = ConsumerOffer.parse({
      consumerId: id,
      producerId,
      from,
      source,
      kind,
      rtpParameters,
      producerPaused: false,
    });
    this.offers.push(offer);
    return offer;
  }

  get seat(): { consultationId: CallView['consultationId']; callId: CallView['callId'] } {
    const { consultationId, callId } = this.view;
    return { consultationId, callId };
  }

  #answerCalls(): void {
    const server = this.#server;
    server.on('call.start', ({ media }, { handshake }) => {
      this.#startedBy(patient, handshake.deviceId, media);
      return { call: this.view };
    });
    server.on('call.accept', (_call, { handshake }) => {
      this.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      return { call: this.change({ state: 'connecting', ringUntil: null, answeredAt: 2 }) };
    });
    server.on('call.decline', () => ({
      call: this.change({ state: 'ended', endReason: 'declined', ringUntil: null }),
    }));
    server.on('call.hangUp', () => {
      if (this.view.state === 'ended') throw new AppError('NOT_FOUND');
      return { call: this.change({ state: 'ended', endReason: 'completed', ringUntil: null }) };
    });
    server.on('call.leave', () => {
      if (this.view.state === 'ended') throw new AppError('NOT_FOUND');
      return { call: this.changeSeat(patient, { state: 'left', leftReason: 'hung_up' }) };
    });
    server.on('call.invite', ({ personId }) => ({ call: this.changeSeat(personId, { state: 'invited' }) }));
    server.on('call.setMedia', ({ media }) => ({ call: this.#becomes(media) }));
  }

  /** Joins and what follows, as the real server answers them. */
  answerSeats(): void {
    const server = this.#server;
    server.on('seat.join', (payload, from) => this.answerJoin(payload, from));
    server.on('seat.setCapabilities', () => this.#held({ consumers: this.offers }));
    server.on('seat.produce', ({ source }) => this.#held({ producerId: `producer-${source}` }));
    server.on('seat.setSource', ({ source, on }) => {
      const changes = { microphone: 'microphoneOn', camera: 'cameraOn', screen: 'screenOn' } as const;
      return { call: this.changeSeat(patient, { [changes[source]]: on }) };
    });
    server.on('seat.setView', ({ view }) => ({ call: this.changeSeat(patient, { view }) }));
    server.on('seat.setInterrupted', ({ interrupted }) => ({
      call: this.changeSeat(patient, { interrupted }),
    }));
    server.on('seat.mute', ({ personId }) => ({
      call: this.changeSeat(personId, { microphoneOn: false, mutedBy: patient }),
    }));
    server.on('seat.restartIce', () => this.#held({ iceParameters: transportOffer().iceParameters }));
    for (const name of ACKNOWLEDGED) server.on(name, () => this.#held({}));
  }

  /** One that joined before brings a good ticket or takes the seat over. A refused join changes nothing. */
  answerJoin(
    { rtpCapabilities, resumeTicket, takeOver }: RequestPayload<'seat.join'>,
    { handshake }: Device,
  ): RequestResult<'seat.join'> {
    const { deviceId } = handshake;
    const seat = this.view.seats.find(({ personId }) => personId === patient);
    const isOwn = seat?.deviceId === null || seat?.deviceId === deviceId;
    const isKnown = isOwn && this.#holder === deviceId;
    const isGood = isKnown ? resumeTicket !== undefined && this.#tickets.includes(resumeTicket) : isOwn;
    if (!isGood && !takeOver) throw new AppError('RESUME_REFUSED');
    this.holdsSeat = true;
    this.joins += 1;
    this.#holder = deviceId;
    const next = ResumeTicket.parse(String(this.joins).padStart(32, '0'));
    this.#tickets = [next, ...(isKnown && isGood && resumeTicket !== undefined ? [resumeTicket] : [])];
    return {
      call: this.changeSeat(patient, {
        state: 'present',
        deviceId,
        leftReason: null,
        returnUntil: null,
      }),
      routerRtpCapabilities: this.routerCapabilities,
      send: transportOffer(),
      receive: transportOffer(),
      resumeTicket: next,
      consumers: rtpCapabilities === undefined ? [] : this.offers,
      iceServers: this.iceServers,
    };
  }

  #startedBy(personId: PersonId, deviceId: DeviceId, media: CallMedia): void {
    const seats = this.view.seats.map((seat): SeatView => {
      const own = seat.personId === personId;
      return {
        ...seat,
        state: own ? 'connecting' : 'invited',
        deviceId: own ? deviceId : null,
        cameraOn: media === 'video',
      };
    });
    this.change({ startedBy: personId, media, seats });
  }

  #becomes(media: CallMedia): CallView {
    const seats = this.view.seats.map((seat) => ({ ...seat, cameraOn: false }));
    return this.change({ media, seats });
  }

  #held<T>(answer: T): T {
    if (!this.holdsSeat) throw new AppError('NOT_FOUND', { detail: 'this device holds no seat in the call' });
    return answer;
  }
}

/** The device that a test drives. */
export const deviceUnderTest = (server: ScriptedServer): readonly Device[] =>
  server.devices.filter(({ handshake }) => handshake.deviceId === 'device-under-test');

function transportOffer(): TransportOffer {
  const { id, ...parameters } = testFakeParameters.generateTransportRemoteParameters();
  const { iceParameters, iceCandidates, dtlsParameters } = parameters;
  return TransportOffer.parse({ transportId: id, iceParameters, iceCandidates, dtlsParameters });
}
