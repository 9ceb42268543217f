/** Who may what: one row for each request and each route. What is added to the protocol is missing here first. */
import type { RequestName, RouteName } from '@teleconsult/protocol';

/** Who takes part in the visit. */
export const PARTICIPANTS = ['patient', 'doctor', 'colleague', 'relative', 'interpreter'] as const;
/** Who does not: somebody else, a guest who was taken out, and the patient with a token for another consultation. */
export const OUTSIDERS = ['stranger', 'removed', 'elsewhere'] as const;
export type Role = (typeof PARTICIPANTS)[number] | (typeof OUTSIDERS)[number];

/** `yes`: it may be refused for what it asks (a state, a value), but not for who asks. */
export type Right = 'yes' | 'FORBIDDEN' | 'NOT_FOUND';
export type Row = Readonly<Record<Role, Right>>;

type Participating = (typeof PARTICIPANTS)[number];

const row = (of: (role: Role) => Right): Row => ({
  patient: of('patient'),
  doctor: of('doctor'),
  colleague: of('colleague'),
  relative: of('relative'),
  interpreter: of('interpreter'),
  stranger: of('stranger'),
  removed: of('removed'),
  elsewhere: of('elsewhere'),
});

const isOutside = (role: Role): boolean => (OUTSIDERS as readonly Role[]).includes(role);

/** About the visit: for these, and for nobody who takes no part. */
const within = (...roles: Participating[]): Row =>
  row((role) => {
    if (isOutside(role)) return 'NOT_FOUND';
    return (roles as readonly Role[]).includes(role) ? 'yes' : 'FORBIDDEN';
  });
const everybodyWithin = within(...PARTICIPANTS);
const guests = within('colleague', 'relative', 'interpreter');

/** About the caller alone: for everybody, whatever the token reaches. */
const anybody = row(() => 'yes');
/** About the person, whom a token for one consultation does not stand for. */
const wholePerson = row((role) => (role === 'elsewhere' ? 'FORBIDDEN' : 'yes'));
/** For whom the token vouches as a doctor. */
const doctors = row((role) => (role === 'doctor' || role === 'colleague' ? 'yes' : 'FORBIDDEN'));
/** About what the doctor has begun and shown to nobody: to the others in the visit it is not there. */
const author = row((role) => (role === 'doctor' ? 'yes' : 'NOT_FOUND'));
/** Belongs to the doctor's device alone. */
const ownCheck = row((role) => (role === 'doctor' ? 'yes' : 'NOT_FOUND'));

export const requestRights: Readonly<Record<RequestName, Row>> = {
  'session.ping': anybody,
  'preferences.get': anybody,
  'preferences.set': wholePerson,
  'push.key': anybody,
  'push.subscribe': wholePerson,
  'push.unsubscribe': wholePerson,
  'healthChannel.open': doctors,
  'consultation.list': anybody,
  'consultation.watch': everybodyWithin,
  'consultation.unwatch': everybodyWithin,
  'consultation.enter': within('patient'),
  'consultation.accept': within('doctor'),
  'consultation.decline': within('doctor'),
  'consultation.cancel': within('patient'),
  'consultation.end': within('doctor'),
  'consultation.setSubject': within('patient'),
  'participant.leave': guests,
  'participant.remove': within('doctor'),
  // Of a relative.
  'invitation.create': within('patient', 'doctor'),
  'invitation.preview': wholePerson,
  // The patient made it.
  'invitation.redeem': { ...wholePerson, patient: 'FORBIDDEN' },
  'invitation.revoke': row((role) => {
    if (role === 'elsewhere') return 'FORBIDDEN';
    return role === 'patient' ? 'yes' : 'NOT_FOUND';
  }),
  'nearby.show': doctors,
  'nearby.hide': wholePerson,
  'nearby.list': doctors,
  'colleague.request': doctors,
  'message.send': everybodyWithin,
  // Of a message of the patient's.
  'message.recall': within('patient'),
  'message.transcribe': everybodyWithin,
  'thread.mark': everybodyWithin,
  'thread.search': everybodyWithin,
  'typing.set': everybodyWithin,
  'thread.page': everybodyWithin,
  'call.start': everybodyWithin,
  'call.accept': everybodyWithin,
  'call.decline': everybodyWithin,
  // With more than two in it: the caller, who is the doctor here, and the doctor. The others leave.
  'call.hangUp': within('doctor'),
  'call.leave': everybodyWithin,
  'call.invite': everybodyWithin,
  'call.setMedia': everybodyWithin,
  'seat.join': everybodyWithin,
  'seat.connectTransport': everybodyWithin,
  'seat.setCapabilities': everybodyWithin,
  'seat.produce': everybodyWithin,
  'seat.setSource': everybodyWithin,
  'seat.resumeConsumer': everybodyWithin,
  'seat.pauseConsumer': everybodyWithin,
  'seat.setLayers': everybodyWithin,
  'seat.setView': everybodyWithin,
  'seat.mute': within('doctor'),
  'seat.setInterrupted': everybodyWithin,
  'seat.reportQuality': everybodyWithin,
  'recording.start': within('doctor'),
  'recording.answer': everybodyWithin,
  'recording.pause': within('doctor'),
  'recording.resume': within('doctor'),
  'recording.stop': within('doctor'),
  // Those that a person may not know of are not in the list.
  'recording.list': everybodyWithin,
  // Of a dictation that no signed note holds.
  'recording.link': author,
  'recording.waveform': author,
  'recording.compose': author,
  'recording.delete': author,
  'dictation.begin': within('doctor'),
  'dictation.finish': author,
  // Drafts of others are not in the list.
  'note.list': everybodyWithin,
  // Of a draft, which is its author’s alone; that there is none to discard is no secret.
  'note.history': author,
  'note.create': within('doctor'),
  'note.save': author,
  'note.sign': author,
  'note.add': author,
  'note.discard': within('doctor'),
  'followUp.list': everybodyWithin,
  'followUp.plan': within('doctor'),
  'followUp.change': within('doctor'),
  'followUp.cancel': within('doctor'),
  'followUp.begin': within('doctor'),
  'followUp.complete': within('doctor'),
  'contact.set': within('patient'),
  'phone.get': within('patient', 'doctor'),
  'phone.bind': within('patient', 'doctor'),
  'phone.unbind': within('patient', 'doctor'),
  'phone.setRefused': within('patient', 'doctor'),
  'phone.join': within('patient', 'doctor'),
  'check.open': anybody,
  'check.connectTransport': ownCheck,
  'check.produce': ownCheck,
  'check.consume': ownCheck,
  'check.close': ownCheck,
  'seat.restartIce': everybodyWithin,
};

/** Requests after which somebody, a track, a record, the call or the visit is gone or changed: each is tried in a visit of its own. */
export const ENDING: readonly RequestName[] = [
  'consultation.end',
  'participant.leave',
  'participant.remove',
  'invitation.redeem',
  'invitation.revoke',
  'message.recall',
  'call.hangUp',
  'call.leave',
  'seat.join',
  'seat.setCapabilities',
  'seat.produce',
  'check.open',
  'check.close',
  'recording.stop',
  'recording.delete',
  'note.sign',
  'note.discard',
];

/** The host application may everything there is for it. */
const hostAlone = row(() => 'FORBIDDEN');

export const routeRights: Readonly<Record<RouteName, Row>> = {
  createConsultation: hostAlone,
  getConsultation: everybodyWithin,
  getThread: everybodyWithin,
  endConsultation: hostAlone,
  addParticipant: hostAlone,
  removeParticipant: hostAlone,
  removeMessage: hostAlone,
  listRecordings: hostAlone,
  deleteRecording: hostAlone,
  setPhoneNumber: hostAlone,
  removePhoneNumber: hostAlone,
  getPhoneBoard: hostAlone,
  listClips: hostAlone,
  getClip: hostAlone,
  getClipFile: hostAlone,
  withdrawClip: hostAlone,
  getAttachment: everybodyWithin,
  getAttachmentContent: everybodyWithin,
};
