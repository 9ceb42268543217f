/** What a caller can act on. Anything else is a bug and is answered `INTERNAL` with a request id. */
export interface ErrorDefinition {
  /** HTTP status of the same refusal over REST; 0 for errors that only the SDK raises. */
  readonly httpStatus: number;
  /** True when the same call may succeed later without being changed. */
  readonly retryable: boolean;
  /** A sentence for developers. It never holds content, names or numbers. */
  readonly message: string;
}

const define = <const T extends Record<string, ErrorDefinition>>(catalogue: T): T => catalogue;

/** Every error code of the product. docs/ERRORS.md is generated from it. */
export const errorCatalogue = define({
  INVALID: { httpStatus: 400, retryable: false, message: 'The request does not have the documented shape.' },
  UNKNOWN_EVENT: { httpStatus: 400, retryable: false, message: 'There is no request of this name.' },
  UNAUTHENTICATED: { httpStatus: 401, retryable: false, message: 'The token is missing or not acceptable.' },
  TOKEN_EXPIRED: { httpStatus: 401, retryable: false, message: 'The token has expired; fetch a new one.' },
  FORBIDDEN: { httpStatus: 403, retryable: false, message: 'This role may not do that here.' },
  NOT_FOUND: { httpStatus: 404, retryable: false, message: 'There is nothing of this id that you may see.' },
  CONFLICT: {
    httpStatus: 409,
    retryable: false,
    message: 'The same id was used before with different content.',
  },
  WRONG_STATE: { httpStatus: 409, retryable: false, message: 'This is not possible in the present state.' },
  BUSY: { httpStatus: 409, retryable: true, message: 'The person is in another call.' },
  EXPIRED: {
    httpStatus: 410,
    retryable: false,
    message: 'It was used already or its time has passed.',
  },
  RESUME_REFUSED: {
    httpStatus: 409,
    retryable: false,
    message: 'The resume ticket is missing, was used, or belongs elsewhere; take the seat over instead.',
  },
  TOO_LARGE: { httpStatus: 413, retryable: false, message: 'The content is larger than allowed.' },
  UNSUPPORTED_MEDIA: {
    httpStatus: 415,
    retryable: false,
    message: 'This kind of file is not accepted or cannot be read.',
  },
  ATTACHMENT_NOT_READY: {
    httpStatus: 409,
    retryable: true,
    message: 'The attachment is not complete or was refused.',
  },
  PROTOCOL_UNSUPPORTED: {
    httpStatus: 426,
    retryable: false,
    message: 'The server does not speak this protocol version.',
  },
  RATE_LIMITED: { httpStatus: 429, retryable: true, message: 'Too many requests; try again later.' },
  INTERNAL: { httpStatus: 500, retryable: true, message: 'Something went wrong on the server.' },
  INTEGRITY: { httpStatus: 500, retryable: false, message: 'A stored object failed its integrity check.' },
  NOT_CONFIGURED: {
    httpStatus: 501,
    retryable: false,
    message: 'This server was set up without that function.',
  },
  MEDIA_UNAVAILABLE: { httpStatus: 503, retryable: true, message: 'No media worker is available.' },
  STORAGE_UNAVAILABLE: { httpStatus: 503, retryable: true, message: 'The store cannot be written or read.' },
  OVERLOADED: {
    httpStatus: 503,
    retryable: true,
    message: 'Too many devices come at once; try again after the time given.',
  },
  SHUTTING_DOWN: { httpStatus: 503, retryable: true, message: 'The server is shutting down.' },
  STORAGE_FULL: { httpStatus: 507, retryable: true, message: 'The store is full; nothing was saved.' },
  TIMEOUT: { httpStatus: 0, retryable: true, message: 'The server did not answer in time.' },
  DISCONNECTED: { httpStatus: 0, retryable: true, message: 'There is no connection to the server.' },
  ABORTED: { httpStatus: 0, retryable: false, message: 'The caller aborted the operation.' },
  PERMISSION_DENIED: {
    httpStatus: 0,
    retryable: false,
    message: 'The person or the browser refused the microphone or the camera.',
  },
  DEVICE_UNAVAILABLE: {
    httpStatus: 0,
    retryable: true,
    message: 'The microphone or camera is missing or in use elsewhere.',
  },
  UNSUPPORTED_BROWSER: { httpStatus: 0, retryable: false, message: 'This environment has no WebRTC.' },
});

export type ErrorCode = keyof typeof errorCatalogue;

/** The error half of every acknowledgement. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** Names the request in the server's log. */
  readonly requestId: string;
  /** When to try again at the earliest, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Where the payload was wrong (paths, never values) or why a file was refused. */
  readonly detail?: string;
}

/** The one error type of server and SDK. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly detail: string | undefined;
  /** Set on errors that came from the server. */
  readonly requestId: string | undefined;
  /** When to try again at the earliest, in milliseconds from when it was raised; undefined: whenever. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    options: {
      detail?: string | undefined;
      requestId?: string | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    const definition = errorCatalogue[code];
    super(definition.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = definition.retryable;
    this.detail = options.detail;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The error as it travels. */
  toBody(requestId: string): ErrorBody {
    const { code, message, retryable, detail, retryAfterMs } = this;
    return {
      code,
      message,
      retryable,
      requestId,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  static fromBody(body: ErrorBody): AppError {
    const code = body.code in errorCatalogue ? body.code : 'INTERNAL';
    const { detail, requestId, retryAfterMs } = body;
    return new AppError(code, { detail, requestId, retryAfterMs });
  }
}

export const isErrorCode = (value: string): value is ErrorCode => value in errorCatalogue;
