import type { GuestRole } from '@teleconsult/protocol';

/** Codes are 32 letters or digits; anything else in a link is not ours. */
const CODE = /^[0-9A-Za-z]{32}$/;
const STORAGE_KEY = 'teleconsult.invite';

/**
 * The link of an invitation. The code stands in the fragment, which browsers send to no server. Doctors open the
 * doctor's page.
 */
export function invitationLink(origin: string, role: GuestRole, code: string): string {
  const page = role === 'colleague' ? 'doctor' : 'patient';
  return `${origin}/${page}#${new URLSearchParams({ invite: code })}`;
}

export function invitationIn(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get('invite');
  return code !== null && CODE.test(code) ? code : null;
}

/** The invitation this tab was opened with. It waits through a sign-in, and is dropped when it was answered. */
export function keepInvitation(code: string | null): void {
  try {
    if (code === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, code);
  } catch {
    // Without storage the invitation must be opened again after signing in.
  }
}

export function keptInvitation(): string | null {
  try {
    const code = sessionStorage.getItem(STORAGE_KEY);
    return code !== null && CODE.test(code) ? code : null;
  } catch {
    return null;
  }
}
