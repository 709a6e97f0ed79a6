/** The lanes of `npm test`: how each is run, and how its passed and failed tests are counted. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, distFolder } from "./build.mjs";
import { check } from "./check.mjs";
import { fixturesFolder, projectRoot, run } from "./run.mjs";
import { measureShell, shellBudgetBytes } from "./shellSize.mjs";

/** Counts of a Vitest JSON report; a file that could not be loaded counts as one failure. */
export function countVitest(report) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Counts of a Playwright JSON report; a flaky test is a failed one. */
export function countPlaywright({ stats, errors }) {
  const failed = stats.unexpected + stats.flaky + errors.length;
  return { passed: stats.expected, failed, skipped: stats.skipped };
}

/** Counts of the summary that ends a TAP report of Node's test runner. */
export function countTap(report) {
  const figure = (name) => Number(report.match(new RegExp(`^# ${name} (\\d+)$`, "m"))?.[1] ?? 0);
  return {
    passed: figure("pass"),
    failed: figure("fail") + figure("cancelled"),
    skipped: figure("skipped") + figure("todo"),
  };
}

/** The counts that a lane's exit code and its report agree on: a lane that broke never counts as passed. */
export function reconcile(code, counts) {
  const { passed = 0, failed = 0, skipped = 0 } = counts ?? {};
  const isSilentFailure = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: isSilentFailure ? 1 : failed, skipped };
}

/** Calls `body` with the path of a report file to be, and counts what the tool has written there. */
async function withReport(body, count) {
  const folder = await mkdtemp(join(tmpdir(), "prefscope-test-"));
  const reportFile = join(folder, "report");
  try {
    const { code } = await body(reportFile);
    const counts = await readFile(reportFile, "utf8").then(count, () => undefined);
    return reconcile(code, counts);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function vitest(project, env) {
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json"];
  return withReport(
    (reportFile) => run("vitest", [...args, `--outputFile.json=${reportFile}`], { env }),
    (report) => countVitest(JSON.parse(report)),
  );
}

function playwright(env) {
  return withReport(
    (reportFile) =>
      run("playwright", ["test", "--reporter=list,json"], {
        env: { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile },
      }),
    (report) => countPlaywright(JSON.parse(report)),
  );
}

/** The tests of the tools that are written in JavaScript. */
async function scripts() {
  const folder = join(projectRoot, "tools");
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".test.mjs"));
  return withReport(
    (reportFile) =>
      run("node", [
        "--test",
        "--test-reporter=dot",
        "--test-reporter-destination=stdout",
        "--test-reporter=tap",
        `--test-reporter-destination=${reportFile}`,
        ...names.map((name) => join(folder, name)),
      ]),
    countTap,
  );
}

async function buildSite() {
  try {
    await build();
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const shellBytes = await measureShell(distFolder);
  const isSmall = shellBytes <= shellBudgetBytes;
  console.log(
    `The page's shell is ${shellBytes} bytes of gzipped JavaScript, of ${shellBudgetBytes} allowed.`,
  );
  return { passed: isSmall ? 2 : 1, failed: isSmall ? 0 : 1, skipped: 0 };
}

/** Reference values are not part of the project: without them this lane says so and the rest still counts. */
async function fixtures(env) {
  if (existsSync(fixturesFolder)) return vitest("fixtures", env);
  console.log(`Nothing is compared with the fixtures: ${fixturesFolder} is not there.`);
  return { passed: 0, failed: 0, skipped: 0 };
}

/** In the order they run: each resolves to `{ passed, failed, skipped }`; `env` names the browser. */
export const lanes = [
  { name: "check", start: check },
  { name: "scripts", start: scripts },
  { name: "unit", start: (env) => vitest("node", env) },
  { name: "fixtures", start: fixtures },
  { name: "GPU parity", start: (env) => vitest("webgpu", env) },
  { name: "build", start: buildSite },
  { name: "end to end", start: playwright },
];
