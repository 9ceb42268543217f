import type { Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import { defineComponent, h, onUnmounted, ref, shallowRef } from 'vue';
import { FloatingCall } from './floating-call.ts';
import { Visit } from './visit.ts';

const ROUTES = { '/': 'Visit', '/records': 'Records', '/notes': 'Notes' };

/** Written with `h`, so that nothing but Vue itself is needed; templates work the same. */
export const createVisitApp = (client: TeleconsultClient, opening: Promise<Consultation>) =>
  defineComponent(() => {
    const path = ref(location.pathname);
    const notes = ref('');
    const unread = ref(0);
    // Shallow: objects of the SDK have private fields, which a deep proxy cannot reach.
    const visit = shallowRef<Consultation | null>(null);
    const floating = shallowRef<{ float(): Promise<unknown> } | null>(null);

    void opening.then((opened) => {
      visit.value = opened;
      unread.value = opened.unread.unread;
      opened.on('unread', (now) => {
        unread.value = now.unread;
      });
    }, console.warn);

    const follow = () => {
      path.value = location.pathname;
    };
    addEventListener('popstate', follow);
    onUnmounted(() => removeEventListener('popstate', follow));

    const go = (to: string) => {
      history.pushState(null, '', to);
      path.value = to;
    };
    // A click lets the browser open a window above all others, where it has one.
    const float = () => {
      floating.value?.float().catch(console.warn);
      if (path.value === '/') go('/records');
    };
    const nameOf = (personId: string) =>
      visit.value?.view.participants.find((one) => one.personId === personId)?.displayName ?? 'Call';

    const link = ([to, label]: [string, string]) =>
      h(
        'a',
        {
          href: to,
          'aria-current': to === path.value ? 'page' : undefined,
          onClick: (event: Event) => {
            event.preventDefault();
            go(to);
          },
        },
        label,
      );

    const route = () => {
      if (path.value === '/records')
        return [h('h1', 'Records'), h('p', 'Blood pressure 128/82 · Penicillin: allergic')];
      if (path.value !== '/notes') return [h(Visit, { client, visit: visit.value })];
      const onInput = (event: Event) => {
        if (event.target instanceof HTMLTextAreaElement) notes.value = event.target.value;
      };
      return [
        h('h1', 'Notes'),
        h('textarea', { 'aria-label': 'Notes of this visit', value: notes.value, onInput }),
      ];
    };

    return () => [
      h('nav', [
        ...Object.entries(ROUTES).map(link),
        h('button', { type: 'button', onClick: float }, 'Small window'),
      ]),
      h('main', route()),
      h(FloatingCall, {
        ref: floating,
        client,
        nameOf,
        expanded: path.value === '/',
        unread: unread.value,
        onExpand: () => go('/'),
      }),
    ];
  });
