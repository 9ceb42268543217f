import {
  AttachmentId,
  CallId,
  CheckId,
  ClientMessageId,
  ConsultationId,
  FileId,
  FollowUpId,
  InvitationCode,
  InvitationId,
  NoteId,
  PersonId,
  PhoneBindingId,
  RecordingId,
  type RequestInput,
  type RequestName,
  requestNames,
} from '@teleconsult/protocol';

/** An id of the right shape that the server has never given out. */
export const unknownIds = {
  consultationId: ConsultationId.parse(`cns_${'z'.repeat(22)}`),
  callId: CallId.parse(`cal_${'z'.repeat(22)}`),
  attachmentId: AttachmentId.parse(`att_${'z'.repeat(22)}`),
  invitationId: InvitationId.parse(`inv_${'z'.repeat(22)}`),
  checkId: CheckId.parse(`chk_${'z'.repeat(22)}`),
  /** Of the call. */
  callRecordingId: RecordingId.parse(`rec_${'z'.repeat(22)}`),
  /** Of a dictation that the doctor has begun, with its file. */
  recordingId: RecordingId.parse(`rec_${'y'.repeat(22)}`),
  fileId: FileId.parse(`fil_${'z'.repeat(22)}`),
  noteId: NoteId.parse(`not_${'z'.repeat(22)}`),
  followUpId: FollowUpId.parse(`fup_${'z'.repeat(22)}`),
  /** Whom requests about another person name. */
  personId: PersonId.parse('no-such-person'),
  /** Of a message, as the path of a route has it. */
  sequence: '1',
  transportId: 'no-such-transport',
  producerId: 'no-such-producer',
  consumerId: 'no-such-consumer',
};

/** What a request can point at. */
export type Targets = typeof unknownIds;

export type ValidPayloads = { readonly [N in RequestName]: RequestInput<N> };

const dtlsParameters = {
  role: 'client' as const,
  fingerprints: [{ algorithm: 'sha-256' as const, value: Array(32).fill('AB').join(':') }],
};

export const rtpCapabilities = {
  codecs: [
    {
      kind: 'audio' as const,
      mimeType: 'audio/opus',
      preferredPayloadType: 100,
      clockRate: 48_000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [],
};

export const microphoneParameters = {
  mid: '0',
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1111 }],
  rtcp: { cname: 'device' },
};

/** A payload of the documented shape for every request: one that is added to the protocol is missing here first. */
export const validPayloads = (targets: Targets = unknownIds): ValidPayloads => {
  const { consultationId, callId, consumerId, personId, checkId, invitationId } = targets;
  const { recordingId, fileId, noteId, followUpId } = targets;
  const call = { consultationId, callId };
  const recordingOfCall = { ...call, recordingId: targets.callRecordingId };
  const recording = { consultationId, recordingId };
  const written = { text: 'a text', audio: null };
  const inAWeek = Date.now() + 7 * 24 * 3_600_000;
  const sequence = Number(targets.sequence);
  const code = InvitationCode.parse('z'.repeat(32));
  return {
    'session.ping': {},
    'preferences.get': {},
    'preferences.set': { readReceipts: true, push: { calls: true } },
    'push.key': {},
    'push.subscribe': {
      subscription: {
        endpoint: 'https://push.example.org/one',
        expirationTime: null,
        keys: { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) },
      },
    },
    'push.unsubscribe': {},
    'invitation.create': { purpose: 'participant', consultationId, role: 'relative', validForMs: 60_000 },
    'invitation.preview': { code },
    'invitation.redeem': { code },
    'invitation.revoke': { invitationId },
    'nearby.show': { latitude: 31.23, longitude: 121.47, consent: true },
    'nearby.hide': {},
    'nearby.list': {},
    'colleague.request': { personId },
    'healthChannel.open': {},
    'consultation.list': { limit: 10 },
    'consultation.watch': { consultationId, afterSequence: 0, limit: 10 },
    'consultation.unwatch': { consultationId },
    'consultation.enter': { consultationId },
    'consultation.accept': { consultationId },
    'consultation.decline': { consultationId, reason: 'no_time', note: 'a note' },
    'consultation.cancel': { consultationId },
    'consultation.end': { consultationId, note: 'a note' },
    'consultation.setSubject': {
      consultationId,
      subject: {
        displayName: '王小花',
        relationship: 'child',
        birthYear: 2020,
        authorisation: { basis: 'guardian', reference: 'file 1' },
      },
    },
    'participant.leave': { consultationId },
    'participant.remove': { consultationId, personId },
    'message.send': {
      consultationId,
      clientMessageId: ClientMessageId.parse('valid-payload-0001'),
      content: { type: 'text', text: 'a text' },
    },
    'message.recall': { consultationId, sequence },
    'message.transcribe': { consultationId, sequence, language: 'zh' },
    'thread.mark': { consultationId, delivered: 1, read: 1 },
    'thread.search': { consultationId, query: 'a text', limit: 10 },
    'typing.set': { consultationId, activity: 'typing' },
    'thread.page': { consultationId, afterSequence: 0, limit: 10 },
    'call.start': { consultationId, media: 'video' },
    'call.accept': call,
    'call.decline': call,
    'call.hangUp': call,
    'call.setMedia': { ...call, media: 'voice' },
    'call.leave': call,
    'call.invite': { ...call, personId },
    // Whoever tries it may have joined before, with a ticket that is nobody else's to know.
    'seat.join': { ...call, rtpCapabilities, takeOver: true },
    'seat.connectTransport': { ...call, direction: 'send', dtlsParameters },
    'seat.setCapabilities': { ...call, rtpCapabilities },
    'seat.produce': { ...call, source: 'microphone', kind: 'audio', rtpParameters: microphoneParameters },
    'seat.setSource': { ...call, source: 'microphone', on: true },
    'seat.resumeConsumer': { ...call, consumerId },
    'seat.restartIce': { ...call, direction: 'receive' },
    'seat.pauseConsumer': { ...call, consumerId },
    'seat.setLayers': { ...call, consumerId, spatialLayer: 0 },
    'seat.setView': { ...call, view: 'floating' },
    'seat.mute': { ...call, personId },
    'seat.setInterrupted': { ...call, interrupted: true },
    'seat.reportQuality': {
      ...call,
      report: {
        level: 'good',
        rttMs: 40,
        jitterMs: 5,
        lossPercent: 0.5,
        sendKbps: 500,
        receiveKbps: 500,
        networkType: 'wifi',
        path: 'udp',
      },
    },
    'recording.start': call,
    'recording.answer': { ...recordingOfCall, granted: true },
    'recording.pause': recordingOfCall,
    'recording.resume': recordingOfCall,
    'recording.stop': recordingOfCall,
    'recording.list': { consultationId },
    'recording.link': { ...recording, fileId, right: 'play' },
    'recording.waveform': { ...recording, fileId },
    'recording.compose': recording,
    'recording.delete': recording,
    'dictation.begin': {
      consultationId,
      clientDictationId: 'dictation-0001',
      purpose: 'summary',
      contentType: 'audio/webm;codecs=opus',
      startedAt: 1_790_000_000_000,
    },
    'dictation.finish': { ...recording, files: [{ byteSize: 1, durationMs: 1 }] },
    'note.list': { consultationId },
    'note.history': { consultationId, noteId },
    'note.create': { consultationId, clientNoteId: 'note-0000001', purpose: 'summary', ...written },
    'note.save': { consultationId, noteId, from: 1, ...written },
    'note.sign': { consultationId, noteId, version: 1 },
    'note.add': { consultationId, noteId, clientNoteId: 'addition-0001', ...written },
    'note.discard': { consultationId, noteId },
    'followUp.list': { consultationId },
    'followUp.plan': { consultationId, clientFollowUpId: 'follow-up-0001', dueAt: inAWeek, reason: 'a text' },
    'followUp.change': { consultationId, followUpId, dueAt: inAWeek, reason: 'a text' },
    'followUp.cancel': { consultationId, followUpId },
    'followUp.begin': { consultationId, followUpId },
    'followUp.complete': { consultationId, followUpId, outcome: 'reached', noteId },
    'contact.set': { consultationId, refused: true },
    'phone.get': { consultationId },
    'phone.bind': { consultationId, clientBindingId: 'binding-0001', direction: 'both', recorded: false },
    'phone.unbind': { consultationId, bindingId: PhoneBindingId.parse(`pbd_${'0'.repeat(22)}`) },
    'phone.setRefused': { consultationId, refused: false },
    'phone.join': { ...call, personId },
    'check.open': {},
    'check.connectTransport': { checkId, direction: 'send', dtlsParameters },
    'check.produce': { checkId, source: 'microphone', kind: 'audio', rtpParameters: microphoneParameters },
    'check.consume': { checkId, rtpCapabilities },
    'check.close': { checkId },
  };
};

const POINTERS = ['consultationId', 'invitationId', 'checkId'];

/** Requests that point at something that is somebody's; the others concern the caller alone, or a code. */
export const pointingRequests: readonly RequestName[] = requestNames.filter((name) =>
  POINTERS.some((pointer) => pointer in validPayloads()[name]),
);
