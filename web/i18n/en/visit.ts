import type { DeclineReason } from '@teleconsult/protocol';
import { plural } from '../shape.ts';

export const visit = {
  waiting: {
    title: (doctor: string) => `Waiting for ${doctor}`,
    entering: 'Entering the waiting room…',
    text: 'You are in the waiting room. Stay on this page: the doctor will come to you here.',
    meanwhile: 'You can already write, send pictures or record a voice message below.',
    since: (when: string) => `Waiting since ${when}`,
    place: (position: number) =>
      position === 1 ? 'You are next.' : `You are number ${position} in the queue.`,
    estimate: (minutes: number) =>
      minutes <= 1 ? 'It should be your turn any moment.' : `About ${plural(minutes, 'minute', 'minutes')}.`,
    noEstimate: 'How long it takes is not known yet.',
    doctorOnline: (name: string) => `${name} is online`,
    doctorOffline: (name: string) => `${name} is not online right now`,
    cancel: 'Cancel the visit',
    cancelTitle: 'Cancel this visit?',
    cancelText: 'You lose your place in the waiting room. The doctor is told that you cancelled.',
    cancelConfirm: 'Cancel visit',
    cancelBack: 'Keep waiting',
  },
  doctor: {
    consultations: 'Consultations',
    empty: 'No consultations yet',
    emptyHint: 'New requests appear here by themselves.',
    choose: 'Choose a consultation',
    chooseHint: 'Open one from the list to read the thread, accept it or call the patient.',
    more: 'Show older consultations',
    backToList: 'Back to the list',
    waitingFor: (patient: string) => `${patient} is in the waiting room`,
    requestedBy: (patient: string) => `${patient} has not entered the waiting room yet`,
    canRead: 'You can read and answer before you accept.',
    accept: 'Accept',
    decline: 'Decline',
    declineTitle: 'Decline this consultation?',
    declineText: 'The patient is told the reason and what to do, with your note if you write one.',
    declineReason: 'Reason',
    colleagueDeclineTitle: 'Decline this conversation?',
    colleagueDeclineText: 'Your colleague is told, with your note if you write one.',
    position: (position: number) => `No. ${position}`,
    positionLabel: (position: number) => `Number ${position} in the queue`,
    unread: (count: number) => plural(count, 'unread message', 'unread messages'),
    end: 'End',
    endTitle: 'End this consultation?',
    endText: 'A running call ends too, and nothing more can be written afterwards.',
    endConfirm: 'End consultation',
    keepGoing: 'Go on',
    note: 'Note to the patient (optional)',
    waitingCount: (count: number) => plural(count, 'patient waiting', 'patients waiting'),
    returnToCall: 'Return to the call',
  },
  /** Why a doctor declined: the word for the doctor who chooses, and what the patient reads. */
  decline: {
    reasons: {
      other_department: 'Another department',
      see_a_doctor_in_person: 'Must be seen in person',
      emergency: 'Emergency',
      more_information_needed: 'More information needed',
      no_time: 'No time now',
      other: 'Another reason',
    } satisfies Record<DeclineReason, string>,
    advice: {
      other_department: 'Your question belongs to another department. Make an appointment there.',
      see_a_doctor_in_person:
        'This has to be looked at in person. Please go to a clinic or a doctor near you.',
      emergency:
        'This may be an emergency. Call your local emergency number now (120 in China, 112 in Europe) or go to the nearest emergency department.',
      more_information_needed:
        'The doctor needs to know more. Start again and describe your complaint more closely, with pictures or reports.',
      no_time: 'The doctor has no time right now. Please try again later or choose another doctor.',
      other: 'Please ask your clinic what to do next.',
    } satisfies Record<DeclineReason, string>,
  },
};
