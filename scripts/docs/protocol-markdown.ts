import {
  Attachment,
  CallRecording,
  CallView,
  Composition,
  ConsultationView,
  ConsumerOffer,
  DtlsParameters,
  Entry,
  errorCatalogue,
  type FactDefinition,
  FollowUp,
  FollowUpBoard,
  facts,
  IceParameters,
  MAX_FRAME_BYTES,
  MAX_UPLOAD_BYTES,
  MessageContent,
  MessageDraft,
  Note,
  NoteAudio,
  NoteVersion,
  Participant,
  PROTOCOL_VERSION,
  RecordingFile,
  RecordingView,
  type RequestDefinition,
  RtpCapabilities,
  RtpParameters,
  requests,
  SeatView,
  SUPPORTED_PROTOCOL_VERSIONS,
  TransportOffer,
} from '@teleconsult/protocol';
import type { z } from 'zod';
import { jsonSchema, shapeOf } from './json-schema.ts';

/** docs/PROTOCOL.md. */
export function protocolMarkdown(): string {
  return [
    '# The protocol',
    '',
    '<!-- Generated from protocol/ by "npm run docs". Do not edit. -->',
    '',
    `Version ${PROTOCOL_VERSION}. The server speaks ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}.`,
    'The same in machine form: [asyncapi.json](asyncapi.json) for the socket, [openapi.json](openapi.json) for REST.',
    'Error codes: [ERRORS.md](ERRORS.md).',
    '',
    '## Connecting',
    '',
    'A device connects with Socket.IO 4 and `auth: { protocol, token, deviceId }`. A refused handshake is a',
    '`connect_error` whose `data` is the error body. One device has one socket: a newer one replaces the older.',
    `A frame over ${MAX_FRAME_BYTES / 1024} KiB closes the connection that sent it.`,
    '',
    '## Requests',
    '',
    'A request carries exactly one payload and an acknowledgement, which is called with',
    '`{ ok: true, data }` or `{ ok: false, error: { code, message, retryable, requestId, detail? } }`.',
    'Unknown members are refused. Any request may also answer',
    `${always.map((code) => `\`${code}\``).join(', ')}.`,
    '',
    ...Object.entries<RequestDefinition>(requests).flatMap(([name, request]) => [
      `### \`${name}\``,
      '',
      request.summary,
      '',
      `- payload: \`${shape(request.payload, 'input')}\``,
      `- data: \`${shape(request.result, 'output')}\``,
      '',
    ]),
    '## Facts',
    '',
    'What the server says unasked. A fact is never acknowledged. `entry.added` is the thread itself: numbered',
    'without gaps, and read again with `thread.page` when one is missing. Every other fact is the present state',
    'of something and is repeated by the answer of `consultation.watch`.',
    '',
    ...Object.entries<FactDefinition>(facts).flatMap(([name, fact]) => [
      `### \`${name}\``,
      '',
      fact.summary,
      '',
      `- payload: \`${shape(fact.payload, 'output')}\``,
      '',
    ]),
    '## Types',
    '',
    ...Object.entries(types).flatMap(([name, type]) => [
      `### ${name}`,
      '',
      ...alternatives(type).map((line) => `- \`${line}\``),
      '',
    ]),
    '## Uploads',
    '',
    'Pictures, voice messages and files are uploaded before the message that names them, with the tus protocol 1.0',
    'at `/v1/uploads` (`Authorization: Bearer <token>`; `Upload-Metadata`: `consultationId`, `kind`, `fileName`,',
    '`contentType`). The last segment of the upload’s URL is the `attachmentId`. After the last byte,',
    '`GET /v1/consultations/{consultationId}/attachments/{attachmentId}` answers `processing`, `ready` or `refused`.',
    `Limits: ${Object.entries(MAX_UPLOAD_BYTES)
      .map(([kind, bytes]) => `${kind} ${bytes / (1024 * 1024)} MB`)
      .join(', ')}.`,
    '',
  ].join('\n');
}

/** What the document explains once and names everywhere else. */
const types = {
  ConsultationView,
  CallView,
  SeatView,
  CallRecording,
  RecordingView,
  RecordingFile,
  Composition,
  Note,
  NoteVersion,
  NoteAudio,
  FollowUpBoard,
  FollowUp,
  Entry,
  MessageDraft,
  MessageContent,
  Attachment,
  Participant,
  TransportOffer,
  ConsumerOffer,
  RtpCapabilities,
  RtpParameters,
  DtlsParameters,
  IceParameters,
};

const named = new Map(
  (['input', 'output'] as const).flatMap((io) =>
    Object.entries(types).map(([name, type]) => [JSON.stringify(jsonSchema(type, io)), name]),
  ),
);

const always: readonly (keyof typeof errorCatalogue)[] = [
  'INVALID',
  'NOT_FOUND',
  'RATE_LIMITED',
  'INTERNAL',
  'STORAGE_UNAVAILABLE',
];

const shape = (type: z.ZodType, io: 'input' | 'output'): string => shapeOf(jsonSchema(type, io), named);

function alternatives(type: z.ZodType): string[] {
  const schema = jsonSchema(type, 'output');
  const options = schema['oneOf'] ?? schema['anyOf'];
  return (Array.isArray(options) ? options : [schema]).map((one) => shapeOf(one, named));
}
