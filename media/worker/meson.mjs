// Reads source lists out of mediasoup's meson.build files, so that the recipe need not repeat them and follows
// a new mediasoup version by itself. It understands only plain lists of strings, and says so when it meets
// anything else: a list it cannot read must stop the build, not shorten it.

/** Conditions under which the release build of the worker adds sources. */
const CONDITIONS_OF_A_RELEASE = new Set(["if not get_option('ms_use_builtin_bwe')"]);

/**
 * The strings assigned and appended to the list `name` in the text of a meson.build file, in order.
 * Throws when the list is missing or depends on a condition this recipe has not been checked for.
 */
export function readSourceList(mesonText, name) {
  const sources = [];
  const conditions = [];
  let insideList = false;
  for (const rawLine of mesonText.split('\n')) {
    const line = rawLine.replace(/#.*$/, '').trim();
    if (insideList) {
      if (line === ']') {
        insideList = false;
      } else if (line !== '') {
        sources.push(stringOf(line, name));
      }
      continue;
    }
    if (line.startsWith('if ')) conditions.push(line);
    if (line === 'endif') conditions.pop();
    if (line !== `${name} = [` && line !== `${name} += [`) continue;
    const unknown = conditions.find((condition) => !CONDITIONS_OF_A_RELEASE.has(condition));
    if (unknown !== undefined) {
      throw new Error(
        `${name} in meson.build now depends on "${unknown}", which media/worker/meson.mjs does not know.`,
      );
    }
    insideList = true;
  }
  if (insideList || sources.length === 0) {
    throw new Error(`${name} was not found as a list of strings in meson.build; its layout has changed.`);
  }
  return sources;
}

function stringOf(line, name) {
  const match = /^'([^']+)',?$/.exec(line);
  if (match === null) throw new Error(`${name} in meson.build holds "${line}", which is not a plain string.`);
  return match[1];
}
