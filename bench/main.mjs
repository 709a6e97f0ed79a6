/** `npm run bench`: every case on a page of its own in headless Chromium. */
import { join } from "node:path";
import { chromiumArgs, findChromium } from "../tools/scripts/chromium.mjs";
import { ensureInstalled } from "../tools/scripts/install.mjs";
import { projectRoot, runScript } from "../tools/scripts/run.mjs";
import { runCases } from "./cases.mjs";
import { readOptions } from "./options.mjs";

/** How long a page may take to load where others compute as well: the first one waits for the dependencies. */
const PAGE_MS = 180_000;

/** Serves the sources as they are: the benchmark measures what would be built. */
async function serveSources() {
  const { createServer } = await import("vite");
  const server = await createServer({
    configFile: false,
    root: projectRoot,
    cacheDir: join(projectRoot, "node_modules", ".vite-bench"),
    logLevel: "error",
    optimizeDeps: {
      entries: ["bench/page.html"],
      // jax-js loads its backends by relative paths, which bundling would break.
      exclude: ["@jax-js/jax"],
    },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
  });
  await server.listen();
  return server;
}

await runScript(async () => {
  const options = readOptions("bench", process.argv.slice(2));
  await ensureInstalled();
  const { chromium } = await import("playwright-core");
  const server = await serveSources();
  const browser = await chromium.launch({ executablePath: await findChromium(), args: chromiumArgs() });
  const address = new URL("bench/page.html", server.resolvedUrls.local[0]).href;

  /** Calls a function of the page's `bench` on a fresh page, whose devices go with it. */
  async function onFreshPage(name, ...args) {
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(message.text());
    });
    page.on("pageerror", (error) => console.error(error.message));
    page.setDefaultTimeout(PAGE_MS);
    await page.goto(address);
    await page.waitForFunction(() => "bench" in globalThis);
    const result = page.evaluate(
      ([method, values]) => {
        const found = globalThis.bench[method];
        return typeof found === "function" ? found(...values) : found;
      },
      [name, args],
    );
    return { result, close: () => page.close() };
  }

  async function once(name) {
    const { result, close } = await onFreshPage(name);
    try {
      return await result;
    } finally {
      await close();
    }
  }

  try {
    return await runCases({
      options,
      backend: "Chromium",
      cases: await once("cases"),
      adapter: await once("describeAdapter"),
      start: (name, context) => onFreshPage("runCase", name, context),
    });
  } finally {
    await browser.close();
    await server.close();
  }
});
