import {
  type FactDefinition,
  facts,
  Handshake,
  PROTOCOL_VERSION,
  type RequestDefinition,
  requests,
} from '@teleconsult/protocol';
import { jsonSchema } from './json-schema.ts';

/** The AsyncAPI 3.0 document of the socket. Requests are received by the server and replied to; facts are sent by it. */
export function asyncApiDocument(): object {
  const requestEntries = Object.entries<RequestDefinition>(requests);
  const factEntries = Object.entries<FactDefinition>(facts);
  const messages: Record<string, object> = {};
  for (const [name, { summary, payload, result }] of requestEntries) {
    messages[name] = { name, summary, payload: jsonSchema(payload, 'input') };
    messages[`${name}.reply`] = { name: `${name}.reply`, payload: replyOf(jsonSchema(result, 'output')) };
  }
  for (const [name, { summary, payload }] of factEntries)
    messages[name] = { name, summary, payload: jsonSchema(payload, 'output') };
  const reference = (name: string): object => ({ $ref: `#/channels/socket/messages/${name}` });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'teleconsult',
      version: `${PROTOCOL_VERSION}.0.0`,
      description:
        'Socket.IO 4 events of the teleconsultation server. Replies are Socket.IO acknowledgements.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/socket.io/',
        description: 'One connection a device; the handshake carries protocol version, token and device id.',
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations: Object.fromEntries([
      ...requestEntries.map(([name, { summary }]) => [
        name,
        {
          action: 'receive',
          channel: { $ref: '#/channels/socket' },
          summary,
          messages: [reference(name)],
          reply: { channel: { $ref: '#/channels/socket' }, messages: [reference(`${name}.reply`)] },
        },
      ]),
      ...factEntries.map(([name, { summary }]) => [
        name,
        { action: 'send', channel: { $ref: '#/channels/socket' }, summary, messages: [reference(name)] },
      ]),
    ]),
    components: { messages, schemas: { Handshake: jsonSchema(Handshake, 'input') } },
  };
}

const replyOf = (data: object): object => ({
  oneOf: [
    {
      type: 'object',
      properties: { ok: { const: true }, data },
      required: ['ok', 'data'],
      additionalProperties: false,
    },
    {
      type: 'object',
      properties: {
        ok: { const: false },
        error: {
          type: 'object',
          properties: {
            code: { type: 'string' },
            message: { type: 'string' },
            retryable: { type: 'boolean' },
            requestId: { type: 'string' },
            detail: { type: 'string' },
          },
          required: ['code', 'message', 'retryable', 'requestId'],
        },
      },
      required: ['ok', 'error'],
      additionalProperties: false,
    },
  ],
});
