/**
 * Most bytes that wait for a device which does not read; it catches up from its sequence after it returns. As much
 * again may have been handed to the system, and one page on top of each.
 */
const BACKLOG_BYTES = 1_500_000;
/** What a packet costs beside its text. */
const PACKET_BYTES = 500;

interface Packet {
  readonly data?: unknown;
  /** A broadcast is encoded once, and kept as bytes beside its text. */
  readonly options?: { readonly wsPreEncodedFrame?: readonly Uint8Array[] };
}

/** What is needed of a connection of Engine.IO. */
interface Connection {
  on(event: 'packetCreate', listener: (packet: Packet) => void): unknown;
  on(event: 'flush', listener: () => void): unknown;
}

/**
 * Calls back once when too much waits for the device, at the very packet: whoever looked from time to time would find
 * tens of megabytes. One packet alone, as a long page, is never too much. What was handed to the system (`flush`) is
 * bounded by what waited before.
 */
export function whenStalled(connection: Connection, onStalled: (bytes: number) => void): void {
  let waiting = 0;
  let isStalled = false;
  connection.on('flush', () => {
    waiting = 0;
  });
  connection.on('packetCreate', (packet) => {
    if (waiting > BACKLOG_BYTES && !isStalled) {
      isStalled = true;
      const bytes = waiting;
      // Not in the middle of telling everybody.
      queueMicrotask(() => onStalled(bytes));
    }
    waiting += bytesOf(packet);
  });
}

/** A text takes two bytes a letter in memory, unless all of it is Latin. */
function bytesOf({ data, options }: Packet): number {
  const text = typeof data === 'string' ? 2 * data.length : 0;
  const frame = options?.wsPreEncodedFrame ?? [];
  return frame.reduce((sum, { byteLength }) => sum + byteLength, text + PACKET_BYTES);
}
