// The browsers' half of call-stage.ts: a page that holds the SDK, one call and, on the receiving side, one tile. Bundled
// into one script by the stage.
import { createTeleconsultClient } from '@teleconsult/client-sdk';
import type { Call, RemoteTrack, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { SeatViewMode } from '@teleconsult/protocol';

/** What one page was sent so far, as its browser counts it. Bytes hold the headers of RTP. */
export interface Received {
  readonly videoBytes: number;
  readonly audioBytes: number;
  /** All that the media server sent on this path, repairs, probes and RTCP included. */
  readonly pathBytes: number;
  readonly framesDecoded: number;
  /** Of the picture that arrived last. */
  readonly frameWidth: number;
  /** How much sound arrived, in milliseconds. */
  readonly soundMs: number;
}

/** One simulcast layer as it is sent. */
export interface SentLayer {
  readonly width: number;
  readonly bytes: number;
  readonly framesEncoded: number;
  readonly limitedBy: string;
}

export interface Tile {
  readonly width: number;
  readonly height: number;
}

export interface StagePage {
  join(options: { url: string; token: string; id: string; role: 'patient' | 'doctor' }): Promise<void>;
  call(): Promise<void>;
  answer(): Promise<void>;
  /** How the page shows the other person: the seat's view, and how large the tile is; null: there is none. */
  show(view: SeatViewMode, tile: Tile | null): Promise<void>;
  setAudioOnly(on: boolean): Promise<void>;
  received(): Promise<Received>;
  sent(): Promise<readonly SentLayer[]>;
  /** The camera's encoder goes on with this many of its layers, the smallest first. */
  keepLayers(count: number): Promise<void>;
}

declare global {
  interface Window {
    stage: StagePage;
    /** Connections of this page, oldest first; call-stage.ts sees to it. */
    stageConnections: RTCPeerConnection[];
  }
}

const RING_MS = 20_000;

let client: TeleconsultClient;
let consultationId = '';
let running: Call | null = null;
const video = document.createElement('video');
const audio = document.createElement('audio');

const held = (): Call => {
  if (running === null) throw new Error('there is no call');
  return running;
};
const camera = (): RemoteTrack | undefined => held().remoteTracks.find(({ source }) => source === 'camera');

function followTracks(call: Call): void {
  const attach = (): void => {
    const tracks = call.remoteTracks;
    for (const [element, source] of [
      [video, 'camera'],
      [audio, 'microphone'],
    ] as const) {
      const track = tracks.find((one) => one.source === source)?.track;
      const present = element.srcObject instanceof MediaStream ? element.srcObject.getTracks()[0] : undefined;
      if (track === undefined || track === present) continue;
      element.srcObject = new MediaStream([track]);
      void element.play();
    }
  };
  call.on('remoteTracks', attach);
  attach();
}

window.stage = {
  async join({ url, token, id, role }) {
    consultationId = id;
    client = createTeleconsultClient({ url, token });
    await client.connect();
    const consultation = await client.open(id);
    if (role === 'patient') await consultation.enter();
    else await consultation.accept();
  },
  async call() {
    running = await (await client.open(consultationId)).startCall('video');
    followTracks(running);
  },
  async answer() {
    const consultation = await client.open(consultationId);
    const rung = await new Promise<Call>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nobody rang')), RING_MS);
      const look = (call: Call | null): void => {
        if (call?.role !== 'incoming') return;
        clearTimeout(timer);
        resolve(call);
      };
      consultation.on('call', look);
      look(consultation.call);
    });
    await rung.accept({ camera: false });
    running = rung;
    followTracks(rung);
  },
  async show(view, tile) {
    if (tile === null) video.remove();
    else {
      video.style.cssText = `width:${tile.width}px;height:${tile.height}px;object-fit:cover`;
      if (!video.isConnected) document.body.append(video);
      void video.play();
    }
    camera()?.setViewport(tile);
    await held().setView(view);
  },
  setAudioOnly: (on) => held().setAudioOnly(on),
  async received() {
    const sum = {
      videoBytes: 0,
      audioBytes: 0,
      pathBytes: 0,
      framesDecoded: 0,
      frameWidth: 0,
      soundMs: 0,
    };
    const { receive } = await held().stats();
    for (const report of receive?.values() ?? []) {
      if (report.type === 'transport') sum.pathBytes += Number(report.bytesReceived ?? 0);
      // The media server probes the line with packets of a track that does not exist; they count for the path alone.
      if (report.type !== 'inbound-rtp' || report.trackIdentifier === 'probator') continue;
      const bytes = Number(report.bytesReceived ?? 0) + Number(report.headerBytesReceived ?? 0);
      if (report.kind === 'audio') {
        sum.audioBytes += bytes;
        sum.soundMs += Number(report.totalSamplesDuration ?? 0) * 1_000;
      } else {
        sum.videoBytes += bytes;
        sum.framesDecoded += Number(report.framesDecoded ?? 0);
        sum.frameWidth = Math.max(sum.frameWidth, Number(report.frameWidth ?? 0));
      }
    }
    return sum;
  },
  async sent() {
    const { send } = await held().stats();
    return [...(send?.values() ?? [])]
      .filter((report) => report.type === 'outbound-rtp' && report.kind === 'video')
      .map((report) => ({
        width: Number(report.frameWidth ?? 0),
        bytes: Number(report.bytesSent ?? 0) + Number(report.headerBytesSent ?? 0),
        framesEncoded: Number(report.framesEncoded ?? 0),
        limitedBy: String(report.qualityLimitationReason ?? 'none'),
      }))
      .sort((a, b) => a.width - b.width);
  },
  async keepLayers(count) {
    for (const connection of window.stageConnections)
      for (const sender of connection.getSenders()) {
        const parameters = sender.getParameters();
        if (parameters.encodings.length < 2) continue;
        for (const [index, encoding] of parameters.encodings.entries()) encoding.active = index < count;
        await sender.setParameters(parameters);
      }
  },
};
