import { Readable } from 'node:stream';
import { AppError, AttachmentId, ConsultationId, Entry, PersonId } from '@teleconsult/protocol';
import { findPrlimit } from '@teleconsult/server/attachments/limited-child';
import { processVoice, VOICE_CONTENT_TYPE } from '@teleconsult/server/attachments/voice';
import { createLog } from '@teleconsult/server/log';
import { FakeTranscriber } from '@teleconsult/server/speech/fake-transcriber';
import { Transcripts, type TranscriptsParts } from '@teleconsult/server/speech/transcripts';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { findFfmpeg, tone } from '../uploads/samples.ts';

const id = ConsultationId.parse(`cns_${'0'.repeat(22)}`);
const attachmentId = AttachmentId.parse(`att_${'0'.repeat(22)}`);
const ann = PersonId.parse('ann');
const bob = PersonId.parse('bob');
const stranger = PersonId.parse('stranger');

const voice = {
  type: 'voice',
  attachment: {
    kind: 'voice',
    attachmentId,
    contentType: VOICE_CONTENT_TYPE,
    byteSize: 1,
    durationMs: 3_000,
    peaks: Array(64).fill(1),
  },
};

let recording: Buffer;
let tools: TranscriptsParts['tools'];
beforeAll(async () => {
  tools = { ffmpegPath: await findFfmpeg(), prlimitPath: await findPrlimit() };
  recording = (await processVoice(await tone(3), tools)).bytes;
});

/** A thread of 1: text, 2: voice, 3: withdrawn, 4 …: voice. */
function setUp(change: Partial<TranscriptsParts> = {}) {
  const transcriber = new FakeTranscriber();
  const logs: string[] = [];
  let opened = 0;
  let closed = 0;
  const contents = new Map<number, object>([
    [1, { type: 'text', text: 'canary' }],
    [3, { type: 'withdrawn', how: 'recalled' }],
  ]);
  const entryOf = (sequence: number): Entry =>
    Entry.parse({
      consultationId: id,
      sequence,
      at: 1,
      by: ann,
      kind: 'message.sent',
      messageId: `msg_${String(sequence).padStart(22, '0')}`,
      clientMessageId: `message-${sequence}`,
      content: contents.get(sequence) ?? voice,
    });
  const transcripts = new Transcripts({
    host: {
      thread: async (_id, by, { afterSequence = 0 }) => {
        if (by === stranger) throw new AppError('NOT_FOUND');
        const entries = afterSequence >= 100 ? [] : [entryOf(afterSequence + 1)];
        return { entries, hasMore: false, lastSequence: 100 };
      },
    },
    library: {
      open: async () => {
        opened += 1;
        return {
          attachment: voice.attachment as never,
          contentType: VOICE_CONTENT_TYPE,
          object: { byteSize: recording.byteLength, read: () => Readable.from([recording]) },
          [Symbol.asyncDispose]: async () => {
            closed += 1;
          },
        };
      },
    },
    tools,
    log: createLog({ level: 'info', destination: { write: (line) => void logs.push(line) } }),
    transcriber,
    ...change,
  });
  return { transcripts, transcriber, logs, contents, opened: () => opened, closed: () => closed };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

test('[SPCH4] a voice message is handed over as 16 kHz mono sound and comes back as text', async () => {
  const at = setUp();
  at.transcriber.nextCall({ text: '我头疼' });
  expect(await at.transcripts.of(id, { by: bob, sequence: 2, language: 'zh' })).toBe('我头疼');
  const [heard] = at.transcriber.heard;
  expect(heard?.language).toBe('zh');
  expect(Math.abs((heard?.bytes ?? 0) / 32_000 - 3)).toBeLessThan(0.2);
  expect(heard?.loudest).toBeGreaterThan(1_000);
  expect(at.closed()).toBe(1);
});

test('[SPCH5] a transcript is of a voice message that the person may hear now', async () => {
  const at = setUp();
  const of = (by: PersonId, sequence: number): Promise<string> =>
    codeOf(at.transcripts.of(id, { by, sequence }));
  expect(await of(ann, 1)).toBe('INVALID');
  expect(await of(ann, 3)).toBe('NOT_FOUND');
  expect(await of(ann, 0)).toBe('NOT_FOUND');
  expect(await of(ann, 200)).toBe('NOT_FOUND');
  expect(await of(stranger, 2)).toBe('NOT_FOUND');
  expect(at.transcriber.heard).toEqual([]);
  expect(await of(ann, 2)).toBe('done');
  expect(await of(stranger, 2)).toBe('NOT_FOUND');
  at.contents.set(2, { type: 'withdrawn', how: 'removed' });
  expect(await of(ann, 2)).toBe('NOT_FOUND');
});

test('[SPCH5] a message that is withdrawn while its words are being made is answered like any that is not there', async () => {
  let withdraw = (): void => undefined;
  const at = setUp({
    transcriber: {
      transcribe: async () => {
        withdraw();
        return 'words';
      },
      close: async () => undefined,
    },
  });
  withdraw = () => void at.contents.set(2, { type: 'withdrawn', how: 'recalled' });
  expect(await codeOf(at.transcripts.of(id, { by: bob, sequence: 2 }))).toBe('NOT_FOUND');
});

test('[SPCH6] who asks again, or at the same time, costs the service nothing', async () => {
  const at = setUp();
  const wish = { by: ann, sequence: 2, language: 'en' } as const;
  const [first, second] = await Promise.all([
    at.transcripts.of(id, wish),
    at.transcripts.of(id, { ...wish, by: bob }),
  ]);
  expect(second).toBe(first);
  await at.transcripts.of(id, wish);
  expect(at.transcriber.heard).toHaveLength(1);
  await at.transcripts.of(id, { ...wish, language: 'zh' });
  expect(at.transcriber.heard.map(({ language }) => language)).toEqual(['en', 'zh']);
});

test('[SPCH6] one message is transcribed at a time, and no more wait than can be served', async () => {
  const at = setUp();
  const asked = Array.from({ length: 25 }, (_, number) =>
    codeOf(at.transcripts.of(id, { by: PersonId.parse(`person-${number % 5}`), sequence: 10 + number })),
  );
  const outcomes = await Promise.all(asked);
  expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(20);
  expect(outcomes.filter((outcome) => outcome === 'RATE_LIMITED')).toHaveLength(5);
  expect(at.transcriber.mostAtOnce).toBe(1);
  expect(await codeOf(at.transcripts.of(id, { by: ann, sequence: 40 }))).toBe('done');
}, 60_000);

test('[SPCH6] a person who asks for many at once is told to wait, and another is served', async () => {
  const at = setUp();
  const of = (by: PersonId, sequence: number): Promise<string> =>
    codeOf(at.transcripts.of(id, { by, sequence }));
  const asked = Array.from({ length: 7 }, (_, number) => of(ann, 10 + number));
  asked.push(of(bob, 30));
  expect(await Promise.all(asked)).toEqual([
    ...Array(5).fill('done'),
    'RATE_LIMITED',
    'RATE_LIMITED',
    'done',
  ]);
  expect(await of(ann, 15)).toBe('done');
});

test('[SPCH7] a service that fails or hangs is told to the person, and asked again the next time', async () => {
  const at = setUp({ timeLimitMs: 1_500 });
  const wish = { by: ann, sequence: 2 };
  at.transcriber.nextCall('fails');
  expect(await codeOf(at.transcripts.of(id, wish))).toBe('MEDIA_UNAVAILABLE');
  at.transcriber.nextCall('hangs');
  expect(await codeOf(at.transcripts.of(id, wish))).toBe('MEDIA_UNAVAILABLE');
  at.transcriber.nextCall({ text: 'a'.repeat(60_000) });
  expect(await codeOf(at.transcripts.of(id, wish))).toBe('MEDIA_UNAVAILABLE');
  at.transcriber.nextCall({ text: 'canary words' });
  expect(await at.transcripts.of(id, wish)).toBe('canary words');
  expect(at.logs.filter((line) => line.includes('speech.failed'))).toHaveLength(3);
  expect(at.logs.join()).not.toContain('canary');
});

test('[SPCH7] a stop of the server ends what is being transcribed', async () => {
  const stopping = new AbortController();
  const at = setUp({ tools: { ...tools, signal: stopping.signal } });
  at.transcriber.nextCall('hangs');
  const asked = codeOf(at.transcripts.of(id, { by: ann, sequence: 2 }));
  await eventually('the service to be asked', () => at.transcriber.heard.length === 1);
  stopping.abort();
  expect(await asked).toBe('SHUTTING_DOWN');
});

test('[SPCH8] without a speech service, or without ffmpeg, that is what is said', async () => {
  const wish = { by: ann, sequence: 2 };
  const unset = setUp({ transcriber: null }).transcripts;
  expect(await codeOf(unset.of(id, wish))).toBe('NOT_CONFIGURED');
  expect(await codeOf(unset.of(id, { ...wish, by: stranger }))).toBe('NOT_FOUND');
  const without = setUp({ tools: { ffmpegPath: null, prlimitPath: null } });
  expect(await codeOf(without.transcripts.of(id, wish))).toBe('MEDIA_UNAVAILABLE');
});
