// Tells the reader what set-up is doing. A step that finds its work done prints nothing, so the second start
// is quiet. On a terminal the current line ticks; elsewhere (CI, a log file) plain lines are added now and then.

/** A log that says nothing for this long looks stuck. */
const PLAIN_LINE_EVERY_MS = 15_000;
const TICK_MS = 1_000;
const NAME_WIDTH = 10;

/**
 * @typedef {object} Progress
 * @property {<T>(name: string, work: (step: Step) => Promise<T>) => Promise<T>} step
 * @property {(text: string) => void} warn
 *
 * @typedef {object} Step
 * @property {(text: string) => void} doing starts work worth a line of its own
 * @property {(text: string) => void} detail how far the work is, such as "12/258 compiled"
 * @property {(text: string) => void} done ends the line, with what came out of the work
 */

/**
 * @param {object} [options]
 * @param {{ write: (text: string) => unknown, isTTY?: boolean, columns?: number }} [options.out]
 * @param {() => number} [options.now] milliseconds
 * @param {boolean} [options.plain] one line an event, as a log wants it
 * @returns {Progress}
 */
export function createProgress({
  out = process.stderr,
  now = Date.now,
  plain = !out.isTTY || process.env.CI !== undefined,
} = {}) {
  let headed = false;

  const head = () => {
    if (headed) return;
    headed = true;
    out.write('Setting up teleconsult; the first time takes some minutes.\n');
  };
  const print = (name, text) => {
    head();
    out.write(`  ${name.padEnd(NAME_WIDTH)} ${text}\n`);
  };

  return {
    async step(name, work) {
      const line = plain ? plainLine(name, print, now) : tickingLine({ name, head, print, now, out });
      try {
        const result = await work(line);
        line.done('');
        return result;
      } catch (error) {
        line.failed();
        throw error;
      }
    },
    warn(text) {
      print('note', text);
    },
  };
}

function plainLine(name, print, now) {
  let doing;
  let startedAt = 0;
  let printedAt = 0;
  return {
    doing(text) {
      doing = text;
      startedAt = printedAt = now();
      print(name, `${text} ...`);
    },
    detail(text) {
      if (doing === undefined || now() - printedAt < PLAIN_LINE_EVERY_MS) return;
      printedAt = now();
      print(name, `${text} (${elapsed(now() - startedAt)})`);
    },
    done(text) {
      if (doing !== undefined) print(name, `${text || 'done'} (${elapsed(now() - startedAt)})`);
      doing = undefined;
    },
    failed() {
      if (doing !== undefined) print(name, `failed (${elapsed(now() - startedAt)})`);
      doing = undefined;
    },
  };
}

function tickingLine({ name, head, print, now, out }) {
  let doing;
  let detail = '';
  let startedAt = 0;
  let timer;
  const draw = () => {
    const text = `  ${name.padEnd(NAME_WIDTH)} ${elapsed(now() - startedAt)}  ${detail || doing}`;
    // A line wider than the terminal would wrap, and then only its last row could be drawn over.
    out.write(`\r\x1b[2K${text.slice(0, (out.columns || 80) - 1)}`);
  };
  const end = (outcome) => {
    if (doing === undefined) return;
    clearInterval(timer);
    out.write('\r\x1b[2K');
    print(name, `${doing}: ${outcome} (${elapsed(now() - startedAt)})`);
    doing = undefined;
  };
  return {
    doing(text) {
      end('done');
      head();
      doing = text;
      detail = '';
      startedAt = now();
      timer = setInterval(draw, TICK_MS);
      // The reader's Ctrl-C must not wait for a drawing.
      timer.unref();
      draw();
    },
    detail(text) {
      detail = text;
      if (doing !== undefined) draw();
    },
    done: (text) => end(text || 'done'),
    failed: () => end('failed'),
  };
}

/** "0.4 s", "41 s", "5 min 02 s". */
export function elapsed(durationMs) {
  if (durationMs < 10_000) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
