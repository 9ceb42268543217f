import type { ConsultationId, FactPayload } from '@teleconsult/protocol';
import type { ClientEvents } from './api.ts';
import type { FollowedConsultation } from './consultation.ts';
import type { Emitter } from './events.ts';
import type { RecordFacts } from './insides.ts';
import type { FactHandlers } from './link.ts';
import type { SeatFact } from './seat-fact.ts';

export interface FactRoutesOptions {
  /** The consultation, if it is followed. */
  readonly at: (consultationId: ConsultationId) => FollowedConsultation | undefined;
  readonly events: Emitter<ClientEvents>;
  readonly records: Emitter<RecordFacts>;
  readonly onCall: FactHandlers['call.changed'];
}

/** Where each fact goes: to the consultation it is about, and to the app where it wants to hear of all of them. */
export function factRoutes({ at, events, records, onCall }: FactRoutesOptions): FactHandlers {
  const tell = ({ consultationId, callId }: FactPayload<'seat.moved'>, fact: SeatFact): void =>
    at(consultationId)?.calls.handleSeatFact(callId, fact);
  return {
    'entry.added': (entry) => at(entry.consultationId)?.handleEntry(entry),
    'consultation.changed': (view) => {
      at(view.consultationId)?.handleChanged(view);
      events.emit('consultation', view);
    },
    'consultation.left': ({ consultationId }) => {
      const followed = at(consultationId);
      // It tells the client itself, once.
      if (followed === undefined) events.emit('left', { consultationId });
      else followed.handleLeft();
    },
    'queue.changed': (place) => {
      at(place.consultationId)?.people.handleQueue(place);
      events.emit('queue', place);
    },
    'marks.changed': ({ consultationId, ...marks }) => at(consultationId)?.markKeeper.handleMarks(marks),
    'unread.changed': (unread) => {
      const followed = at(unread.consultationId);
      // It tells the client of what is new to it.
      if (followed === undefined) events.emit('unread', unread);
      else followed.markKeeper.handleUnread(unread);
    },
    'typing.changed': ({ consultationId, personId, activity }) =>
      at(consultationId)?.people.typing.handle(personId, activity),
    'presence.changed': ({ consultationId, personId, online }) =>
      at(consultationId)?.people.handlePresence(personId, online),
    'preferences.changed': (preferences) => events.emit('preferences', preferences),
    'call.changed': (view) => {
      at(view.consultationId)?.calls.apply(view);
      onCall(view);
    },
    'recording.changed': (fact) => records.emit('recording.changed', fact),
    'note.changed': (fact) => records.emit('note.changed', fact),
    'followUps.changed': (fact) => records.emit('followUps.changed', fact),
    'phone.changed': (fact) => records.emit('phone.changed', fact),
    'seat.consumerAdded': (fact) => tell(fact, { kind: 'consumerAdded', ...fact }),
    'seat.consumerRemoved': (fact) => tell(fact, { kind: 'consumerRemoved', ...fact }),
    'seat.consumerPaused': (fact) => tell(fact, { kind: 'consumerPaused', ...fact }),
    'seat.g711Wanted': (fact) => tell(fact, { kind: 'g711Wanted', ...fact }),
    'call.activeSpeaker': (fact) => tell(fact, { kind: 'activeSpeaker', ...fact }),
    'seat.qualityChanged': (fact) => tell(fact, { kind: 'qualityChanged', ...fact }),
    'seat.mediaLost': (fact) => tell(fact, { kind: 'mediaLost' }),
    'seat.moved': ({ consultationId, callId }) => at(consultationId)?.calls.handleSeatMoved(callId),
  };
}
