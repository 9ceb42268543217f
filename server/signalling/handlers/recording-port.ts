import {
  AppError,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type RequestName,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';

/** Whose device asks, as its token says. */
export interface AskedBy {
  readonly by: PersonId;
  readonly deviceId: DeviceId;
  /** The one consultation that the token is good for; null: all of the person's. */
  readonly onlyConsultation: ConsultationId | null;
}

export type Asked<N extends RequestName> = (
  payload: RequestPayload<N>,
  asked: AskedBy,
) => Promise<RequestResult<N>>;

/**
 * What is asked of recordings that are made, one method a request. To whoever takes no part in the consultation there is
 * none (`NOT_FOUND`); repeating a request changes nothing.
 */
export interface RecordingRequests {
  readonly list: Asked<'recording.list'>;
  readonly link: Asked<'recording.link'>;
  readonly waveform: Asked<'recording.waveform'>;
  readonly compose: Asked<'recording.compose'>;
  readonly delete: Asked<'recording.delete'>;
}

const notConfigured = async (): Promise<never> => {
  throw new AppError('NOT_CONFIGURED', { detail: 'this server keeps no recordings' });
};

/** For a server without them. */
export const noRecordings: RecordingRequests = {
  list: notConfigured,
  link: notConfigured,
  waveform: notConfigured,
  compose: notConfigured,
  delete: notConfigured,
};
