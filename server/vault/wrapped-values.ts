/** Where values that the provider's keys wrap may lie: a column of a table, and what names its rows. */
export interface ValueColumn {
  readonly table: string;
  readonly column: string;
  /** The columns that name a row. */
  readonly rowKey: readonly string[];
}

export type RowKey = readonly (string | number)[];

export interface StoredValue {
  readonly row: RowKey;
  readonly sealed: Uint8Array;
}

export interface ValuePage {
  /** Those of the rows looked at that hold a sealed object. */
  readonly values: readonly StoredValue[];
  /** Where the next page begins; null: there is none. */
  readonly next: RowKey | null;
}

/**
 * Everything in the database that is a sealed object, such as consultations' keys and records of people. What is a
 * sealed field needs no key of the provider and is not among it.
 */
export interface WrappedValues {
  /** Each column where such a value can be. */
  columns(): readonly ValueColumn[];
  /**
   * Looks at `limit` rows after one, in the order of their keys. Values in which one of the names of `except` occurs are
   * left out: a quick way to pass over what a known key wraps.
   */
  page(
    column: ValueColumn,
    options: { readonly after: RowKey | null; readonly limit: number; readonly except?: readonly string[] },
  ): ValuePage;
  /** Puts a value in the place of another, durably. False when the other is not there any more; nothing is written then. */
  replace(column: ValueColumn, value: StoredValue, by: Uint8Array): Promise<boolean>;
}
