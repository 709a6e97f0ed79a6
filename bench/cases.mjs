/** Runs the cases one by one, each within its limit, and writes every result as soon as it is there. */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { projectRoot, secondsSince } from "../tools/scripts/run.mjs";
import { report } from "./report.mjs";

const MS_PER_SECOND = 1000;

/** The commit that is measured, marked when files were changed since. */
function currentCommit() {
  try {
    const git = (...args) => execFileSync("git", args, { cwd: projectRoot, encoding: "utf8" }).trim();
    const isChanged = git("status", "--porcelain", "--", "src", "bench") !== "";
    return `${git("rev-parse", "--short=10", "HEAD")}${isChanged ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}

/** A row of a case that could not be measured. */
function failedRow(name, reason) {
  return {
    name,
    shape: "",
    medianMs: { own: null, tfjs: null, jax: null },
    ratio: { tfjs: null, jax: null },
    gigaflops: null,
    counts: { own: null, tfjs: null, jax: null },
    forwardDispatchesPerLayer: null,
    backwardDispatchesPerLayer: null,
    optimizerDispatches: null,
    tensorGrowth: null,
    estimatedBytes: null,
    measuredPeakBytes: null,
    methods: null,
    generation: null,
    skipped: reason,
  };
}

/** The case's row, or why there is none: `start` gives `{ result, close }` and is always closed. */
async function withinLimit({ name, limitSeconds }, start, context) {
  const { result, close } = await start(name, context);
  let timer;
  const limit = new Promise((_, reject) => {
    const giveUp = () => reject(new Error(`not done within ${limitSeconds} s`));
    timer = setTimeout(giveUp, limitSeconds * MS_PER_SECOND);
  });
  try {
    return { row: await Promise.race([result, limit]), isFailed: false };
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    return { row: failedRow(name, `failed: ${reason}`), isFailed: true };
  } finally {
    clearTimeout(timer);
    // The reason is known already.
    result.catch(() => undefined);
    await close();
  }
}

/**
 * Runs all chosen cases and prints the tables; resolves to the exit code, which is 1 when a case failed.
 * `start(name, context)` begins a case on a device of its own.
 */
export async function runCases({ options, backend, cases, adapter, start }) {
  if (options.isList) {
    console.log(cases.map(({ name }) => name).join("\n"));
    return 0;
  }
  const isAsked = ({ name }) => options.only.some((text) => name.includes(text));
  const chosen = options.only.length === 0 ? cases : cases.filter(isAsked);
  if (chosen.length === 0) throw new Error(`No case contains ${options.only.join(" or ")}: see --list.`);
  const result = { adapter, backend, commit: currentCommit(), rows: [] };
  const startedMs = performance.now();
  let failed = 0;
  for (const each of chosen) {
    console.error(`${secondsSince(startedMs)}: ${each.name}`);
    const context = { isSoftware: adapter.isFallbackAdapter, isAsked: isAsked(each) };
    const { row, isFailed } = await withinLimit(each, start, context);
    if (isFailed) console.error(`  ${row.skipped}`);
    failed += isFailed ? 1 : 0;
    result.rows.push(row);
    if (options.jsonFile) await writeFile(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  }
  console.log(report(result));
  return failed === 0 ? 0 : 1;
}
