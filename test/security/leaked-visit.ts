import { ClientMessageId, PersonId } from '@teleconsult/protocol';
import type { Transcriber } from '@teleconsult/server/speech/transcriber';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, type TestApp } from '../helpers/test-app.ts';
import { namedToken, personToken } from '../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, textDraft, type Visit } from '../helpers/visit.ts';
import { startRecords } from './record-targets.ts';
import { uploadText } from './tus-upload.ts';
import { microphoneParameters, rtpCapabilities, type Targets } from './valid-payloads.ts';

/** A server without speech recognition says so to everybody; with it there is something to leak. */
export const hearing: { transcriber: Transcriber } = {
  transcriber: { transcribe: async () => 'words', close: async () => undefined },
};

export interface LeakedVisit extends AsyncDisposable {
  readonly visit: Visit;
  /** Every id there is in it, as if somebody had read them over a shoulder. */
  readonly targets: Targets;
  /** Does one of each thing that the others are told of. */
  goOn(): Promise<void>;
}

/** A visit with a call in which the doctor is heard, and a file in the thread. */
export async function startLeakedVisit(app: TestApp): Promise<LeakedVisit> {
  await using stack = new AsyncDisposableStack();
  const visit = stack.use(await startVisit(app));
  const { id: consultationId, patient, doctor } = visit;
  const personId = PersonId.parse(peopleOf(visit.view).patient);
  const token = personToken(personId);
  const attachmentId = await uploadText(app.origin, {
    token,
    consultationId,
    text: 'a finding',
    fileName: 'finding.txt',
  });
  await eventually('the attachment to be ready', async () => {
    const response = await fetch(
      `${app.origin}/v1/consultations/${consultationId}/attachments/${attachmentId}`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );
    return ((await response.json()) as { status: string }).status === 'ready';
  });
  const callId = await startCall(visit);
  const call = { consultationId, callId };
  const { receive } = await joinSeat(patient, { ...call, rtpCapabilities });
  const { producerId } = await doctor.request('seat.produce', {
    ...call,
    source: 'microphone',
    kind: 'audio',
    rtpParameters: microphoneParameters,
  });
  const { consumer } = await patient.fact('seat.consumerAdded');
  await using inviter = await RawClient.connect(app.origin, namedToken(personId, 'Patient'));
  const { invitationId } = await inviter.request('invitation.create', {
    purpose: 'participant',
    consultationId,
    role: 'relative',
  });
  const { sequence } = await patient.request('message.send', {
    consultationId,
    clientMessageId: ClientMessageId.parse('message-that-leaked'),
    content: textDraft('a text'),
  });
  const { checkId } = await doctor.request('check.open', {});
  const doctorToken = personToken(peopleOf(visit.view).doctor);
  const records = await startRecords(app.origin, { client: doctor, token: doctorToken }, call);
  const targets: Targets = {
    ...call,
    ...records,
    invitationId,
    checkId,
    personId,
    sequence: String(sequence),
    attachmentId,
    transportId: receive.transportId,
    producerId,
    consumerId: consumer.consumerId,
  };
  const owned = stack.move();
  return {
    visit,
    targets,
    async goOn() {
      const clientMessageId = ClientMessageId.parse('message-going-on');
      const content = textDraft('it goes on');
      await patient.request('message.send', { consultationId, clientMessageId, content });
      await doctor.request('seat.setSource', { ...call, source: 'microphone', on: false });
      await doctor.request('call.setMedia', { ...call, media: 'voice' });
      const { callRecordingId: recordingId, followUpId } = records;
      await patient.request('recording.answer', { ...call, recordingId, granted: true });
      await doctor.request('followUp.cancel', { consultationId, followUpId });
      await doctor.request('call.hangUp', call);
      await doctor.request('consultation.end', { consultationId });
      await patient.fact('consultation.changed', ({ phase }) => phase === 'ended');
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
