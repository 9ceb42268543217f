import type { Call, TeleconsultClient } from '@teleconsult/client-sdk';
import { type FromHost, parseFromHost, type ToHost } from './host-messages.ts';

/** The one way to the native app that the page was given. */
export interface HostChannel {
  postMessage(message: string): void;
  /** Called for each message of the native app; the result stops it. */
  onMessage(listener: (message: string) => void): () => void;
}

type HostedClient = Pick<TeleconsultClient, 'activeCall' | 'connection' | 'on' | 'reconnectHint'>;

/** Joins a client with the native app around its WebView. Returns how to part them again. */
export function joinHost(client: HostedClient, channel: HostChannel): () => void {
  let stopsOfCall: (() => void)[] = [];
  const tell = (message: ToHost): void => channel.postMessage(JSON.stringify(message));

  const tellCall = (call: Call | null): void => {
    if (call === null) tell({ type: 'call', state: 'none', microphoneOn: false });
    else tell({ type: 'call', state: call.view.media, microphoneOn: call.microphoneOn });
  };
  const follow = (call: Call | null): void => {
    for (const stop of stopsOfCall) stop();
    stopsOfCall =
      call === null
        ? []
        : [
            call.on('changed', () => tellCall(call)),
            call.on('path', ({ state }) => tell({ type: 'path', state })),
            call.on('awaiting', (sources) => tell({ type: 'awaiting', on: sources.length > 0 })),
          ];
    tellCall(call);
  };

  const stops = [
    client.on('activeCall', follow),
    client.on('connection', ({ state }) => tell({ type: 'connection', state })),
    channel.onMessage((text) => {
      const message = parseFromHost(text);
      if (message !== null) void obey(client, message).catch(() => undefined);
    }),
  ];
  tell({ type: 'connection', state: client.connection });
  follow(client.activeCall);
  return () => {
    for (const stop of [...stops, ...stopsOfCall]) stop();
  };
}

async function obey(client: HostedClient, message: FromHost): Promise<void> {
  const call = client.activeCall;
  switch (message.type) {
    case 'interrupted':
      return call?.setInterrupted(message.on);
    case 'view':
      return call?.setView(message.view);
    case 'network':
      return client.reconnectHint();
    case 'microphone':
      return call?.setMicrophone(message.on);
    case 'hangUp':
      return call?.hangUp();
    default:
      return message satisfies never;
  }
}
