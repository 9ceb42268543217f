/** What passes between the server's thread and the one that writes. */
export type SqlValue = string | number | null | Uint8Array;

export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** Statements that are written all or not at all. */
export interface Unit {
  readonly id: number;
  readonly statements: readonly Statement[];
}

export type WriteFailure =
  | { readonly kind: 'unique'; readonly constraint: string }
  | { readonly kind: 'full' }
  /** Another process holds the database, or the system refused a write: nothing was written, it may be repeated. */
  | { readonly kind: 'unavailable'; readonly errcode: number }
  /** The disk reported an error. What the file holds is unknown, so nothing more is written. */
  | { readonly kind: 'broken'; readonly errcode: number }
  | { readonly kind: 'bug'; readonly message: string };

export type UnitResult =
  | { readonly id: number; readonly ok: true; readonly changes: readonly number[] }
  | { readonly id: number; readonly ok: false; readonly failure: WriteFailure };

export type FromWriter =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'results'; readonly results: readonly UnitResult[] };

export type ToWriter =
  | { readonly type: 'units'; readonly units: readonly Unit[] }
  | { readonly type: 'close' };
