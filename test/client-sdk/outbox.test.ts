import { AppError, AttachmentId, ClientMessageId } from '@teleconsult/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  find,
  nextToSend,
  type Outbox,
  type OutboxItem,
  queue,
  remove,
  retry,
  step,
  toOutgoing,
} from '../../client-sdk/outbox.ts';
import { minted } from './helpers/samples.ts';

const id = (number: number) => ClientMessageId.parse(`message-${number}`);
const attachmentId = AttachmentId.parse(minted('att'));
const content = { type: 'image', attachmentId } as const;
const uploaded = { kind: 'uploaded', part: 0, attachmentId } as const;
const error = new AppError('UNSUPPORTED_MEDIA');

function text(number: number): OutboxItem {
  const stage = { kind: 'ready', content: { type: 'text', text: `${number}` } } as const;
  return {
    clientMessageId: id(number),
    draft: { type: 'text', text: `${number}` },
    replyTo: null,
    queuedAt: 0,
    order: number,
    attempts: 0,
    restored: false,
    stage,
  };
}

function image(number: number): OutboxItem {
  return {
    clientMessageId: id(number),
    draft: { type: 'image', data: new Blob(['x']) },
    replyTo: null,
    queuedAt: 0,
    order: number,
    attempts: 0,
    restored: false,
    stage: { kind: 'uploading', parts: [{ kind: 'missing', upload: null }] },
  };
}

describe('the outbox', () => {
  it('[SDK20] whatever happens to uploads and sends, messages are sent in the order of the calls, one at a time', () => {
    // What may happen to the message under way, or to any upload, drawn at random; `at` picks the upload.
    const happening = fc.record({
      kind: fc.constantFrom(
        'queueText',
        'queueImage',
        'uploaded',
        'refused',
        'send',
        'unanswered',
        'acked',
        'rejected',
      ),
      at: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120 }), (happenings) => {
        let outbox: Outbox = [];
        let queued = 0;
        let sending: ClientMessageId | null = null;
        const committed: number[] = [];
        const started: number[] = [];
        const numberOf = (of: ClientMessageId) => Number(of.slice('message-'.length));
        for (const { kind, at } of happenings) {
          const uploading = outbox.filter(({ stage }) => stage.kind === 'uploading');
          const upload = uploading[at % Math.max(uploading.length, 1)];
          if (kind === 'queueText') outbox = queue(outbox, text((queued += 1)));
          if (kind === 'queueImage') outbox = queue(outbox, image((queued += 1)));
          if (kind === 'uploaded' && upload) outbox = step(outbox, upload.clientMessageId, uploaded);
          if (kind === 'refused' && upload)
            outbox = step(outbox, upload.clientMessageId, { kind: 'failed', error });
          if (kind === 'send') {
            const next = nextToSend(outbox);
            if (next !== null) {
              expect(sending).toBeNull();
              sending = next.clientMessageId;
              started.push(numberOf(sending));
              outbox = step(outbox, sending, { kind: 'sendStarted' });
            }
          }
          if (sending === null) continue;
          if (kind === 'unanswered') outbox = step(outbox, sending, { kind: 'sendUnanswered' });
          if (kind === 'rejected') outbox = step(outbox, sending, { kind: 'failed', error });
          if (kind === 'acked') {
            outbox = remove(step(outbox, sending, { kind: 'acknowledged', sequence: 1 }), sending);
            committed.push(numberOf(sending));
          }
          if (kind === 'unanswered' || kind === 'rejected' || kind === 'acked') sending = null;
          expect(outbox.filter(({ stage }) => stage.kind === 'sending').length).toBeLessThanOrEqual(1);
        }
        expect(started).toEqual(started.toSorted((a, b) => a - b));
        expect(committed).toEqual(committed.toSorted((a, b) => a - b));
        expect(new Set(committed).size).toBe(committed.length);
        // Nothing is lost: each message was committed or is still there.
        expect(outbox.length + committed.length).toBe(queued);
      }),
      { numRuns: 500 },
    );
  });

  it('[SDK22] a failed message lets the next one pass, and a failed upload as well', () => {
    let outbox: Outbox = [image(1), text(2), text(3)];
    expect(nextToSend(outbox)).toBeNull();
    outbox = step(outbox, id(1), { kind: 'failed', error });
    expect(nextToSend(outbox)?.clientMessageId).toBe(id(2));
    outbox = step(step(outbox, id(2), { kind: 'sendStarted' }), id(2), { kind: 'failed', error });
    expect(nextToSend(outbox)?.clientMessageId).toBe(id(3));
  });

  it('[SDK26] a message that is tried again goes to the end and does not upload again what has arrived', () => {
    let outbox: Outbox = [image(1), text(2)];
    outbox = step(outbox, id(1), uploaded);
    outbox = step(step(outbox, id(1), { kind: 'sendStarted' }), id(1), { kind: 'failed', error });
    expect(toOutgoing(outbox[0] ?? text(0))).toMatchObject({
      state: 'failed',
      progress: 1,
      error,
      attempts: 1,
    });
    outbox = retry(outbox, id(1));
    expect(outbox.map(({ clientMessageId }) => clientMessageId)).toEqual([id(2), id(1)]);
    expect(find(outbox, id(1))?.stage).toEqual({ kind: 'ready', content });
  });

  it('[SDK26] an upload that failed half-way goes on there', () => {
    const upload = { uploadUrl: 'http://server/v1/uploads/x', share: 0.5 };
    let outbox: Outbox = [image(1)];
    outbox = step(outbox, id(1), { kind: 'uploadAdvanced', part: 0, upload });
    outbox = retry(step(outbox, id(1), { kind: 'failed', error }), id(1));
    expect(find(outbox, id(1))?.stage).toEqual({ kind: 'uploading', parts: [{ kind: 'missing', upload }] });
  });

  it('[SDK20] an event that does not fit the stage changes nothing', () => {
    const outbox: Outbox = [text(1)];
    expect(step(outbox, id(1), uploaded)).toEqual(outbox);
    expect(step(outbox, id(1), { kind: 'acknowledged', sequence: 1 })).toEqual(outbox);
    expect(step(outbox, id(2), { kind: 'sendStarted' })).toEqual(outbox);
    expect(retry(outbox, id(1))).toEqual(outbox);
  });
});
