import { FakeTranscriber } from '@teleconsult/server/speech/fake-transcriber';
import { transcriberContract } from './transcriber.suite.ts';

transcriberContract('fake', async () => {
  const transcriber = new FakeTranscriber();
  return {
    transcriber,
    nextCall: (speech) => transcriber.nextCall(speech),
    heard: () => transcriber.heard,
    [Symbol.asyncDispose]: () => transcriber.close(),
  };
});
