import type { ParticipantRole } from '@teleconsult/protocol';
import { invitationIn, keepInvitation } from './invitation-link.ts';

export interface Credentials {
  readonly token: string;
  /** Left out in a doctor's link, which opens the list. */
  readonly consultationId: string | null;
}

const storageKey = (role: ParticipantRole): string => `teleconsult.${role}`;

/** `#token=…&consultation=cns_…`, or null when there is no token in it. */
export function parseFragment(fragment: string): Credentials | null {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const token = parameters.get('token');
  if (!token) return null;
  return { token, consultationId: parameters.get('consultation') || null };
}

/**
 * Reads the link this page was opened with and takes the token out of the address bar, so that it stays neither
 * in the history nor in a copied address. It is kept for this tab only; a reload finds it there. The same holds for
 * the code of an invitation.
 */
export function takeCredentials(role: ParticipantRole): Credentials | null {
  const invitation = invitationIn(location.hash);
  if (invitation !== null) keepInvitation(invitation);
  const linked = parseFragment(location.hash);
  if (invitation !== null && linked === null)
    history.replaceState(history.state, '', location.pathname + location.search);
  if (linked !== null) {
    history.replaceState(history.state, '', location.pathname + location.search);
    keep(role, linked);
    return linked;
  }
  return kept(role);
}

/** A reload returns to this consultation, too. */
export function rememberConsultation(role: ParticipantRole, consultationId: string): void {
  const credentials = kept(role);
  if (credentials !== null) keep(role, { ...credentials, consultationId });
}

function keep(role: ParticipantRole, credentials: Credentials): void {
  try {
    sessionStorage.setItem(storageKey(role), JSON.stringify(credentials));
  } catch {
    // Without storage the link must be opened again after a reload.
  }
}

function kept(role: ParticipantRole): Credentials | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(storageKey(role)) ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const { token, consultationId } = value as Partial<Record<keyof Credentials, unknown>>;
    if (typeof token !== 'string') return null;
    return { token, consultationId: typeof consultationId === 'string' ? consultationId : null };
  } catch {
    return null;
  }
}
