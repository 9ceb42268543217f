import type {
  PhoneCallEndReason,
  PhoneNotRecordedReason,
  PhoneUnboundReason,
} from '@teleconsult/client-sdk/phone';

/** Masked phone calls. Fetched when there is one of them to speak of. */
export const phone = {
  /** The lines of the conversation. */
  line: {
    bound: (name: string) => `${name} asked for a phone number for this visit.`,
    youBound: 'You asked for a phone number for this visit.',
    boundByRule: 'This visit has a phone number.',
    unbound: {
      consultation_ended: 'The phone number of this visit ended with it.',
      expired: 'The time of the phone number of this visit is over.',
      released: 'The phone number of this visit was given back.',
      refused: 'The phone number of this visit was given back, because phone calls are not wanted.',
      failed: 'There is no phone number for this visit: it could not be had, or not be kept.',
    } satisfies Record<PhoneUnboundReason, string>,
    started: (name: string) => `${name} phoned.`,
    youStarted: 'You phoned.',
    /** Said aloud while it rings. */
    startedNow: (name: string) => `${name} is phoning.`,
    answered: 'The phone call was answered.',
    ended: {
      completed: (name: string, duration: string) => `Phone call from ${name}: ${duration}`,
      cancelled: (name: string) => `${name} phoned and hung up before anybody answered`,
      busy: (name: string) => `${name} phoned: the line was busy`,
      no_answer: (name: string) => `${name} phoned: nobody answered`,
      declined: (name: string) => `${name} phoned: the call was declined`,
      failed: (name: string) => `${name} phoned: the call could not be connected`,
      unbound: (name: string, duration: string) => `Phone call from ${name}: ${duration}. The number ended`,
      time_over: (name: string, duration: string) =>
        `Phone call from ${name}: ${duration}. The time was over`,
      lost: (name: string, duration: string) =>
        `Phone call from ${name}: ${duration}. The connection was lost`,
    } satisfies Record<PhoneCallEndReason, (name: string, duration: string) => string>,
    youEnded: {
      completed: (duration: string) => `Your phone call: ${duration}`,
      cancelled: () => 'You phoned and hung up before anybody answered',
      busy: () => 'You phoned: the line was busy',
      no_answer: () => 'You phoned: nobody answered',
      declined: () => 'You phoned: the call was declined',
      failed: () => 'You phoned: the call could not be connected',
      unbound: (duration: string) => `Your phone call: ${duration}. The number ended`,
      time_over: (duration: string) => `Your phone call: ${duration}. The time was over`,
      lost: (duration: string) => `Your phone call: ${duration}. The connection was lost`,
    } satisfies Record<PhoneCallEndReason, (duration: string) => string>,
    /** After the end of a call that was to be recorded. */
    notRecorded: {
      not_told: (ended: string) => `${ended}. It was not recorded: one of the two did not hear the notice`,
      no_tape: (ended: string) => `${ended}. It was not recorded: the server could not keep a recording`,
      tape_failed: (ended: string) =>
        `${ended}. The recording broke off before the end; what there was until then is kept`,
    } satisfies Record<PhoneNotRecordedReason, (ended: string) => string>,
    /** Who called is not known here. */
    someone: 'Somebody',
    refused: (name: string) => `${name} does not want to be phoned.`,
    youRefused: 'You do not want to be phoned.',
    allowed: (name: string) => `${name} can be phoned again.`,
    youAllowed: 'You can be phoned again.',
    open: 'Show the number',
  },
  title: 'Call by phone, number hidden',
  explanation: (name: string) =>
    `You call a number of the clinic, which connects you with ${name}. Neither of you sees the other’s own number.`,
  unavailable: 'Masked phone calls are not offered here.',
  failed: 'The phone number could not be loaded.',
  get: 'Get a number',
  getting: 'A number is being set up…',
  givingBack: 'The number is being given back…',
  /** Also where the provider is down: it is asked again until it answers. */
  slow: 'This takes longer than usual. The telephone service is asked again by itself; you may close this window meanwhile.',
  stopGetting: 'Do not wait for it',
  ready: (number: string) => `The phone number of this visit is ${number}.`,
  ofOthers: (one: string, two: string) => `The phone number of this visit connects ${one} and ${two}.`,
  notYet: 'You can get a number as soon as the visit has begun.',
  over: 'The visit has ended, and phone numbers end with it. Ask the clinic if you still have to talk.',
  ownNumberMissing: 'The clinic does not know your phone number. Ask the clinic to add it.',
  otherNumberMissing: (name: string) => `The clinic does not know a phone number of ${name}.`,
  otherRefused: (name: string, since: string) => `${name} does not want to be phoned (since ${since}).`,
  unbound: {
    consultation_ended: 'The number ended with the visit.',
    expired: 'The time of the number is over.',
    released: 'The number was given back.',
    refused: 'The number was given back, because phone calls are not wanted.',
    failed: 'There is no number: it could not be had, or not be kept. Try again in a few minutes.',
  } satisfies Record<PhoneUnboundReason, string>,
  number: 'Phone number of this visit',
  call: 'Call',
  save: 'Save to contacts',
  saveOld: 'Save for an older phone',
  validUntil: (when: string) => `Valid until ${when}, and no longer than the visit.`,
  giveBack: 'Give back',
  giveBackTitle: 'Give the number back?',
  giveBackText: 'A phone call through it ends. Who has saved the number cannot call it any more.',
  keep: 'Keep it',
  onlyOtherCalls: (name: string) => `Only ${name} can call: you will be called from this number.`,
  onlyYouCall: (name: string) => `Only you can call: ${name} cannot call you at this number.`,
  callFrom:
    'Call from the phone whose number the clinic has, and do not hide it: other phones are not connected.',
  record: 'Record calls through it',
  recordHint: 'Both of you hear so before you are connected.',
  recorded: 'Calls through this number are recorded. Both of you hear so before you are connected.',
  notRecorded: 'Calls through this number are not recorded.',
  oneWay: 'Only I call',
  oneWayHint: (name: string) => `${name} cannot call you at this number.`,
  calling: {
    ownRinging: (name: string) => `You are phoning ${name}. It rings…`,
    otherRinging: (name: string) => `${name} is phoning you.`,
    talking: (name: string) => `On the phone with ${name}`,
    recorded: 'recorded',
    notRecorded: 'not being recorded',
  },
  refuse: 'Do not phone me',
  refuseHint:
    'A number is given back at once, and nobody can get one for this visit. The other side sees it.',
  refusedNow: 'You are not phoned in this visit.',
  allowedNow: 'You can be phoned in this visit.',
  errors: {
    refused: 'One of you does not want to be phoned.',
    wrongState: 'This does not work with the phone numbers that the clinic has of you. Ask the clinic.',
    notRecorded:
      'Phone calls cannot be recorded here. Get a number without recording; if there is none either, ask the clinic.',
    noNumber: 'All numbers are in use at the moment. Try again in a few minutes.',
    tooMany: 'This visit had too many numbers today. Write a message instead.',
  },
};
