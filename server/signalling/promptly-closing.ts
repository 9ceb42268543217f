import { type ServerOptions, WebSocketServer } from 'ws';

/** How long a device may take to confirm that the connection closes (RFC 6455 §7.1.2) before it is cut. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A connection that never answers, or is not read, is gone after two seconds instead of thirty, with its buffers. */
export class PromptlyClosing extends WebSocketServer {
  constructor(options: ServerOptions) {
    // The types of ws are older than this option.
    const promptly: ServerOptions & { closeTimeout: number } = { ...options, closeTimeout: CLOSE_TIMEOUT_MS };
    super(promptly);
  }
}
