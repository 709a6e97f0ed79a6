/** `npm run bench`: counts, bytes and ratios of training in headless Chromium. `--save NAME` keeps them as JSON. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromiumArgs, findChromium } from "../tools/scripts/chromium.mjs";
import { ensureInstalled } from "../tools/scripts/install.mjs";
import { projectRoot, runScript, secondsSince } from "../tools/scripts/run.mjs";
import { report } from "./report.mjs";

/** The name after `--save`, or undefined. */
function readSaveName(args) {
  if (args.length === 0) return undefined;
  const [option, name, ...rest] = args;
  if (option === "--save" && /^[A-Za-z0-9-]+$/.test(name ?? "") && rest.length === 0) return name;
  throw new Error("Usage: npm run bench [-- --save NAME], where NAME has letters, digits and hyphens.");
}

/** Serves the sources as they are: the benchmark measures what would be built. */
async function serveSources() {
  const { createServer } = await import("vite");
  const server = await createServer({
    configFile: false,
    root: projectRoot,
    cacheDir: join(projectRoot, "node_modules", ".vite-bench"),
    logLevel: "error",
    optimizeDeps: { entries: ["bench/page.html"] },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
  });
  await server.listen();
  return server;
}

async function measure() {
  const startedMs = performance.now();
  const { chromium } = await import("playwright-core");
  const executablePath = await findChromium();
  const server = await serveSources();
  const browser = await chromium.launch({ executablePath, args: chromiumArgs() });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "info") console.error(`${secondsSince(startedMs)}: ${message.text()}`);
    });
    page.on("pageerror", (error) => console.error(error.message));
    await page.goto(new URL("bench/page.html", server.resolvedUrls.local[0]).href);
    await page.waitForFunction(() => "runBenchmark" in globalThis);
    return await page.evaluate(() => globalThis.runBenchmark());
  } finally {
    await browser.close();
    await server.close();
  }
}

await runScript(async () => {
  const saveName = readSaveName(process.argv.slice(2));
  await ensureInstalled();
  const result = await measure();
  console.log(report(result));
  if (saveName === undefined) return;
  const folder = join(projectRoot, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${saveName}.json`);
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\nSaved in ${file}`);
});
