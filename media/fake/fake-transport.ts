import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DtlsParameters, IceParameters } from '../rtp.ts';
import { SfuError, type TransportOffer } from '../sfu.ts';

/** A transport's side of the handshake, with no network behind it. */
export class FakeTransport {
  readonly #id = randomUUID();
  readonly #fingerprint = randomFingerprint();
  #iceParameters = randomIceParameters();
  #dtlsParameters: DtlsParameters | undefined;

  get offer(): TransportOffer {
    return {
      transportId: this.#id,
      iceParameters: this.#iceParameters,
      iceCandidates: [
        {
          foundation: 'udpcandidate',
          priority: 1_076_302_079,
          ip: '127.0.0.1',
          address: '127.0.0.1',
          protocol: 'udp',
          port: 40_000,
          type: 'host',
        },
        {
          foundation: 'tcpcandidate',
          priority: 1_076_276_479,
          ip: '127.0.0.1',
          address: '127.0.0.1',
          protocol: 'tcp',
          port: 40_000,
          type: 'host',
          tcpType: 'passive',
        },
      ],
      dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value: this.#fingerprint }] },
    };
  }

  /** Answers whether this was news: the same device may ask twice, another identity is refused. */
  connect(dtlsParameters: DtlsParameters): boolean {
    if (!(dtlsParameters.fingerprints?.length > 0)) throw new SfuError('invalid_parameters');
    if (this.#dtlsParameters === undefined) {
      this.#dtlsParameters = dtlsParameters;
      return true;
    }
    if (!isDeepStrictEqual(this.#dtlsParameters, dtlsParameters)) throw new SfuError('invalid_parameters');
    return false;
  }

  restartIce(): IceParameters {
    this.#iceParameters = randomIceParameters();
    return this.#iceParameters;
  }
}

function randomIceParameters(): IceParameters {
  const usernameFragment = randomBytes(16).toString('hex');
  return { usernameFragment, password: randomBytes(16).toString('hex'), iceLite: true };
}

function randomFingerprint(): string {
  return Array.from(randomBytes(32), (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}
