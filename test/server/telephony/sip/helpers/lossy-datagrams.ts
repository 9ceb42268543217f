import { type Datagrams, openDatagrams } from '../../../../../server/telephony/sip/datagrams.ts';

/** A UDP socket that loses a share of what leaves and of what arrives. */
export const lossyDatagrams =
  (share: number, random: () => number) =>
  (address: string): Datagrams => {
    const real = openDatagrams(address);
    const lossy: Datagrams = {
      bind: (host, port) => real.bind(host, port),
      send(bytes, host, port) {
        if (random() >= share) real.send(bytes, host, port);
      },
      onDatagram: () => undefined,
      close: () => real.close(),
    };
    real.onDatagram = (bytes, host, port) => {
      if (random() >= share) lossy.onDatagram(bytes, host, port);
    };
    return lossy;
  };
