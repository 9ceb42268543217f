/** A doctor with a health channel on a whole server, and the host application beside them. */
import type { ConsultationId, ConsultationView, Note, NoteId, RecordingId } from '@teleconsult/protocol';
import { RawClient } from '../../helpers/raw-client.ts';
import type { TestApp } from '../../helpers/test-app.ts';
import { hostToken, namedToken } from '../../helpers/test-tokens.ts';
import { tone } from '../uploads/samples.ts';

export interface Clipped {
  readonly recordingId: RecordingId;
  readonly note: Note;
  readonly sound: Buffer;
}

export interface ChannelStage extends AsyncDisposable {
  readonly doctor: RawClient;
  readonly view: ConsultationView;
  readonly id: ConsultationId;
  /** Records, writes and finishes a clip; a draft. */
  draft(name: string, text?: string): Promise<Clipped>;
  publish(clip: Clipped): Promise<Note>;
}

export const doctorToken = (person = 'dr-an'): string => namedToken(person, 'Dr. An', 'doctor');

export const connectDoctor = (app: Pick<TestApp, 'origin'>, person?: string): Promise<RawClient> =>
  RawClient.connect(app.origin, doctorToken(person));

export async function openChannel(app: TestApp): Promise<ChannelStage> {
  const doctor = await connectDoctor(app);
  const { consultation: view } = await doctor.request('healthChannel.open', {});
  const id = view.consultationId;
  return {
    doctor,
    view,
    id,
    draft: async (name, text = 'How to wash your hands\nTwenty seconds.') => {
      const { recordingId, sound } = await dictated(app.origin, doctor, { id, name });
      const { note } = await doctor.request('note.create', {
        consultationId: id,
        clientNoteId: `note-of-${name}`,
        purpose: 'health_channel',
        text,
        audio: { recordingId, startMs: 0, endMs: null },
      });
      return { recordingId, note, sound };
    },
    publish: async ({ note: { noteId, current } }) =>
      (await doctor.request('note.sign', { consultationId: id, noteId, version: current.version })).note,
    [Symbol.asyncDispose]: () => doctor[Symbol.asyncDispose](),
  };
}

/** A finished dictation of two seconds. */
export async function dictated(
  origin: string,
  doctor: RawClient,
  {
    id,
    name,
    token = doctorToken(),
    purpose = 'health_channel',
  }: {
    readonly id: ConsultationId;
    readonly name: string;
    readonly token?: string;
    readonly purpose?: 'health_channel' | 'summary';
  },
): Promise<{ recordingId: RecordingId; sound: Buffer }> {
  const sound = Buffer.from(await tone(2));
  const { recording } = await doctor.request('dictation.begin', {
    consultationId: id,
    clientDictationId: `dictation-${name}`,
    purpose,
    contentType: 'audio/ogg;codecs=opus',
    startedAt: Date.now(),
  });
  const { recordingId } = recording;
  const path = `${origin}/v1/consultations/${id}/dictations/${recordingId}/files/0?offset=0`;
  const headers = { authorization: `Bearer ${token}` };
  const put = await fetch(path, { method: 'PUT', headers, body: new Uint8Array(sound) });
  if (put.status !== 204) throw new Error(`the dictation was answered ${put.status}`);
  const files = [{ byteSize: sound.byteLength, durationMs: 2_000 }];
  await doctor.request('dictation.finish', { consultationId: id, recordingId, files });
  return { recordingId, sound };
}

/** Asks as the host application, or with another token. */
export const clipRequest = (
  origin: string,
  {
    id,
    noteId,
    path = '',
  }: { readonly id: ConsultationId; readonly noteId?: NoteId; readonly path?: string },
  {
    token = hostToken(),
    method = 'GET',
    headers = {},
  }: { readonly token?: string; readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(`${origin}/v1/consultations/${id}/clips${noteId === undefined ? '' : `/${noteId}`}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
