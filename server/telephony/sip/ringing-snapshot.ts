import type { HeaderLine } from './message.ts';
import type { Hop } from './transport.ts';

/** A call to us that was not answered yet, written down to refuse it after a restart. It holds numbers: it is to be sealed. */
export interface IncomingSnapshot {
  /** The head of the INVITE, as far as an answer needs it. */
  readonly request: string;
  readonly flow: Omit<Hop, 'connection'>;
}

/** An INVITE of ours that was not answered yet, written down to take it back after a restart. It is to be sealed. */
export interface OutgoingSnapshot {
  readonly uri: string;
  readonly to: string;
  readonly via: Omit<Hop, 'connection'>;
  readonly from: string;
  readonly sdp: string;
  readonly callId: string;
  readonly localTag: string;
  readonly seq: number;
  readonly branch: string;
}

/** What makes an INVITE the same as one that was sent before. */
export type Resumed = Pick<OutgoingSnapshot, 'callId' | 'localTag' | 'seq' | 'branch'>;

/** No more of an INVITE than its answer repeats. */
export const headOf = (request: {
  readonly uri: { readonly text: string };
  readonly headers: { all(name: string): readonly string[] };
}): string => {
  const lines = (['Via', 'From', 'To', 'Call-ID', 'CSeq'] as const).flatMap((name) =>
    request.headers.all(name).map((value): HeaderLine => [name, value]),
  );
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `INVITE ${request.uri.text} SIP/2.0\r\n${head}Content-Length: 0\r\n\r\n`;
};
