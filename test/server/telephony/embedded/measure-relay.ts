/**
 * What calls through the embedded relay cost: `npm run measure:relay -- [calls] [seconds] [plain]`. Real SIP and real
 * sound on the loopback, both ways, recorded unless `plain` is said; the telephones are a thread of their own.
 */
import { percentile, runLoad } from './load.ts';

const [calls = '100', seconds = '15', plain] = process.argv.slice(2);
const load = { calls: Number(calls), seconds: Number(seconds), recorded: plain !== 'plain' };
const result = await runLoad(load);
const { sent, received, delays, relay, soundCpu, mainCpu, answerMs, connected, tapedSeconds, lateMs } =
  result;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

console.log(`${connected} of ${load.calls} calls connected, ${load.recorded ? 'recorded' : 'not recorded'}`);
console.log(`INVITE to answer: median ${percentile(answerMs, 0.5).toFixed(0)} ms`);
console.log(`${sent} packets sent, ${received} received, ${sent - received} lost`);
console.log(`relay: ${relay.in} in, ${relay.out} out, ${relay.dropped} dropped`);
console.log(
  `added delay: median ${percentile(delays, 0.5).toFixed(2)} ms, p99 ${percentile(delays, 0.99).toFixed(2)} ms`,
);
console.log(
  `sound thread: ${percent(soundCpu)} of a core, ${((100 * soundCpu) / connected).toFixed(3)} % a call`,
);
console.log(
  `main thread: ${percent(mainCpu)} of a core, ${((100 * mainCpu) / connected).toFixed(3)} % a call`,
);
console.log(`on the tapes: ${(tapedSeconds / connected).toFixed(1)} s a call`);
console.log(`the telephones were late by ${lateMs.toFixed(0)} ms at most`);
process.exit(0);
