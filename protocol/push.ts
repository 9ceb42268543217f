/**
 * What a push carries to a service worker, as JSON: enough to show a notice and open the right page, never a name, a
 * text or a number. Encrypted on the way (RFC 8291), but shown on lock screens.
 */
export type PushPayload = {
  readonly v: 1;
  readonly consultationId: string;
  /** When it happened, milliseconds since 1970. */
  readonly at: number;
} & (
  | {
      readonly kind: 'call.ringing';
      readonly callId: string;
      readonly media: 'voice' | 'video';
      readonly until: number;
    }
  /** The call rings no more: the notice of it goes, or becomes "missed". */
  | { readonly kind: 'call.over'; readonly callId: string; readonly missed: boolean }
  | { readonly kind: 'message' }
  | {
      readonly kind: 'consultation';
      readonly what:
        | 'requested'
        | 'waiting'
        | 'accepted'
        | 'ended'
        | 'invited'
        | 'followUpDue'
        /** To the doctor: it is due, and the patient does not want to be contacted. */
        | 'followUpRefused'
        | 'noteSigned';
    }
);
