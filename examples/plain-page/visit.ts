import type { Call, Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import { beginCall } from '../begin-call.ts';
import { wordsFor } from '../words.ts';

/** Shows the call of a visit in full, and returns how to take it off the page again. That ends nothing. */
export function showVisit(
  root: HTMLElement,
  client: TeleconsultClient,
  opening: Promise<Consultation>,
): () => void {
  const stops: (() => void)[] = [];
  let ofCall: (() => void)[] = [];
  let isGone = false;
  let visit: Consultation | null = null;

  const follow = (call: Call | null): void => {
    for (const stop of ofCall) stop();
    const events = ['changed', 'remoteTracks', 'localTracks', 'path', 'awaiting'] as const;
    ofCall = call === null ? [] : events.map((event) => call.on(event, draw));
    draw();
  };

  const draw = (): void => {
    const call = visit?.call ?? null;
    const ring = call?.role === 'incoming' || call?.role === 'elsewhere';
    const isInCall = call !== null && !ring;
    const status = root.querySelector('[role="status"]');
    if (status !== null)
      status.textContent = visit === null ? 'One moment…' : wordsFor(call, client.personId);
    show('call', visit !== null && call === null);
    show('answer', ring, call?.role === 'elsewhere' ? 'Go on here' : 'Answer');
    show('go-on', isInCall && call.awaiting.length > 0);
    show('microphone', isInCall, call?.microphoneOn ? 'Mute' : 'Unmute');
    show('camera', isInCall, call?.cameraOn ? 'Camera off' : 'Camera on');
    show('hang-up', isInCall);
    const remote = call?.remoteTracks.find(({ source, paused }) => source === 'camera' && !paused);
    const shown = play('other', remote?.track ?? null);
    remote?.setViewport({ width: shown.clientWidth, height: shown.clientHeight });
    play('own', call?.localTracks.camera ?? null);
  };

  const show = (act: string, isShown: boolean, label?: string): void => {
    const button = root.querySelector<HTMLButtonElement>(`[data-act="${act}"]`);
    if (button === null) return;
    button.hidden = !isShown;
    if (label !== undefined) button.textContent = label;
  };

  const play = (of: string, track: MediaStreamTrack | null): HTMLVideoElement => {
    const video = root.querySelector<HTMLVideoElement>(`[data-of="${of}"]`);
    if (video === null) throw new Error(`no video of ${of}`);
    const playing = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
    if (playing !== (track ?? undefined)) video.srcObject = track === null ? null : new MediaStream([track]);
    return video;
  };

  const act = async (name: string | undefined): Promise<void> => {
    const call = visit?.call ?? null;
    if (name === 'call' && visit !== null) await beginCall(visit);
    else if (name === 'answer') await call?.accept();
    else if (name === 'go-on') await call?.continueSources();
    else if (name === 'microphone') await call?.setMicrophone(!call.microphoneOn);
    else if (name === 'camera') await call?.setCamera(!call.cameraOn);
    else if (name === 'hang-up') await call?.hangUp();
    draw();
  };

  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-act]'))
    button.addEventListener('click', () => void act(button.dataset['act']).catch(console.warn));
  void opening.then((opened) => {
    if (isGone) return;
    visit = opened;
    stops.push(visit.on('call', follow));
    follow(visit.call);
  }, console.warn);
  draw();

  return () => {
    isGone = true;
    for (const stop of [...stops, ...ofCall]) stop();
  };
}
