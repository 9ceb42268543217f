import { FloatingCallElement } from './floating-call-element.ts';

/**
 * Makes `<teleconsult-floating-call>` known to the page. May be called any number of times, also by two bundles in one
 * page; where there are no custom elements (on a server) it does nothing.
 */
export function defineFloatingCall(): void {
  if (typeof customElements === 'undefined') return;
  if (customElements.get('teleconsult-floating-call') === undefined)
    customElements.define('teleconsult-floating-call', FloatingCallElement);
}
