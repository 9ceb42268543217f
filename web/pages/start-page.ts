import { showLanguage } from '../i18n/language.ts';
import { createRegion } from '../state/announcer.ts';
import { parseFragment } from '../state/credentials.ts';
import { invitationIn } from '../state/invitation-link.ts';
import type { Sdk } from '../state/sdk.ts';
import { followVisibleHeight } from '../state/viewport.ts';

/** Prepares the document and hands the SDK to the one element of the page. */
export function startPage(tag: 'tele-app-patient' | 'tele-app-doctor', sdk: Sdk): void {
  showLanguage();
  createRegion();
  followVisibleHeight();
  // A link opened where this page is open already changes the fragment only: what it carries is read at the start.
  addEventListener('hashchange', () => {
    if (parseFragment(location.hash) !== null || invitationIn(location.hash) !== null) location.reload();
  });
  const app = document.querySelector<HTMLElement & { sdk: Sdk | null }>(tag);
  if (app !== null) app.sdk = sdk;
}
