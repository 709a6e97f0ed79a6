/** Starts the project's tools as child processes. */
import { spawn } from "node:child_process";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder; every script works from here, wherever it was called. */
export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Where reference values for tests lie; it may be absent. */
export const fixturesFolder = resolve(projectRoot, process.env.FIXTURES_DIR ?? "../shared/fixtures");

/**
 * Runs a command, from the project's folder unless `cwd` says otherwise, with node_modules/.bin first on the PATH.
 * With `quiet` its output is collected into `output` instead of being shown.
 */
export function run(command, args, { cwd = projectRoot, env = {}, quiet = false } = {}) {
  const path = [join(projectRoot, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env, PATH: path },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a script's main function; what it throws becomes one sentence and exit code 1. */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Seconds since `startedMs`, for people: "4.2 s". */
export function secondsSince(startedMs) {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}
