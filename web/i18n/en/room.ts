import type { NetworkAdvice, NetworkReport, QualitySample } from '@teleconsult/client-sdk/api';
import type { QualityLevel, QualityReport } from '@teleconsult/protocol';

/** What is said inside a call and in the check before it. Fetched with them: most visits begin without. */
export const room = {
  /** Tiles. */
  people: 'People in the call',
  presence: {
    ringing: 'Ringing…',
    connecting: 'Connecting…',
    interrupted: 'In a phone call',
    reconnecting: 'Connection lost, reconnecting…',
  },
  muted: 'muted',
  cameraIsOff: 'camera off',
  /** Somebody takes part by telephone. */
  byPhone: 'By phone',
  phoneRings: 'Phone is ringing…',
  joinByPhone: 'Join by phone',
  goOnByPhone: 'Go on by phone',
  ownPhoneRings: 'Your phone is about to ring. Answer it to go on there.',
  joinByPhoneName: (name: string) => `Join by phone: ${name}`,
  speaking: 'speaking',
  level: {
    good: 'good connection',
    fair: 'fair connection',
    poor: 'weak connection',
    lost: 'no connection',
  } satisfies Record<QualityLevel, string>,
  screenOf: (name: string) => `Screen of ${name}`,
  screenComing: (name: string) => `${name} is sharing a screen. The picture is on its way…`,
  yourScreen: 'You are sharing your screen',
  yourScreenHint: 'Everybody in the call sees it.',

  /** Controls. */
  shareScreen: 'Share',
  stopSharing: 'Stop sharing',
  shareScreenHint: 'Share your screen',
  stopSharingHint: 'Stop sharing your screen',
  screenTaken: (name: string) => `${name} is sharing a screen. One person can share at a time.`,
  more: 'More',
  moreHint: 'People, devices and more',
  key: (hint: string, key: string) => `${hint} (key ${key})`,
  leaveTitle: 'Leave the call?',
  leaveText: 'Leave it alone, or end it for everybody.',
  leaveOnly: 'Leave; the others go on',
  endForAll: 'End for all',
  unmuteNow: 'Unmute',
  dismissHint: 'Stay muted',
  videoOn: 'Switch video on',

  /** After a restore the browser wants a tap before it gives the devices again. */
  awaiting: {
    microphone: 'Welcome back. Nobody hears you yet: your browser wants a tap first.',
    camera: 'Welcome back. Nobody sees you yet: your browser wants a tap first.',
    both: 'Welcome back. Nobody hears or sees you yet: your browser wants a tap first.',
  },
  goOnWith: {
    microphone: 'Switch my microphone on',
    camera: 'Switch my camera on',
    both: 'Microphone and camera on',
  },

  /** The sheet behind “More”. */
  audioOnly: 'Sound only',
  audioOnlyHint: 'No video is sent or received. Saves data on a weak network.',
  blur: 'Blur my background',
  devices: 'Devices',
  quality: 'Connection',
  shortcuts: 'Keyboard',
  shortcutsHint: 'While no text field has the focus:',
  shortcut: { m: 'Microphone on or off', v: 'Camera on or off', s: 'Share the screen, or stop' },

  /** People. */
  inCall: 'In the call',
  notInCall: 'Not in the call',
  invite: 'Call in',
  inviteName: (name: string) => `Call ${name} in`,
  everybodyIsIn: 'Everybody of this consultation is in the call.',
  mute: 'Mute',
  muteName: (name: string) => `Mute ${name}`,
  muteTitle: (name: string) => `Mute ${name}?`,
  muteText: (name: string) => `${name} reads that you did it, and can unmute again.`,

  /** Devices. */
  microphone: 'Microphone',
  camera: 'Camera',
  speaker: 'Speaker',
  unnamed: (kind: string, count: number) => `${kind} ${count}`,
  noneOf: 'None was found.',
  noSpeakerChoice: 'This browser plays through the speaker that the system has chosen.',
  notPresent: 'Present choice',

  /** Quality. */
  qualityTitle: 'Your connection',
  qualityBadge: (level: string) => `Your connection: ${level}. Show details`,
  qualityNow: {
    good: 'Your connection is good.',
    fair: 'Your connection is fair. The picture may be blurred at times.',
    poor: 'Your connection is weak. Sound comes first.',
    lost: 'Nothing arrives right now.',
  } satisfies Record<QualityLevel, string>,
  noSamples: 'The first measurement comes in a few seconds.',
  limitedBy: {
    network: 'The network holds your video back.',
    processor: 'This device is too busy for a sharper picture.',
    other: 'Something on this device holds your video back.',
  } satisfies Record<Exclude<QualitySample['limitedBy'], 'none'>, string>,
  rtt: 'Round trip',
  loss: 'Lost packets',
  sent: 'Sent',
  received: 'Received',
  ms: (value: string) => `${value} ms`,
  kbps: (value: string) => `${value} kbit/s`,
  unknown: 'not known',
  graph: (what: string, now: string, most: string) =>
    `${what} over the last two minutes: ${now} now, ${most} at most`,
  table: 'As a table',
  when: 'Ago',
  secondsAgo: (seconds: string) => `${seconds} s`,
  network: {
    wifi: 'Wi-Fi',
    cellular: 'Mobile network',
    ethernet: 'Cable',
    other: 'Other network',
    unknown: 'Network not known',
  } satisfies Record<QualityReport['networkType'], string>,
  path: {
    udp: 'direct',
    tcp: 'over TCP, which is slower',
    relay: 'through a relay',
    unknown: 'way not known',
  } satisfies Record<QualityReport['path'], string>,

  /** The check before a call. */
  check: {
    lead: 'Nobody sees or hears you here.',
    camera: 'Camera',
    preview: 'Your own picture',
    cameraWorks: 'You can be seen.',
    asking: 'Allow the camera and the microphone when the browser asks.',
    microphone: 'Microphone',
    level: 'How loud you are',
    saySomething: 'Say something. The bar moves when we hear you.',
    heard: 'We hear you.',
    speaker: 'Speaker',
    tone: 'Play a tone',
    tonePlaying: 'Listen…',
    didYouHear: 'Did you hear the tone?',
    yes: 'Yes',
    no: 'No',
    toneHeard: 'The speaker works.',
    toneUnheard:
      'Turn the volume up, check that sound is not off on this device, and see whether headphones are connected. Then play it again.',
    network: 'Network',
    networkLead: 'Takes about ten seconds, and some megabytes of data.',
    networkStart: 'Check the network',
    networkAgain: 'Check again',
    measuring: (share: string) => `Checking the network, ${share}`,
    again: 'Try again',
    denied: {
      camera: 'The camera is not allowed. You can be heard, but not seen.',
      microphone: 'The microphone is not allowed. The doctor would not hear you.',
      how: 'Press the lock or the camera beside the address, allow it there, and try again.',
    },
    missing: {
      camera: 'No camera was found, or another program uses it. Close other video programs and try again.',
      microphone:
        'No microphone was found, or another program uses it. Connect one, close other programs and try again.',
    },
    numbers: (rtt: string, loss: string) => `Answer time ${rtt}, lost packets ${loss}`,
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
    state: { open: 'not checked', well: 'works', trouble: 'does not work' },
    all: 'Everything works. You are ready for the call.',
  },
};
