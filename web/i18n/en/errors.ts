import type { ErrorCode } from '@teleconsult/protocol/errors';

export const errors = {
  /** What went wrong, for the person in front of the page: what happened and what to do. */
  errors: {
    INVALID: 'The server did not accept this. Reload the page and try again.',
    UNKNOWN_EVENT: 'The server does not know this function. Reload the page.',
    UNAUTHENTICATED: 'Your link is not valid. Open the consultation again from your clinic’s app.',
    TOKEN_EXPIRED: 'Your link has expired. Open the consultation again from your clinic’s app.',
    FORBIDDEN: 'You may not do that in this consultation.',
    NOT_FOUND: 'This is not available any more.',
    CONFLICT: 'This was sent before with different content. Discard it and send it again.',
    WRONG_STATE: 'This is not possible right now. The consultation or the call has moved on.',
    BUSY: 'The other person is in another call. Try again later.',
    EXPIRED: 'It was used already or its time has passed.',
    NOT_CONFIGURED: 'This service does not offer that.',
    TOO_LARGE: 'This is too large to be sent.',
    UNSUPPORTED_MEDIA: 'This kind of file cannot be sent, or the file is damaged.',
    ATTACHMENT_NOT_READY: 'The file is still being processed. Try again in a moment.',
    PROTOCOL_UNSUPPORTED: 'This page is out of date. Reload it to get the present version.',
    RATE_LIMITED: 'That was a lot at once. Wait a moment and try again.',
    INTERNAL: 'Something went wrong on our side. Try again in a moment.',
    INTEGRITY: 'The stored file is damaged and is not shown.',
    MEDIA_UNAVAILABLE: 'Calls are not available right now. Messages still work.',
    STORAGE_UNAVAILABLE: 'Nothing can be saved right now. Try again in a moment.',
    OVERLOADED: 'Many people connect at this moment. You will be connected shortly.',
    RESUME_REFUSED: 'This call cannot be resumed by itself. Choose “Continue here”.',
    SHUTTING_DOWN: 'The service is being restarted. You will be reconnected.',
    STORAGE_FULL: 'The service cannot save anything more right now. Tell your clinic.',
    TIMEOUT: 'The server did not answer in time. Try again.',
    DISCONNECTED: 'There is no connection to the server. Check your network.',
    ABORTED: 'This was stopped.',
    PERMISSION_DENIED:
      'The microphone or the camera is not allowed. Allow it in the browser’s site settings.',
    DEVICE_UNAVAILABLE: 'The microphone or the camera is missing, or another program uses it.',
    UNSUPPORTED_BROWSER:
      'This browser cannot make calls. Use a current version of Chrome, Edge, Firefox or Safari.',
  } satisfies Record<ErrorCode, string>,
};
