export type {
  PhoneBindingView,
  PhoneBoard,
  PhoneCallEndReason,
  PhoneCallView,
  PhoneDirection,
  PhoneNotRecordedReason,
  PhoneRecordingMode,
  PhoneUnboundReason,
} from '@teleconsult/protocol';
export type { CardLanguage, CardVersion, ContactCard, ContactCardOptions } from './contact-card.ts';
export { openPhone } from './phone.ts';
export type { OpenPhone, Phone, PhoneEvents, PhoneWish } from './phone-api.ts';
export type { PhoneNews } from './phone-news.ts';
export { telLink } from './tel-link.ts';
