import type { Call, TeleconsultClient } from '@teleconsult/client-sdk';
import { type Dictation, type Note, openHealthChannel, openRecords } from '@teleconsult/client-sdk/records';

/** Asks whoever sits before this page when somebody wants to record, and shows while they are recorded. */
export function answerRecording(
  client: TeleconsultClient,
  { call, me }: { call: Call; me: string },
  page: {
    ask: (who: string) => Promise<boolean>;
    show: (state: 'recorded' | 'paused' | 'not recorded') => void;
  },
): () => void {
  const { callRecording } = openRecords(client, call.view.consultationId);
  let asked: string | null = null;
  const look = (): void => {
    const { recording } = call.view;
    const own = recording?.consents.find(({ personId }) => personId === me);
    const isOn = recording !== null && recording.phase !== 'asking';
    const isRecorded = recording?.recorded.some((personId) => personId === me) ?? false;
    page.show(isRecorded ? 'recorded' : isOn ? 'paused' : 'not recorded');
    if (recording === null || own?.state !== 'asked' || asked === recording.recordingId) return;
    asked = recording.recordingId;
    void page
      .ask(recording.startedBy)
      .then((yes) => callRecording.answer(call, yes))
      .catch((error: unknown) => console.warn(error));
  };
  look();
  return call.on('changed', look);
}

/** The doctor dictates a summary, and signs what was dictated. */
export async function dictateSummary(
  client: TeleconsultClient,
  consultationId: string,
  finished: (dictation: Dictation) => Promise<void>,
): Promise<Note> {
  const records = openRecords(client, consultationId);
  // A dictation that a crash of this page has cut off comes first: it is all there.
  await records.load();
  const cutOff = records.dictations.find(({ state }) => state === 'interrupted');
  if (cutOff !== undefined) await cutOff.continue();
  const dictation = cutOff ?? (await records.dictate({ purpose: 'summary' }));
  await finished(dictation);
  const { recordingId } = await dictation.finish();
  const audio = { recordingId, startMs: 0, endMs: null };
  const draft = await records.createNote({ purpose: 'summary', text: '', audio });
  return records.signNote(draft);
}

/** The doctor records a clip for the public, and publishes it. The first line of the text is its title. */
export async function publishClip(
  client: TeleconsultClient,
  text: string,
  finished: (dictation: Dictation) => Promise<void>,
): Promise<Note> {
  const { records } = await openHealthChannel(client);
  const purpose = 'health_channel';
  const dictation = await records.dictate({ purpose });
  await finished(dictation);
  const { recordingId } = await dictation.finish();
  const draft = await records.createNote({ purpose, text, audio: { recordingId, startMs: 0, endMs: null } });
  // From here on it never changes. The host application hears of it by webhook.
  const clip = await records.signNote(draft);
  records.close();
  return clip;
}
