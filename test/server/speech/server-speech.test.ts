/** The whole server: a voice message that was really uploaded, sealed and made anew. */
import { FakeTranscriber } from '@teleconsult/server/speech/fake-transcriber';
import { expect, test } from 'vitest';
import { tone } from '../uploads/samples.ts';
import { startUploading } from '../uploads/uploading.ts';

test('[SPCH9] the words of a voice message are read by those who may hear it', async () => {
  const transcriber = new FakeTranscriber();
  await using at = await startUploading({ transcriber });
  const bytes = await tone(2);
  const uploaded = await at.patient.upload({ consultationId: at.id, kind: 'voice' }, bytes);
  const { attachmentId } = await at.patient.ended(at.id, uploaded);
  const { sequence } = await at.visit.patient.request('message.send', {
    consultationId: at.id,
    clientMessageId: 'a-voice-message',
    content: { type: 'voice', attachmentId },
  });
  transcriber.nextCall({ text: '咳嗽三天了' });
  const wish = { consultationId: at.id, sequence, language: 'zh' } as const;
  expect(await at.visit.doctor.request('message.transcribe', wish)).toEqual({ text: '咳嗽三天了' });
  expect(await at.visit.patient.request('message.transcribe', wish)).toEqual({ text: '咳嗽三天了' });
  expect(transcriber.heard).toMatchObject([{ language: 'zh' }]);
  expect(at.app.logs.join()).not.toContain('咳嗽');
  await at.visit.patient.request('message.recall', { consultationId: at.id, sequence });
  await expect(at.visit.doctor.request('message.transcribe', wish)).rejects.toThrow('NOT_FOUND');
});
