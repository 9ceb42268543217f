/** Why the vault cannot be used at all. A closed list: the operator's manual has a paragraph for each. */
export type VaultErrorReason =
  /** There is no key file although sealed data exists, or the process may not create one. */
  | 'KEY_FILE_MISSING'
  /** The key file or its directory is open to other users of the machine. */
  | 'KEY_FILE_EXPOSED'
  /** The key file is not what `docs/VAULT-FORMAT.md` describes. */
  | 'KEY_FILE_MALFORMED'
  /** The key file cannot be read or written; the operating system's error is the cause. */
  | 'KEY_FILE_UNAVAILABLE'
  /** Something stored is wrapped under a key that is not there (any more). */
  | 'KEY_MISSING'
  /** A key cannot be retired: it is the current one, something stored needs it, or a server still wraps with it. */
  | 'KEY_NEEDED'
  /** There is no key of this name. */
  | 'KEY_UNKNOWN';

/** Ends the start of the server, or a command. It is for the operator: no caller of the product ever sees one. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly reason: VaultErrorReason;

  constructor(reason: VaultErrorReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}
