import type { TeleconsultClient } from '../api.ts';
import { newsBetween } from './announcements.ts';
import { askedPlace } from './asked-place.ts';
import { BrowserControls } from './browser-controls.ts';
import { requestsOf } from './call-requests.ts';
import { awaitedInWords, captionOf, type Speech } from './caption.ts';
import { Card } from './card.ts';
import { make, setAttribute } from './dom.ts';
import type { FloatingCall, FloatingCallEventMap, FloatingForm, FloatingState } from './floating-call-api.ts';
import { FollowedCall } from './followed-call.ts';
import { Forms, offeredForms } from './forms.ts';
import { LiveRegion } from './live-region.ts';
import { leaveTurn, type Turn, takeTurn } from './one-window.ts';
import { Pill } from './pill.ts';
import type { Size } from './placement.ts';
import type { Scene } from './scene.ts';
import { ShownSizes } from './shown-sizes.ts';
import { sheet } from './styles.ts';
import type { VideoLook } from './video-window.ts';
import { Voices } from './voices.ts';
import { LOCALES, languageAround, wordsOf } from './words.ts';

/** How often the duration is written, and the sizes are said again. */
const TICK_MS = 1_000;
const NOTHING: Scene = { kind: 'none' };
/** Properties that an app may have set before the element was defined. */
const PROPERTIES = ['client', 'nameOf', 'expanded', 'unread', 'silent'] as const;

/** Where there are no elements (a server that renders pages) the module can be loaded all the same. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/**
 * `<teleconsult-floating-call>`, as floating-call-api.ts describes it.
 *
 * Shadow parts: `window`, `stage`, `picture`, `caption`, `controls`, `button` (with `microphone`, `camera`, `expand`,
 * `hang-up`, `continue`, `close` or `go-on`), `badge`. They are styled by the page, so they hold for the window in the page
 * alone.
 *
 * Custom properties, for all forms: `--teleconsult-stage` and `--teleconsult-stage-text` (behind the picture and its
 * words), `--teleconsult-bar`, `--teleconsult-text`, `--teleconsult-button` (the row of buttons), `--teleconsult-accent` and
 * `--teleconsult-on-accent`, `--teleconsult-danger` (hang up, badge), `--teleconsult-focus`, `--teleconsult-line`,
 * `--teleconsult-radius`, `--teleconsult-shadow`, `--teleconsult-font`.
 *
 * What the box must not cover, such as a header and the line where messages are written, is told as `scroll-padding` of its
 * part: `teleconsult-floating-call::part(window) { scroll-padding: 56px 0 calc(96px + env(safe-area-inset-bottom)) }`. It
 * replaces the insets of the screen, so name those, too. It is read whenever the box is placed.
 *
 * `hidden` hides the window in the page and lets the call go on.
 */
export class FloatingCallElement extends Base implements FloatingCall {
  static readonly observedAttributes = ['expanded', 'unread', 'silent', 'lang'];

  #client: TeleconsultClient | null = null;
  #nameOf: ((personId: string) => string) | null = null;
  #followed: FollowedCall | null = null;
  #scene: Scene = NOTHING;
  #told: { readonly scene: Scene; readonly state: FloatingState } = { scene: NOTHING, state: 'none' };
  /** True while this one, of all in the page, shows the call. */
  #hasTurn = false;
  #isRefreshing = false;
  #opening: Promise<FloatingForm> | null = null;
  /** The window was opened by the browser as the person left the tab: back here, it is as it was before. */
  #expandsOnReturn = false;
  #ticker: ReturnType<typeof setInterval> | undefined;
  readonly #requests = requestsOf({
    scene: () => this.#scene,
    playSound: () => this.#voices.play(),
    failed: (error, source) => this.#followed?.failed(error, source),
  });
  readonly #card = new Card({
    ...this.#requests,
    expand: () => this.expand(),
    dismiss: () => this.#followed?.dismiss(),
  });
  readonly #forms = new Forms({
    card: this.#card,
    host: this,
    onClosed: () => this.#handleWindowClosed(),
    onMoved: () => this.#showSizes(),
  });
  readonly #live = new LiveRegion();
  readonly #pill = new Pill(() => this.#requests.goOn());
  readonly #voices = new Voices((blocked) => this.#soundIs(blocked));
  readonly #sizes = new ShownSizes();
  readonly #browser = new BrowserControls();
  readonly #content = make(
    'div',
    '',
    this.#live.element,
    this.#forms.page.element,
    this.#pill.element,
    this.#voices.element,
    this.#forms.video.element,
  );
  readonly #turn: Turn = { begin: () => this.#begin() };
  readonly #language = new MutationObserver(() => this.#refresh());
  readonly #handleVisibility = (): void => this.#refresh();
  readonly #handleGesture = (): void => this.#voices.play();

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet(window, 'page')];
    shadow.append(this.#content);
  }

  get client(): TeleconsultClient | null {
    return this.#client;
  }

  set client(client: TeleconsultClient | null) {
    if (client === this.#client) return;
    this.#client = client;
    this.#follow();
  }

  get nameOf(): ((personId: string) => string) | null {
    return this.#nameOf;
  }

  set nameOf(nameOf: ((personId: string) => string) | null) {
    this.#nameOf = nameOf;
    this.#refresh();
  }

  get expanded(): boolean {
    return this.hasAttribute('expanded');
  }

  set expanded(expanded: boolean) {
    this.toggleAttribute('expanded', expanded);
  }

  get unread(): number {
    const unread = Math.floor(Number(this.getAttribute('unread')));
    return unread > 0 ? unread : 0;
  }

  set unread(unread: number) {
    if (unread > 0) this.setAttribute('unread', String(unread));
    else this.removeAttribute('unread');
  }

  get silent(): boolean {
    return this.hasAttribute('silent');
  }

  set silent(silent: boolean) {
    this.toggleAttribute('silent', silent);
  }

  get state(): FloatingState {
    return this.#forms.state;
  }

  get forms(): readonly FloatingForm[] {
    return offeredForms();
  }

  async float(form?: FloatingForm): Promise<FloatingForm> {
    const [best = 'page'] = this.forms;
    const wanted = form === undefined ? best : form;
    if (this.#opening !== null) return this.#opening;
    this.#opening = this.#float(this.forms.includes(wanted) ? wanted : 'page');
    try {
      return await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  expand(): void {
    const place = askedPlace(this.#scene, this.#client);
    if (place === null) return;
    // From a window of its own the page has to come to the front; a browser allows that inside a click.
    if (this.state === 'document' || this.state === 'video') window.focus();
    this.#tell('teleconsult-expand', place);
    this.#showNow();
    if (!this.expanded && this.state !== 'none') this.#forms.show('page');
    this.#refresh();
  }

  connectedCallback(): void {
    for (const name of PROPERTIES) this.#upgrade(name);
    takeTurn(this.#turn);
  }

  /** An element that is only moved within the page goes on. */
  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (!this.isConnected && this.#hasTurn) this.#end();
      if (!this.isConnected) leaveTurn(this.#turn);
    });
  }

  attributeChangedCallback(): void {
    this.#refresh();
  }

  #begin(): void {
    if (this.#hasTurn) {
      // Moved within the page: what plays was paused by it, and the box left the top layer.
      this.#voices.play();
      this.#forms.page.reopen();
      return;
    }
    this.#hasTurn = true;
    document.addEventListener('visibilitychange', this.#handleVisibility);
    this.#language.observe(document.documentElement, { attributeFilter: ['lang'] });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#follow();
  }

  /** Lets go of everything but the call, which goes on. */
  #end(): void {
    this.#hasTurn = false;
    document.removeEventListener('visibilitychange', this.#handleVisibility);
    this.#language.disconnect();
    clearInterval(this.#ticker);
    this.#follow();
    this.#live.clear();
  }

  #follow(): void {
    this.#followed?.close();
    this.#followed = null;
    if (this.#hasTurn && this.#client !== null)
      this.#followed = new FollowedCall({
        client: this.#client,
        nameOf: () => this.#nameOf,
        onChange: () => this.#refresh(),
      });
    this.#showNow();
  }

  /** Several changes at once are one look. It comes before the browser draws. */
  #refresh(): void {
    if (this.#isRefreshing || !this.#hasTurn) return;
    this.#isRefreshing = true;
    queueMicrotask(() => {
      this.#isRefreshing = false;
      this.#showNow();
    });
  }

  #showNow(): void {
    const scene = this.#followed?.look() ?? NOTHING;
    this.#scene = scene;
    this.#settleForm();
    const { state } = this;
    const speech = this.#speech;
    setAttribute(this.#content, 'lang', LOCALES[speech.language]);
    this.#card.show({ scene, speech, unread: this.unread, now: Date.now() });
    this.#forms.name(speech.words, 'name' in scene ? scene.name : null, LOCALES[speech.language]);
    this.#forms.page.settle();
    this.#voices.show(scene.kind === 'call' && !this.silent ? scene.call : null);
    this.#showPill(speech);
    this.#showOutside();
    this.#showSizes();
    const news = newsBetween(this.#told, { scene, state }, speech);
    if (news.length > 0 && !this.#forms.say(news)) this.#live.say(news);
    const changedForm = this.#told.state !== state;
    this.#told = { scene, state };
    if (changedForm) this.#tell('teleconsult-form', { state });
  }

  #settleForm(): void {
    const { state } = this;
    if (this.#scene.kind === 'none') this.#forms.show('none');
    // The app tells the end of a call that it showed large.
    else if (this.expanded) this.#forms.show(this.#scene.kind === 'ended' ? 'none' : 'expanded');
    else if (this.#scene.kind === 'ended' && (state === 'none' || state === 'expanded'))
      this.#forms.show('none');
    else if (state === 'none' || state === 'expanded') this.#forms.show('page');
  }

  async #float(form: FloatingForm): Promise<FloatingForm> {
    // A call that has begun this moment counts.
    this.#showNow();
    if (this.#scene.kind === 'none') return 'page';
    const opened = form !== 'page' && (await this.#forms.open(form, this.#videoLook));
    this.#expandsOnReturn = false;
    this.expanded = false;
    if (!opened && this.#forms.state !== 'none') this.#forms.show('page');
    this.#showNow();
    const { state } = this;
    return state === 'document' || state === 'video' ? state : 'page';
  }

  /** As the person leaves the tab; a browser that then refuses leaves all as it is. */
  async #floatOnLeaving(): Promise<void> {
    const wasExpanded = this.expanded;
    if (this.#opening !== null || !(await this.#forms.open('document', this.#videoLook))) return;
    this.expanded = false;
    this.#expandsOnReturn = wasExpanded;
    this.#showNow();
  }

  #handleWindowClosed(): void {
    const expands = this.#expandsOnReturn;
    this.#expandsOnReturn = false;
    if (expands) this.expand();
    else this.#showNow();
  }

  #soundIs(blocked: boolean): void {
    // Any click or key in the page is permission enough.
    for (const type of ['click', 'keydown'])
      if (blocked) document.addEventListener(type, this.#handleGesture, true);
      else document.removeEventListener(type, this.#handleGesture, true);
    this.#followed?.soundIs(blocked);
  }

  #showPill(speech: Speech): void {
    const scene = this.#scene;
    const isAway =
      this.state === 'video' || (this.state === 'expanded' && scene.kind === 'call' && scene.awaited?.sound);
    const asks = scene.kind === 'call' && isAway === true ? awaitedInWords(scene, speech.words) : '';
    const { goOn, window } = speech.words;
    this.#pill.show(asks === '' ? null : { why: asks, goOn, label: window(null) });
  }

  /** What the browser's own surfaces show and offer. */
  #showOutside(): void {
    const scene = this.#scene;
    const { toggleMicrophone, toggleCamera, hangUp } = this.#requests;
    if (this.state === 'video') this.#forms.video.show(this.#videoLook);
    this.#browser.show(
      this.state === 'video' && scene.kind === 'call'
        ? {
            microphoneOn: scene.microphoneOn,
            cameraOn: scene.cameraOn,
            toggleMicrophone,
            toggleCamera: scene.isVideo ? toggleCamera : null,
            hangUp,
          }
        : null,
    );
    const canLeave = scene.kind === 'call' && this.forms[0] === 'document';
    this.#browser.onLeavingTab(canLeave ? () => void this.#floatOnLeaving() : null);
  }

  #showSizes(): void {
    const scene = this.#scene;
    if (scene.kind !== 'call') this.#sizes.release();
    else this.#sizes.show({ scene, state: this.state, size: this.#size });
  }

  #tick(): void {
    const scene = this.#scene;
    const { state } = this;
    if (scene.kind !== 'call' || state === 'none' || state === 'expanded') return;
    this.#card.show({ scene, speech: this.#speech, unread: this.unread, now: Date.now() });
    if (state === 'video') this.#forms.video.show(this.#videoLook);
    this.#sizes.repeat({ scene, state, size: this.#size });
  }

  get #size(): Size {
    return this.#forms.videoSize ?? this.#card.picture.size;
  }

  get #videoLook(): VideoLook {
    const scene = this.#scene;
    const running = scene.kind === 'call' ? scene : null;
    const isPlain = running?.situation.kind === 'live' && running.picture !== null;
    const { words } = this.#speech;
    return {
      track: isPlain ? (running.picture?.track ?? null) : null,
      still: this.#card.picture.image,
      title: ('name' in scene ? scene.name : null) ?? words.window(null),
      state: captionOf(scene, this.#speech, Date.now()),
    };
  }

  get #speech(): Speech {
    const language = languageAround(this);
    return { language, words: wordsOf(language) };
  }

  #tell<K extends keyof FloatingCallEventMap>(type: K, detail: FloatingCallEventMap[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** A property set on a plain element hides the accessor of its class. */
  #upgrade(name: (typeof PROPERTIES)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value: unknown = Reflect.get(this, name);
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }
}
