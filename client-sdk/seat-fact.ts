import type { ConsumerOffer, FactPayload, PersonId, QualityLevel } from '@teleconsult/protocol';

/** What the server tells a seat about the others. */
export type SeatFact =
  | { readonly kind: 'consumerAdded'; readonly consumer: ConsumerOffer }
  | { readonly kind: 'consumerRemoved'; readonly consumerId: string }
  | ({ readonly kind: 'consumerPaused' } & Pick<FactPayload<'seat.consumerPaused'>, 'consumerId' | 'paused'>)
  | ({ readonly kind: 'g711Wanted' } & Pick<FactPayload<'seat.g711Wanted'>, 'wanted' | 'codec'>)
  | { readonly kind: 'activeSpeaker'; readonly personId: PersonId | null }
  | { readonly kind: 'qualityChanged'; readonly personId: PersonId; readonly level: QualityLevel }
  | { readonly kind: 'mediaLost' };

/** Those that are about the tracks of one session. */
export type MediaFact = Exclude<SeatFact, { kind: 'activeSpeaker' | 'qualityChanged' }>;
