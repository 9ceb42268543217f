import type { Call, CallToRestore } from '@teleconsult/client-sdk/api';
import { defineFloatingCall, type FloatingCall } from '@teleconsult/client-sdk/ui';
import type { CallMedia } from '@teleconsult/protocol';
import { MockClient } from '../../../web/dev/mock-client.ts';
import * as ids from '../../../web/dev/mock-ids.ts';
import { mockView } from '../../../web/dev/mock-thread.ts';
import { RecordedCall } from './recorded-call.ts';

/** An app with two routes and the element beside them, for the tests to drive. */

const search = new URLSearchParams(location.search);
const isChinese = search.get('lang') === 'zh';
document.documentElement.lang = isChinese ? 'zh-CN' : 'en';
const NAMES: Readonly<Record<string, string>> = isChinese
  ? { 'doctor-1': '王晓明医生', 'patient-1': '李静', 'relative-1': '李强' }
  : { 'doctor-1': 'Dr Astrid Lindqvist', 'patient-1': 'Nora Berg', 'relative-1': 'Erik Berg' };

class Floating {
  readonly client = new MockClient();
  readonly consultation = mockView({ patient: 'patient', doctor: 'doctor' }, 'active');
  readonly events: string[] = [];
  /** What the live regions said, in order; what interrupts is marked. */
  readonly spoken: string[] = [];
  call: RecordedCall | null = null;
  element: FloatingCall = this.create();

  constructor() {
    this.client.personId = ids.personId('doctor-1');
    document.querySelector('#float')?.addEventListener('click', () => {
      void this.element.float(this.wanted);
    });
  }

  /** The form that the button asks for. */
  wanted: 'document' | 'video' | 'page' | undefined = undefined;

  create(): FloatingCall {
    const element = document.createElement('teleconsult-floating-call') as FloatingCall;
    element.client = this.client;
    element.nameOf = (personId) => NAMES[personId] ?? personId;
    element.addEventListener('teleconsult-form', ({ detail }) => this.events.push(detail.state));
    element.addEventListener('teleconsult-expand', ({ detail }) =>
      this.events.push(`expand ${detail.callId === this.call?.id}`),
    );
    if (element.shadowRoot !== null) this.#listen(element.shadowRoot);
    return element;
  }

  #listen(root: ShadowRoot): void {
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        const live = target instanceof Element ? target.getAttribute('aria-live') : null;
        for (const { textContent } of live === null ? [] : addedNodes)
          this.spoken.push(`${live === 'assertive' ? '! ' : ''}${textContent}`);
      }
    }).observe(root, { childList: true, subtree: true });
  }

  /** A call of this device that runs, or rings out. */
  begin(media: CallMedia = 'video', role: Call['role'] = 'answered'): RecordedCall {
    const call = new RecordedCall({
      consultation: this.consultation,
      self: ids.personId('doctor-1'),
      other: ids.personId('patient-1'),
      media,
      role,
      onEnd: () => this.client.becomeActive(null),
    });
    call.cameraOn = media === 'video';
    this.call = call;
    this.client.becomeActive(call);
    return call;
  }

  toRestore(): CallToRestore {
    return { consultationId: this.consultation.consultationId, callId: ids.callId(), at: Date.now() };
  }

  /** What stands in the shadow tree. */
  find(testId: string): HTMLElement | null {
    return this.element.shadowRoot?.querySelector<HTMLElement>(`[data-testid="${testId}"]`) ?? null;
  }
}

if (search.has('properties-first')) {
  // As a framework does that renders before the bundle with the element has come.
  const early = document.createElement('teleconsult-floating-call') as FloatingCall;
  Object.assign(early, { unread: 4 });
  document.body.append(early);
}
defineFloatingCall();
defineFloatingCall();
const floating = new Floating();
Object.assign(globalThis, { floating });
document.body.append(floating.element);
if (search.has('at-once')) {
  // Before anybody has clicked: scripts that a test runs count as clicks.
  floating.begin('voice');
  floating.element.expanded = true;
  const form = await floating.element.float();
  floating.events.push(`floated ${form} ${floating.element.state} ${floating.element.expanded}`);
  floating.element.expanded = true;
  floating.events.push(`floated ${await floating.element.float('video')} ${floating.element.state}`);
}
if (search.has('blocked')) {
  // A restored call, as it is before anybody has clicked.
  floating.element.expanded = search.has('large');
  const call = floating.begin();
  call.isRestored = true;
  call.becomeAwaiting(['microphone']);
}
document.documentElement.dataset['page'] = 'shown';
