import type { NetworkAdvice, NetworkReport } from '@teleconsult/client-sdk/api';

/** The check of camera, microphone and network before a call. */
export const check = {
  check: {
    open: 'Check camera, microphone and network',
    title: 'Before the call',
    camera: 'Your camera',
    microphone: 'Microphone: say something',
    tone: 'Play a tone',
    network: 'Check the network',
    measuring: (share: string) => `Checking the network, ${share}`,
    verdict: {
      good: 'Your network is good for video calls.',
      fair: 'Your network is good enough. The picture may be blurred at times.',
      poor: 'Your network is weak. Voice calls work better.',
      failed: 'Calls do not work on this network.',
    } satisfies Record<NetworkReport['verdict'], string>,
    advice: {
      no_connection: 'There is no connection to the server. Check your network.',
      media_blocked: 'This network blocks calls. Try mobile data or another network.',
      move_closer_to_wifi: 'Move closer to the Wi-Fi router.',
      close_other_downloads: 'Stop downloads and other videos on this network.',
      use_voice_only: 'Use voice calls without video.',
      slow_route: 'The way to the server is slow. Answers come with a delay.',
    } satisfies Record<NetworkAdvice, string>,
  },
};
