import type { PhoneCallEnd, RejectReason } from '../ports.ts';
import type { LegStatistics } from '../rtp/ports.ts';

/** What the relay has done since it started, for metrics. Counts only. */
export class RelayFigures {
  readonly ended: Record<PhoneCallEnd, number> = {
    completed: 0,
    cancelled: 0,
    busy: 0,
    no_answer: 0,
    declined: 0,
    failed: 0,
    unbound: 0,
    time_over: 0,
    lost: 0,
  };
  readonly turnedAway: Record<RejectReason, number> = {
    unknown_number: 0,
    stranger: 0,
    expired: 0,
    direction: 0,
    limit: 0,
    refused: 0,
    busy: 0,
    unavailable: 0,
  };
  /** Of ended calls. `lost`: on their way to us. */
  readonly packets = { in: 0, out: 0, lost: 0, dropped: 0 };
  /** Calls that were to be recorded, and were not, or not to their end. */
  notRecorded = 0;
  /** Writes of the call table that failed: such a call is not ended by a restart. */
  tableFailures = 0;
  /** Sessions whose sound failed, and calls ended because nobody was heard. */
  soundFailures = 0;
  silent = 0;

  count({ packetsIn, packetsOut, lost, dropped }: LegStatistics): void {
    this.packets.in += packetsIn;
    this.packets.out += packetsOut;
    this.packets.lost += lost;
    this.packets.dropped += dropped;
  }
}
