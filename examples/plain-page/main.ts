import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { defineFloatingCall, type FloatingCall } from '@teleconsult/client-sdk/ui';
import { currentSession } from '../session.ts';
import { showVisit } from './visit.ts';

defineFloatingCall();
const { token, consultationId } = currentSession();
const client = createTeleconsultClient({ url: location.origin, token });
// First of all: a call that was under way when this page was reloaded goes on.
client.restoreCall().catch(console.warn);
const visit = client.open(consultationId);

const floating = document.querySelector<FloatingCall>('teleconsult-floating-call');
const main = document.querySelector('main');
if (floating === null || main === null) throw new Error('the page is not whole');
floating.client = client;
void visit.then(({ view, on, unread }) => {
  const names = new Map<string, string>(view.participants.map((one) => [one.personId, one.displayName]));
  floating.nameOf = (personId) => names.get(personId) ?? 'Call';
  floating.unread = unread.unread;
  on('unread', (now) => {
    floating.unread = now.unread;
  });
}, console.warn);

/** What was written stays, whichever route is shown. */
let notes = '';
let leave = (): void => {};

/** Each route is put up and taken down whole, and the call does not notice. */
function show(path: string): void {
  leave();
  leave = () => {};
  const name = path === '/records' || path === '/notes' ? path.slice(1) : 'visit';
  const template = document.querySelector<HTMLTemplateElement>(`template#${name}`);
  if (main === null || floating === null || template === null) return;
  main.replaceChildren(template.content.cloneNode(true));
  for (const link of document.querySelectorAll<HTMLAnchorElement>('nav a'))
    link.ariaCurrent = link.pathname === path ? 'page' : null;
  // On this route the app shows the call large by itself.
  floating.expanded = name === 'visit';
  if (name === 'visit') leave = showVisit(main, client, visit);
  const written = main.querySelector('textarea');
  if (written === null) return;
  written.value = notes;
  written.addEventListener('input', () => {
    notes = written.value;
  });
}

function go(path: string): void {
  history.pushState(null, '', path);
  show(path);
}

document.querySelector('nav')?.addEventListener('click', (event) => {
  if (!(event.target instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  go(event.target.pathname);
});
// A click lets the browser open a window above all others, where it has one.
document.querySelector('#float')?.addEventListener('click', () => {
  floating.float().catch(console.warn);
  if (location.pathname === '/') go('/records');
});
floating.addEventListener('teleconsult-expand', () => go('/'));
addEventListener('popstate', () => show(location.pathname));
show(location.pathname);
