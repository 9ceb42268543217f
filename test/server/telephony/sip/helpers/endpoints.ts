import { type EndpointOptions, SipEndpoint } from '../../../../../server/telephony/sip/endpoint.ts';
import type { IncomingCall } from '../../../../../server/telephony/sip/incoming-call.ts';
import { writeOffer } from '../../../../../server/telephony/sip/sdp.ts';
import type { Hop } from '../../../../../server/telephony/sip/transport.ts';

export const ADDRESS = '127.0.61.1';

export interface TestEndpoint extends AsyncDisposable {
  readonly sip: SipEndpoint;
  readonly calls: IncomingCall[];
  readonly errors: unknown[];
  hop(protocol?: 'udp' | 'tcp'): Hop;
  readonly uri: string;
}

export const sdp = (port = 4000, version = 1): string =>
  writeOffer({
    host: ADDRESS,
    port,
    codecs: [8, 0],
    telephoneEvent: 101,
    direction: 'both',
    session: { id: 7, version },
  });

/** An endpoint on a free port of the loopback, with timers fifty times as fast. */
export async function endpoint(
  options: Partial<EndpointOptions> & { readonly answer?: (call: IncomingCall) => void } = {},
): Promise<TestEndpoint> {
  const { answer, ...others } = options;
  const calls: IncomingCall[] = [];
  const errors: unknown[] = [];
  const sip = await SipEndpoint.listen({
    address: ADDRESS,
    port: 0,
    allow: ['127.0.0.0/8'],
    t1: 10,
    onError: (error) => errors.push(error),
    ...others,
    onInvite: (call) => {
      calls.push(call);
      answer?.(call);
    },
  });
  return {
    sip,
    calls,
    errors,
    hop: (protocol = 'udp') => ({ protocol, address: sip.address, port: sip.port }),
    uri: `sip:17000003333@${sip.address}:${sip.port}`,
    async [Symbol.asyncDispose]() {
      await sip.close();
    },
  };
}

export const ME = { uri: 'sip:relay@clinic.example' };
