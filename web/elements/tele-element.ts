import type { MediaSource } from '@teleconsult/protocol';
import { LitElement } from 'lit';
import type { Messages } from '../i18n/en.ts';
import { LanguageController, messages } from '../i18n/language.ts';
import { failure, type Notice, noticeOf } from '../state/notice.ts';

/** What every element of these pages shares: the words of the chosen language, and a way to say what failed. */
export abstract class TeleElement extends LitElement {
  constructor() {
    super();
    new LanguageController(this);
  }

  protected get words(): Messages {
    return messages();
  }

  /** Tells something to the elements above, across shadow roots. */
  protected tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  protected notify(notice: Notice): void {
    this.tell('tele-notice', notice);
  }

  /** Fetches the code of something that most visits never open; false, and a notice, when it does not arrive. */
  protected async fetched(code: () => Promise<unknown>): Promise<boolean> {
    try {
      await code();
      return true;
    } catch {
      this.notify(failure(this.words.errors.DISCONNECTED));
      return false;
    }
  }

  /**
   * Runs what a button started. Its failure becomes a notice, in the words of the device where it is about one; true
   * says that it succeeded.
   */
  protected async attempt(action: () => Promise<unknown>, device?: MediaSource): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const notice = noticeOf(error, device);
      if (notice !== null) this.notify(notice);
      return false;
    }
  }
}
