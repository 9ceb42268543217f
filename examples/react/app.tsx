import type { Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import type { FloatingCall } from '@teleconsult/client-sdk/ui';
import { type MouseEvent, useEffect, useRef, useState } from 'react';
import { Visit } from './visit.tsx';

const ROUTES = { '/': 'Visit', '/records': 'Records', '/notes': 'Notes' };

export function App({ client, opening }: { client: TeleconsultClient; opening: Promise<Consultation> }) {
  const [path, setPath] = useState(location.pathname);
  const [notes, setNotes] = useState('');
  const [visit, setVisit] = useState<Consultation | null>(null);
  const [unread, setUnread] = useState(0);
  const floating = useRef<FloatingCall>(null);

  useEffect(() => void opening.then(setVisit, console.warn), [opening]);
  useEffect(() => {
    if (visit === null) return;
    setUnread(visit.unread.unread);
    return visit.on('unread', (now) => setUnread(now.unread));
  }, [visit]);
  useEffect(() => {
    const follow = () => setPath(location.pathname);
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);

  const go = (to: string) => {
    history.pushState(null, '', to);
    setPath(to);
  };
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    event.preventDefault();
    go(event.currentTarget.pathname);
  };
  // A click lets the browser open a window above all others, where it has one.
  const float = () => {
    floating.current?.float().catch(console.warn);
    if (path === '/') go('/records');
  };
  const nameOf = (personId: string) =>
    visit?.view.participants.find((one) => one.personId === personId)?.displayName ?? 'Call';

  return (
    <>
      <nav>
        {Object.entries(ROUTES).map(([to, label]) => (
          <a key={to} href={to} onClick={follow} aria-current={to === path ? 'page' : undefined}>
            {label}
          </a>
        ))}
        <button type="button" onClick={float}>
          Small window
        </button>
      </nav>
      <main>
        {path === '/records' && <Records />}
        {path === '/notes' && (
          <>
            <h1>Notes</h1>
            <textarea
              aria-label="Notes of this visit"
              value={notes}
              onChange={(event) => setNotes(event.target.value)}
            />
          </>
        )}
        {path === '/' && <Visit client={client} visit={visit} />}
      </main>
      <teleconsult-floating-call
        ref={floating}
        client={client}
        expanded={path === '/'}
        nameOf={nameOf}
        unread={unread}
        onteleconsult-expand={() => go('/')}
      />
    </>
  );
}

function Records() {
  return (
    <>
      <h1>Records</h1>
      <p>Blood pressure 128/82 · Penicillin: allergic · Last visit: 3 March</p>
    </>
  );
}
