/**
 * What a leg is to the daemon: a session description of our own making, for it knows no other way to be told an address. It
 * holds an address, a port and payload types; nothing of what a telephone has written, and nothing that names anybody.
 */
import { isIP, isIPv6 } from 'node:net';
import type { G711 } from '../rtp/ports.ts';

/** Stands for a telephone that has not said where it listens. Nothing is let through to it. */
export const NOWHERE_PORT = 1;
/** Where all RTCP goes: nobody listens there (discard). Another one, for RTP and RTCP on one port would be multiplexed. */
const RTCP_NOWHERE_PORT = 9;
const PAYLOAD_TYPES = 128;
const CODEC_NAMES: Readonly<Record<G711, string>> = { 0: 'PCMU', 8: 'PCMA' };

export interface LegPlace {
  readonly host: string;
  readonly port: number;
  readonly codec: G711;
  readonly telephoneEvent: number | null;
}

/**
 * The daemon passes a packet of a type it was told nothing of to the other leg as it came, with whatever is in it: RTCP on
 * the port of the sound with the number of a telephone, for one. So every type is declared: those that nobody negotiated as
 * GSM, whose frames have 33 bytes. What has other lengths is dropped, the rest is decoded and coded anew.
 */
export function writeLegSdp({ host, port, codec, telephoneEvent }: LegPlace, ownHost: string): string {
  const known = telephoneEvent === null ? [codec] : [codec, telephoneEvent];
  const unknown = Array.from({ length: PAYLOAD_TYPES }, (_, type) => type).filter(
    (type) => !known.includes(type),
  );
  const family = isIPv6(host) ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${host}`,
    's=-',
    `c=IN ${family} ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${[...known, ...unknown].join(' ')}`,
    `a=rtpmap:${codec} ${CODEC_NAMES[codec]}/8000`,
    ...(telephoneEvent === null ? [] : [`a=rtpmap:${telephoneEvent} telephone-event/8000`]),
    ...unknown.map((type) => `a=rtpmap:${type} GSM/8000`),
    'a=ptime:20',
    // RTCP is believed from there alone, and what the daemon says itself goes there: none passes.
    `a=rtcp:${RTCP_NOWHERE_PORT} IN ${isIPv6(ownHost) ? 'IP6' : 'IP4'} ${ownHost}`,
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** The address and port that the daemon has opened, all that is taken of what it writes. Null: there is none in it. */
export function readPlace(sdp: string): { readonly host: string; readonly port: number } | null {
  const host = /^c=IN IP[46] (\S{2,45})\r?$/m.exec(sdp)?.[1] ?? '';
  const port = Number(/^m=audio (\d{1,5}) /m.exec(sdp)?.[1]);
  return isIP(host) === 0 || !(port >= 1 && port <= 65_535) ? null : { host, port };
}
