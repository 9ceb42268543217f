import { plural } from '../shape.ts';

export const composer = {
  composer: {
    label: 'Message',
    placeholder: 'Write a message',
    caption: 'Add a caption',
    send: 'Send',
    picture: 'Send pictures',
    camera: 'Take a picture',
    file: 'Send a file',
    record: 'Record a voice message',
    remaining: (count: number) => plural(count, 'character left', 'characters left'),
    tooLong: (count: number) => plural(count, 'character too many', 'characters too many'),
    tooLarge: (name: string, limit: string) => `“${name}” is larger than ${limit} and cannot be sent.`,
    emptyFile: (name: string) => `“${name}” is empty and cannot be sent.`,
    drop: 'Drop pictures and files here',
    attachments: 'To be sent',
    remove: (name: string) => `Remove ${name}`,
    pictureReady: 'Check the picture, then send it.',
  },
  recorder: {
    label: 'Recording a voice message',
    recording: 'Recording',
    starting: 'Asking for the microphone…',
    full: 'The longest voice message is reached. Send it or discard it.',
    send: 'Stop and send',
    cancel: 'Discard the recording',
    level: 'Loudness',
    denied:
      'Voice messages are off: the microphone is not allowed. Allow it in the browser’s site settings. Messages, pictures and files still work.',
    unavailable:
      'Voice messages are off: no microphone was found, or another program uses it. Messages, pictures and files still work.',
    unsupported: 'This browser cannot record voice messages. Messages, pictures and files still work.',
  },
};
