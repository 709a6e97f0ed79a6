/** `npm test`: everything, lane after lane. Its last line is the sum: "N passed, N failed". */
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./install.mjs";
import { runScript, secondsSince } from "./run.mjs";
import { lanes } from "./testLanes.mjs";

await runScript(async () => {
  await ensureInstalled();
  const env = { CHROMIUM_PATH: await findChromium() };
  const summary = [];
  let passed = 0;
  let failed = 0;
  for (const { name, start } of lanes) {
    console.log(`\n── ${name}`);
    const startedMs = performance.now();
    const counts = await start(env);
    passed += counts.passed;
    failed += counts.failed;
    const skipped = counts.skipped ? `, ${counts.skipped} skipped` : "";
    summary.push(
      `${name}: ${counts.passed} passed, ${counts.failed} failed${skipped} in ${secondsSince(startedMs)}`,
    );
    console.log(`── ${summary.at(-1)}`);
  }
  console.log(`\n${summary.join("\n")}\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
