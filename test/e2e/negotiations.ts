import type { Person } from './browser.ts';

declare global {
  interface Window {
    negotiations?: number;
  }
}

/** Counts from now on what a page negotiates: offers, answers, and descriptions that are applied. */
export function countNegotiations(person: Person): Promise<void> {
  return person.page.evaluate(() => {
    window.negotiations = 0;
    const steps = ['createOffer', 'createAnswer', 'setLocalDescription', 'setRemoteDescription'] as const;
    for (const name of steps) {
      const native: unknown =
        Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, name)?.value ??
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(RTCPeerConnection.prototype), name)?.value;
      if (typeof native !== 'function') throw new Error(`no ${name}`);
      Object.defineProperty(RTCPeerConnection.prototype, name, {
        configurable: true,
        value(this: RTCPeerConnection, ...args: unknown[]): unknown {
          window.negotiations = (window.negotiations ?? 0) + 1;
          return Reflect.apply(native, this, args);
        },
      });
    }
  });
}

export function negotiations(person: Person): Promise<number> {
  return person.page.evaluate(() => window.negotiations ?? Number.NaN);
}
