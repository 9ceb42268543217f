import { z } from 'zod';
import { CallId, ClientMessageId, ConsultationId, MessageId, Moment, Sequence } from './ids.ts';
import { DEFAULT_PAGE_SIZE, MAX_CAPTION_LENGTH, MAX_PAGE_SIZE } from './limits.ts';
import {
  ConsumerOffer,
  DtlsParameters,
  IceParameters,
  MediaKind,
  MediaSource,
  RtpCapabilities,
  RtpParameters,
  TransportDirection,
  TransportOffer,
} from './media.ts';
import { CallMedia, CallView, ConsultationView, Entry, MessageDraft } from './model.ts';

export interface RequestDefinition {
  readonly summary: string;
  readonly payload: z.ZodType;
  readonly result: z.ZodType;
}

const define = <const T extends Record<string, RequestDefinition>>(table: T): T => table;

const consultation = { consultationId: ConsultationId };
const call = { ...consultation, callId: CallId };
const empty = z.strictObject({});
const PageSize = z.int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE);
const ConsultationResult = z.strictObject({ consultation: ConsultationView });
const CallResult = z.strictObject({ call: CallView });

/**
 * Every request a client may send, by Socket.IO event name. Each is acknowledged with one envelope
 * `{ok: true, data} | {ok: false, error}`. The server's handler table, the SDK's signatures and
 * docs/PROTOCOL.md come from this table.
 */
export const requests = define({
  'consultation.list': {
    summary: 'The consultations this person takes part in, newest first.',
    payload: z.strictObject({
      limit: z.int().min(1).max(100).default(50),
      /** Only consultations created before this moment: the next page. */
      createdBefore: Moment.optional(),
    }),
    result: z.strictObject({ consultations: z.array(ConsultationView), hasMore: z.boolean() }),
  },
  'consultation.watch': {
    summary:
      'Follow a consultation: answers a snapshot and the entries after `afterSequence` (or the latest page), then every further fact is pushed.',
    payload: z.strictObject({ ...consultation, afterSequence: Sequence.optional(), limit: PageSize }),
    result: z.strictObject({
      consultation: ConsultationView,
      call: CallView.nullable(),
      entries: z.array(Entry),
      /** True when entries between `afterSequence` and the first fact pushed live are still to be fetched. */
      hasMore: z.boolean(),
    }),
  },
  'consultation.unwatch': {
    summary: 'Stop following a consultation on this device.',
    payload: z.strictObject(consultation),
    result: empty,
  },
  'consultation.enter': {
    summary: 'The patient enters the waiting room. Entering again changes nothing.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.accept': {
    summary: 'The doctor begins the consultation.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.decline': {
    summary: 'The doctor declines a consultation that has not begun.',
    payload: z.strictObject({
      ...consultation,
      note: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
    }),
    result: ConsultationResult,
  },
  'consultation.cancel': {
    summary: 'The patient withdraws a consultation that has not begun.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.end': {
    summary: 'The doctor ends a consultation that has begun. A running call ends with it.',
    payload: z.strictObject({
      ...consultation,
      note: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
    }),
    result: ConsultationResult,
  },
  'message.send': {
    summary:
      'Add a message to the thread. Acknowledged only after it is on disk; the same clientMessageId with the same content is one message.',
    payload: z.strictObject({ ...consultation, clientMessageId: ClientMessageId, content: MessageDraft }),
    result: z.strictObject({ messageId: MessageId, sequence: Sequence, at: Moment }),
  },
  'thread.page': {
    summary:
      'Entries of the thread by sequence: after a number (ascending) or before one (the page just below it, ascending).',
    payload: z
      .strictObject({
        ...consultation,
        afterSequence: Sequence.optional(),
        beforeSequence: Sequence.optional(),
        limit: PageSize,
      })
      .refine(
        (page) => page.afterSequence === undefined || page.beforeSequence === undefined,
        'afterSequence and beforeSequence exclude each other',
      ),
    result: z.strictObject({ entries: z.array(Entry), hasMore: z.boolean(), lastSequence: Sequence }),
  },
  'call.start': {
    summary:
      'Call the other participants. All their devices ring. If they are calling too, both become one call.',
    payload: z.strictObject({ ...consultation, media: CallMedia }),
    result: CallResult,
  },
  'call.accept': {
    summary: 'Answer a ringing call on this device. The person’s other devices stop ringing.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.decline': {
    summary: 'Decline a ringing call on all devices of this person.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.hangUp': {
    summary: 'End the call; while it still rings, the caller cancels it.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.setMedia': {
    summary: 'Turn a voice call into a video call or back, without a new call.',
    payload: z.strictObject({ ...call, media: CallMedia }),
    result: CallResult,
  },
  'seat.join': {
    summary:
      'Take this person’s seat with this device and open its transports. The answer already holds what the others send.',
    payload: z.strictObject({ ...call, rtpCapabilities: RtpCapabilities.optional() }),
    result: z.strictObject({
      call: CallView,
      routerRtpCapabilities: RtpCapabilities,
      send: TransportOffer,
      receive: TransportOffer,
      consumers: z.array(ConsumerOffer),
    }),
  },
  'seat.connectTransport': {
    summary: 'Give the device’s DTLS parameters for one transport.',
    payload: z.strictObject({ ...call, direction: TransportDirection, dtlsParameters: DtlsParameters }),
    result: empty,
  },
  'seat.setCapabilities': {
    summary: 'Say what this device can receive, once it knows; answers what the others send already.',
    payload: z.strictObject({ ...call, rtpCapabilities: RtpCapabilities }),
    result: z.strictObject({ consumers: z.array(ConsumerOffer) }),
  },
  'seat.produce': {
    summary: 'Send a track.',
    payload: z.strictObject({
      ...call,
      source: MediaSource,
      kind: MediaKind,
      rtpParameters: RtpParameters,
      paused: z.boolean().default(false),
    }),
    result: z.strictObject({ producerId: z.string() }),
  },
  'seat.setSource': {
    summary: 'Mute or unmute the microphone, switch the camera off or on. The others are told.',
    payload: z.strictObject({ ...call, source: MediaSource, on: z.boolean() }),
    result: CallResult,
  },
  'seat.resumeConsumer': {
    summary: 'The device is ready for this track: let it flow (video starts with a key frame).',
    payload: z.strictObject({ ...call, consumerId: z.string().max(64) }),
    result: empty,
  },
  'seat.restartIce': {
    summary: 'New ICE credentials for a transport whose path broke.',
    payload: z.strictObject({ ...call, direction: TransportDirection }),
    result: z.strictObject({ iceParameters: IceParameters }),
  },
});

export type RequestName = keyof typeof requests;
export const requestNames = Object.keys(requests) as readonly RequestName[];

/** What a caller passes (defaults may be left out). */
export type RequestInput<N extends RequestName> = z.input<(typeof requests)[N]['payload']>;
/** What a handler receives after parsing. */
export type RequestPayload<N extends RequestName> = z.output<(typeof requests)[N]['payload']>;
export type RequestResult<N extends RequestName> = z.output<(typeof requests)[N]['result']>;
