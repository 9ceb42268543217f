import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';

declare global {
  interface Window {
    heldFrames?: { readonly socket: WebSocket; readonly frame: Parameters<WebSocket['send']>[0] }[];
    letFramesGo?: () => void;
  }
}

/** Keeps back what the page sends, until `letFramesGo`: two pages can act while neither knows of the other. */
export function holdFrames(person: Person): Promise<void> {
  return person.page.evaluate(() => {
    // A method of its prototype, always called on a socket.
    const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send');
    const held: NonNullable<Window['heldFrames']> = [];
    window.heldFrames = held;
    WebSocket.prototype.send = function (frame) {
      held.push({ socket: this, frame });
    };
    window.letFramesGo = () => {
      if (send !== undefined) Object.defineProperty(WebSocket.prototype, 'send', send);
      for (const { socket, frame } of held.splice(0)) socket.send(frame);
    };
  });
}

/** Waits until the page would have sent this request. */
export async function holdsRequest(person: Person, request: string): Promise<void> {
  await eventually(`${request} to be held back`, () =>
    person.page.evaluate(
      (name) =>
        (window.heldFrames ?? []).some(
          ({ frame }) => typeof frame === 'string' && frame.includes(`"${name}"`),
        ),
      request,
    ),
  );
}

export function letFramesGo(person: Person): Promise<void> {
  return person.page.evaluate(() => window.letFramesGo?.());
}
