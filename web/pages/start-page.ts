import { showLanguage } from '../i18n/language.ts';
import { createRegion } from '../state/announcer.ts';
import type { Sdk } from '../state/sdk.ts';
import { followVisibleHeight } from '../state/viewport.ts';

/** Prepares the document and hands the SDK to the one element of the page. */
export function startPage(tag: 'tele-app-patient' | 'tele-app-doctor', sdk: Sdk): void {
  showLanguage();
  createRegion();
  followVisibleHeight();
  const app = document.querySelector<HTMLElement & { sdk: Sdk | null }>(tag);
  if (app !== null) app.sdk = sdk;
}
