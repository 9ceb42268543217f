/** Who is signed in, and which visit it is about. */
export interface Session {
  readonly token: string;
  readonly consultationId: string;
}

/**
 * Stands in for your own sign-in: takes both from `#token=…&consultation=…`, as in the links that `npm start` prints, and
 * keeps them for reloads of this tab. In your app the token comes from your own server at each connection
 * (`token: () => fetch('/visit-token').then(…)`), so that a restarted browser finds its call as well.
 */
export function currentSession(): Session {
  const link = new URLSearchParams(location.hash.slice(1));
  const kept = (name: string): string => {
    const value = link.get(name) ?? sessionStorage.getItem(`example.${name}`);
    if (value === null) {
      document.body.textContent =
        'Put the part from # on of a link that "npm start" prints into this address.';
      throw new Error('nobody is signed in');
    }
    sessionStorage.setItem(`example.${name}`, value);
    return value;
  };
  const session = { token: kept('token'), consultationId: kept('consultation') };
  // The token stays neither in the history nor in a copied address.
  history.replaceState(history.state, '', location.pathname);
  return session;
}
