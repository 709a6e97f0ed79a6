/** `npm run check`: format, lint, types and dead code. Prints only what failed. */
import { pathToFileURL } from "node:url";
import { ensureInstalled } from "./install.mjs";
import { run, runScript, secondsSince } from "./run.mjs";

const steps = [
  { name: "format", command: "prettier", args: ["--check", "--log-level", "warn", "."] },
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "types", command: "tsc", args: ["-p", "tsconfig.json"] },
  { name: "types without a page", command: "tsc", args: ["-p", "tsconfig.engine.json"] },
  { name: "dead code", command: "knip", args: ["--no-progress"] },
];

/** Runs every step, prints the output of those that fail, and resolves to `{ passed, failed }`. */
export async function check() {
  const startedMs = performance.now();
  let failed = 0;
  for (const { name, command, args } of steps) {
    const { code, output } = await run(command, args, { quiet: true });
    if (code === 0) continue;
    failed += 1;
    console.log(`\ncheck: ${name} failed (${[command, ...args].join(" ")})\n${output.trimEnd()}`);
  }
  if (failed === 0) console.log(`check: all ${steps.length} passed in ${secondsSince(startedMs)}`);
  return { passed: steps.length - failed, failed };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runScript(async () => {
    await ensureInstalled();
    return (await check()).failed === 0 ? 0 : 1;
  });
}
