import { rgbaToThumbHash } from 'thumbhash';

/** Pictures, sounds and faces drawn on the spot, so that the repository holds no binary samples. */
function canvas(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const element = document.createElement('canvas');
  element.width = width;
  element.height = height;
  const context = element.getContext('2d');
  if (context === null) throw new Error('no canvas');
  return [element, context];
}

/** A forearm with a rash: what patients send most. */
function drawArm(context: CanvasRenderingContext2D, width: number, height: number): void {
  const skin = context.createLinearGradient(0, 0, width, height);
  skin.addColorStop(0, '#e8b796');
  skin.addColorStop(0.5, '#d99f7c');
  skin.addColorStop(1, '#b87a5a');
  context.fillStyle = '#43606d';
  context.fillRect(0, 0, width, height);
  context.fillStyle = skin;
  context.beginPath();
  context.moveTo(0, height * 0.22);
  context.quadraticCurveTo(width * 0.55, height * 0.05, width, height * 0.3);
  context.lineTo(width, height * 0.78);
  context.quadraticCurveTo(width * 0.5, height, 0, height * 0.86);
  context.fill();
  for (let spot = 0; spot < 46; spot += 1) {
    const x = width * (0.35 + 0.3 * Math.sin(spot * 2.4) * Math.cos(spot));
    const y = height * (0.5 + 0.2 * Math.sin(spot * 1.7));
    const radius = (width / 90) * (1.2 + Math.abs(Math.sin(spot * 5.1)) * 2);
    const glow = context.createRadialGradient(x, y, 0, x, y, radius);
    glow.addColorStop(0, 'rgba(178,48,42,0.75)');
    glow.addColorStop(1, 'rgba(178,48,42,0)');
    context.fillStyle = glow;
    context.fillRect(x - radius, y - radius, radius * 2, radius * 2);
  }
}

const toBlob = (element: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) =>
    element.toBlob(
      (blob) => (blob === null ? reject(new Error('no blob')) : resolve(blob)),
      'image/jpeg',
      0.86,
    ),
  );

export interface MockPicture {
  readonly width: number;
  readonly height: number;
  readonly thumbhash: string;
  readonly original: Blob;
  readonly thumbnail: Blob;
}

export async function mockPicture(width = 1600, height = 1200): Promise<MockPicture> {
  const [large, largeContext] = canvas(width, height);
  drawArm(largeContext, width, height);
  const [small, smallContext] = canvas(480, Math.round((480 * height) / width));
  smallContext.drawImage(large, 0, 0, small.width, small.height);
  const [tiny, tinyContext] = canvas(64, Math.round((64 * height) / width));
  tinyContext.drawImage(large, 0, 0, tiny.width, tiny.height);
  const { data } = tinyContext.getImageData(0, 0, tiny.width, tiny.height);
  const thumbhash = btoa(String.fromCharCode(...rgbaToThumbHash(tiny.width, tiny.height, data)));
  return { width, height, thumbhash, original: await toBlob(large), thumbnail: await toBlob(small) };
}

/** A WAV file of soft tones. */
export function mockVoice(seconds: number): Blob {
  const rate = 8000;
  const samples = new Int16Array(rate * seconds);
  for (let index = 0; index < samples.length; index += 1) {
    const at = index / rate;
    samples[index] = Math.sin(at * 2 * Math.PI * 220) * Math.abs(Math.sin(at * 3)) * 6000;
  }
  const header = new DataView(new ArrayBuffer(44));
  const text = (offset: number, value: string): void => {
    for (let index = 0; index < value.length; index += 1)
      header.setUint8(offset + index, value.charCodeAt(index));
  };
  text(0, 'RIFF');
  header.setUint32(4, 36 + samples.byteLength, true);
  text(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  text(36, 'data');
  header.setUint32(40, samples.byteLength, true);
  return new Blob([header, samples], { type: 'audio/wav' });
}

/** A short film of a face, as a camera's recording would be. */
export async function mockFilm(colour: string, ms: number): Promise<Blob> {
  const recorder = new MediaRecorder(new MediaStream([mockFace(colour, 320, 240)]), {
    mimeType: 'video/webm',
  });
  const parts: Blob[] = [];
  recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
  recorder.start();
  await new Promise((resolve) => setTimeout(resolve, ms));
  recorder.stop();
  await stopped;
  return new Blob(parts, { type: 'video/webm' });
}

export const mockPeaks = (): number[] =>
  Array.from({ length: 64 }, (_, index) =>
    Math.round(12 + 78 * Math.abs(Math.sin(index * 0.55) * Math.cos(index * 0.19))),
  );

/** A head that moves a little, as a camera would show it. */
export function mockFace(colour: string, width = 960, height = 720): MediaStreamTrack {
  const [element, context] = canvas(width, height);
  const draw = (): void => {
    const sway = Math.sin(performance.now() / 700) * (width / 60);
    const room = context.createLinearGradient(0, 0, width, height);
    room.addColorStop(0, '#c9d6d8');
    room.addColorStop(1, '#8fa6ab');
    context.fillStyle = room;
    context.fillRect(0, 0, width, height);
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse(width / 2 + sway, height * 1.05, width * 0.3, height * 0.42, 0, 0, Math.PI * 2);
    context.fill();
    context.fillStyle = '#e0ad8a';
    context.beginPath();
    context.ellipse(width / 2 + sway, height * 0.42, width * 0.13, height * 0.24, 0, 0, Math.PI * 2);
    context.fill();
    context.fillStyle = '#3b2a22';
    context.beginPath();
    context.ellipse(width / 2 + sway, height * 0.25, width * 0.14, height * 0.12, 0, 0, Math.PI * 2);
    context.fill();
  };
  draw();
  setInterval(draw, 100);
  const track = element.captureStream(10).getVideoTracks()[0];
  if (track === undefined) throw new Error('no track');
  return track;
}

export function mockSound(): MediaStreamTrack {
  const context = new AudioContext();
  const track = context.createMediaStreamDestination().stream.getAudioTracks()[0];
  if (track === undefined) throw new Error('no track');
  return track;
}

/** A laboratory report, as a doctor would share it. */
export function mockScreen(width = 1280, height = 800): MediaStreamTrack {
  const [element, context] = canvas(width, height);
  const draw = (): void => {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#0a6c74';
    context.fillRect(0, 0, width, 72);
    context.fillStyle = '#ffffff';
    context.font = '600 30px sans-serif';
    context.fillText('Laboratory report · 2026-03-10', 32, 47);
    context.font = '24px sans-serif';
    for (const [index, line] of REPORT.entries()) {
      const y = 140 + index * 58;
      context.fillStyle = index % 2 === 0 ? '#f2f5f6' : '#ffffff';
      context.fillRect(24, y - 38, width - 48, 56);
      context.fillStyle = '#13222a';
      for (const [column, text] of line.entries()) context.fillText(text, 48 + column * 330, y);
    }
  };
  draw();
  setInterval(draw, 500);
  const track = element.captureStream(2).getVideoTracks()[0];
  if (track === undefined) throw new Error('no track');
  return track;
}

const REPORT = [
  ['Haemoglobin', '138 g/l', '120–160'],
  ['Leucocytes', '11.2 G/l', '4.0–10.0'],
  ['Platelets', '255 G/l', '150–400'],
  ['CRP', '18 mg/l', '< 5'],
  ['Creatinine', '71 µmol/l', '45–84'],
  ['Potassium', '4.1 mmol/l', '3.5–5.1'],
  ['TSH', '2.3 mU/l', '0.4–4.0'],
];
