import type { Consultation } from '@teleconsult/client-sdk';

/** Answers calls of a consultation and shows them in two video elements of your page. */
export function showCalls(
  visit: Consultation,
  view: { own: HTMLVideoElement; other: HTMLVideoElement; ask: (who: string) => Promise<boolean> },
): () => void {
  return visit.on('call', (call) => {
    if (call === null) return;
    const remote = new MediaStream();
    view.other.srcObject = remote;
    call.on('remoteTracks', (tracks) => {
      for (const track of remote.getTracks()) remote.removeTrack(track);
      for (const { track } of tracks) remote.addTrack(track);
    });
    call.on('localTracks', ({ camera }) => {
      view.own.srcObject = camera === null ? null : new MediaStream([camera]);
    });
    call.on('problem', (error) => console.warn(error.code));
    if (call.role !== 'incoming') return;
    void view
      .ask(call.view.startedBy)
      .then((yes) => (yes ? call.accept() : call.decline()))
      .catch((error: unknown) => console.warn(error));
  });
}
