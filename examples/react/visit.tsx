import type { Call, Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import { useEffect, useEffectEvent, useReducer, useRef } from 'react';
import { beginCall } from '../begin-call.ts';
import { wordsFor } from '../words.ts';

/** The call in full. Unmounting it ends nothing: the call belongs to the client. */
export function Visit({ client, visit }: { client: TeleconsultClient; visit: Consultation | null }) {
  const call = useCall(visit);
  const rings = call?.role === 'incoming' || call?.role === 'elsewhere';
  const remote = call?.remoteTracks.find(({ source, paused }) => source === 'camera' && !paused);
  const run = (act: () => Promise<unknown> | undefined) => () => void act()?.catch(console.warn);
  return (
    <>
      <h1>Visit</h1>
      <p role="status">{visit === null ? 'One moment…' : wordsFor(call, client.personId)}</p>
      <div className="stage">
        <Video track={remote?.track ?? null} of="other" onSize={remote?.setViewport.bind(remote)} />
        <Video track={call?.localTracks.camera ?? null} of="own" />
      </div>
      {visit !== null && call === null && <Act label="Call" onClick={run(() => beginCall(visit))} />}
      {call !== null && rings && (
        <Act label={call.role === 'incoming' ? 'Answer' : 'Go on here'} onClick={run(() => call.accept())} />
      )}
      {call !== null && !rings && (
        <>
          {call.awaiting.length > 0 && (
            <Act label="Tap to go on" onClick={run(() => call.continueSources())} />
          )}
          <Act
            label={call.microphoneOn ? 'Mute' : 'Unmute'}
            onClick={run(() => call.setMicrophone(!call.microphoneOn))}
          />
          <Act
            label={call.cameraOn ? 'Camera off' : 'Camera on'}
            onClick={run(() => call.setCamera(!call.cameraOn))}
          />
          <Act label="Hang up" onClick={run(() => call.hangUp())} />
        </>
      )}
    </>
  );
}

/** The call of a visit, drawn again whenever it changes. The object itself stays the same, so changes are counted. */
function useCall(visit: Consultation | null): Call | null {
  const [, redraw] = useReducer((changes: number) => changes + 1, 0);
  const call = visit?.call ?? null;
  useEffect(() => visit?.on('call', redraw), [visit]);
  useEffect(() => {
    const events = ['changed', 'remoteTracks', 'localTracks', 'path', 'awaiting'] as const;
    const stops = call === null ? [] : events.map((event) => call.on(event, redraw));
    return () => {
      for (const stop of stops) stop();
    };
  }, [call]);
  return call;
}

function Act({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" onClick={onClick}>
      {label}
    </button>
  );
}

/** The element plays the sound of the call, so pictures stay silent. */
function Video(props: {
  track: MediaStreamTrack | null;
  of: string;
  onSize?: ((size: { width: number; height: number }) => void) | undefined;
}) {
  const { track, of, onSize } = props;
  const video = useRef<HTMLVideoElement>(null);
  const tellSize = useEffectEvent(() => {
    if (video.current !== null)
      onSize?.({ width: video.current.clientWidth, height: video.current.clientHeight });
  });
  useEffect(() => {
    if (video.current === null) return;
    video.current.srcObject = track === null ? null : new MediaStream([track]);
    tellSize();
  }, [track]);
  return <video ref={video} data-of={of} autoPlay muted playsInline />;
}
