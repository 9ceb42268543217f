/**
 * Masked phone calls of one visit: doctor and patient phone each other through a relay number, and neither sees the
 * other's. A module of its own (`@teleconsult/client-sdk/phone`), so that pages that do not need it do not load it.
 */
import type { ConsultationId, PhoneBindingView, PhoneBoard, PhoneDirection } from '@teleconsult/protocol';
import type { CallOptions, Subscribe, TeleconsultClient } from '../api.ts';
import type { ContactCard, ContactCardOptions } from './contact-card.ts';
import type { PhoneNews } from './phone-news.ts';

/** `signal` closes it, as `close()` does. */
export type OpenPhone = (
  client: TeleconsultClient,
  consultationId: string,
  options?: { readonly signal?: AbortSignal },
) => Phone;

export interface PhoneEvents {
  /** Anything of the board changed. */
  board: PhoneBoard;
  /** What changed, one by one, after `board`. Not told of what the first `load` finds: that is how it is, not news. */
  news: PhoneNews;
}

export interface PhoneWish {
  /** Who may call whom; both, unless said. */
  readonly direction?: PhoneDirection;
  /** Calls through it are recorded. Both hear so before they are connected. */
  readonly recorded?: boolean;
}

/** Of one visit, for its patient and its doctor. It keeps itself up to date from the first `load` on. */
export interface Phone {
  readonly consultationId: ConsultationId;
  /** As of the last `load` or event; before, and for whoever may not see it, nothing is `available`. */
  readonly board: PhoneBoard;
  readonly on: Subscribe<PhoneEvents>;
  load(options?: CallOptions): Promise<void>;

  /**
   * Asks for a relay number, or answers the one there is. Its `number` is null while the provider is asked; `board` tells
   * it. Waits out a lost connection; asked again after an answer was lost, it is the same number. Rejects with
   * `FORBIDDEN` while one of the two refuses phone calls, `WRONG_STATE` where a number is not known, the visit does not run
   * or nothing is recorded here, `OVERLOADED` while no relay number is free, `RATE_LIMITED` after too many.
   */
  bind(wish?: PhoneWish, options?: CallOptions): Promise<PhoneBindingView>;
  /** Gives the number back; a call through it ends. Asked until the server has heard it; again changes nothing. */
  unbind(bindingId: string, options?: CallOptions): Promise<PhoneBoard>;
  /**
   * “Do not phone me” (true) is asked until the server has heard it, and ends number and call. “Phone me again” (false) is
   * asked once: nobody is to be phoned because of a press that was long given up.
   */
  setRefused(refused: boolean, options?: CallOptions): Promise<PhoneBoard>;
  /**
   * Rings the telephone of a participant for a running call in which this device is: somebody else's who is not in it, or
   * one's own to leave the device for it. Asked once, as nobody is to be rung late.
   */
  join(callId: string, personId: string, options?: CallOptions): Promise<void>;

  /**
   * The relay number as a vCard, for the contacts of whoever sees this page. Without names of people and what the visit is
   * about: contacts are read by many apps. Throws `WRONG_STATE` while the binding has no number.
   */
  contactCard(binding: PhoneBindingView, options?: ContactCardOptions): ContactCard;

  /** Stops following. May be called twice. */
  close(): void;
}
