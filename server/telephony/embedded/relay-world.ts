import type { Clock, Log } from '../../host/ports.ts';
import type { OpenTape } from '../ports.ts';
import type { CallNews } from './call-news.ts';
import type { CallTable } from './call-table.ts';
import type { Farewells } from './farewells.ts';
import type { PhoneLine } from './phone-line.ts';
import type { RelayFigures } from './relay-figures.ts';

/** What every call needs of the relay it runs in. */
export interface RelayWorld {
  readonly line: PhoneLine;
  readonly news: CallNews;
  readonly table: CallTable;
  readonly figures: RelayFigures;
  readonly farewells: Farewells;
  /** null: nothing is recorded here. */
  readonly openTape: OpenTape | null;
  readonly log: Log;
  readonly clock: Clock;
}
