import type { ConsultationView, Note, RecordingView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions, TeleconsultClient } from '../api.ts';
import { insides } from '../insides.ts';
import { persist } from '../requests.ts';
import { openRecords } from './records.ts';
import type { Records } from './records-api.ts';

/** The doctor's own place for clips: where they are recorded, written, and published by signing. */
export interface HealthChannel {
  /** Of kind `health_channel`; it is in no list. */
  readonly consultation: ConsultationView;
  /**
   * What is recorded in it. Dictations and notes have the purpose `health_channel`; `signNote` publishes. `load` it before
   * `clipsOf`, and `close` it when it is not shown any more.
   */
  readonly records: Records;
}

/** A clip: a note of the health channel, and the dictation it holds. */
export interface Clip {
  readonly note: Note;
  /**
   * `draft`: seen by its doctor alone. `published`: handed over to the host application; it never changes. `withdrawn`: the
   * host application took it back; its sound is erased.
   */
  readonly state: 'draft' | 'published' | 'withdrawn';
  /** The first line of what is written beside it; empty: nothing is. */
  readonly title: string;
  /** null: nothing was dictated yet. */
  readonly recording: RecordingView | null;
}

/**
 * Opens this doctor's health channel, which is made when there is none. Waits for a connection. Rejects with `FORBIDDEN`
 * where the token does not vouch for a doctor, or is good for one consultation alone; with `INVALID` where it holds no name,
 * or the client is not the SDK's own; with `DISCONNECTED` where `connect` was not called.
 */
export async function openHealthChannel(
  client: TeleconsultClient,
  options: CallOptions = {},
): Promise<HealthChannel> {
  const shared = insides.get(client);
  if (shared === undefined) throw new AppError('INVALID', { detail: 'client' });
  const { signalling } = shared;
  const ask = () => signalling.request('healthChannel.open', {}, options);
  const { consultation } = await persist(shared, ask, options);
  return { consultation, records: openRecords(client, consultation.consultationId) };
}

/** The clips of a health channel as its records know them now, newest first. */
export function clipsOf({ notes, recordings }: Pick<Records, 'notes' | 'recordings'>): readonly Clip[] {
  return notes
    .filter(({ purpose }) => purpose === 'health_channel')
    .map((note): Clip => {
      const { audio, text } = note.current;
      const recording = recordings.find(({ recordingId }) => recordingId === audio?.recordingId) ?? null;
      return { note, state: stateOf(note, recording), title: titleOf(text), recording };
    })
    .reverse();
}

function stateOf({ state }: Note, recording: RecordingView | null): Clip['state'] {
  if (state === 'draft') return 'draft';
  return recording?.state === 'erased' ? 'withdrawn' : 'published';
}

const titleOf = (text: string): string => text.trimStart().split('\n', 1)[0]?.trim() ?? '';
