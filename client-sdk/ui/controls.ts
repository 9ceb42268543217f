import type { CallActs } from './call-acts.ts';
import { icon, make, setAttribute, setText } from './dom.ts';
import { icons } from './icons.ts';
import type { Scene } from './scene.ts';
import type { Words } from './words.ts';

interface Shown {
  readonly scene: Scene;
  readonly words: Words;
  readonly unread: number;
}

/** The most that a badge has room for. */
const MAX_BADGE = 99;

/** The row of buttons under the picture: microphone, camera, large view with what is unread, and the way out. */
export class Controls {
  readonly #microphone = button('microphone', icons.microphone);
  readonly #camera = button('camera', icons.camera);
  readonly #expand = button('expand', icons.expand);
  readonly #hangUp = button('hang-up', icons.hangUp);
  readonly #continue = button('continue', []);
  readonly #close = button('close', icons.close);
  readonly #badge = make('span', 'badge');
  readonly element = make(
    'div',
    'controls',
    this.#microphone,
    this.#camera,
    this.#expand,
    this.#hangUp,
    this.#continue,
    this.#close,
  );

  constructor(acts: CallActs) {
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('part', 'controls');
    this.#badge.setAttribute('aria-hidden', 'true');
    this.#badge.setAttribute('part', 'badge');
    this.#expand.append(this.#badge);
    this.#microphone.addEventListener('click', () => acts.toggleMicrophone());
    this.#camera.addEventListener('click', () => acts.toggleCamera());
    this.#expand.addEventListener('click', () => acts.expand());
    this.#hangUp.addEventListener('click', () => acts.hangUp());
    this.#continue.addEventListener('click', () => acts.continueHere());
    this.#close.addEventListener('click', () => acts.dismiss());
  }

  show({ scene, words, unread }: Shown): void {
    const isRunning = scene.kind === 'call';
    setAttribute(this.element, 'aria-label', words.controls);
    this.element.hidden = scene.kind === 'restoring' || scene.kind === 'none' || scene.kind === 'ended';
    for (const one of [this.#microphone, this.#expand, this.#hangUp]) one.hidden = !isRunning;
    this.#camera.hidden = !isRunning || !scene.isVideo;
    this.#continue.hidden = scene.kind !== 'elsewhere';
    this.#close.hidden = scene.kind !== 'elsewhere';
    if (scene.kind === 'elsewhere')
      setText(this.#continue, scene.loss === null ? words.continueHere : words.comeBack);
    label(this.#close, words.close);
    if (!isRunning) return;
    const { microphoneOn, cameraOn, endsFor } = scene;
    toggle(this.#microphone, { isOn: microphoneOn, name: words.microphone });
    setAttribute(this.#microphone, 'title', microphoneOn ? words.mute : words.unmute);
    draw(this.#microphone, microphoneOn ? icons.microphone : icons.microphoneOff);
    toggle(this.#camera, { isOn: cameraOn, name: words.camera });
    setAttribute(this.#camera, 'title', cameraOn ? words.cameraOff : words.cameraOn);
    draw(this.#camera, cameraOn ? icons.camera : icons.cameraOff);
    label(this.#hangUp, endsFor === 'all' ? words.hangUp : words.leave);
    // What is seen and what is read out are the same, for people who speak to their computer.
    const count = unread > MAX_BADGE ? `${MAX_BADGE}+` : String(unread);
    label(this.#expand, unread > 0 ? `${words.expand}, ${words.unread(count)}` : words.expand);
    this.#badge.hidden = unread === 0;
    setText(this.#badge, count);
  }
}

function button(name: string, paths: readonly string[]): HTMLButtonElement {
  const element = make('button', name);
  element.type = 'button';
  element.setAttribute('part', `button ${name}`);
  element.dataset['testid'] = `floating-${name}`;
  if (paths.length > 0) element.append(icon(...paths));
  return element;
}

/** The name says what it is about, the state whether it is on, the tooltip what a press does. */
function toggle(element: HTMLButtonElement, { isOn, name }: { isOn: boolean; name: string }): void {
  setAttribute(element, 'aria-label', name);
  setAttribute(element, 'aria-pressed', String(isOn));
}

function label(element: HTMLButtonElement, text: string): void {
  setAttribute(element, 'aria-label', text);
  setAttribute(element, 'title', text);
}

function draw(element: HTMLButtonElement, paths: readonly string[]): void {
  const drawn = element.querySelectorAll('path').length;
  // Each icon and its crossed-out form differ in the number of their lines.
  if (drawn !== paths.length) element.querySelector('svg')?.replaceWith(icon(...paths));
}
