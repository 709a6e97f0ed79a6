/** Trains the start preset in the built page and takes the README's picture: `node tools/results/picture.mjs` */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { buildIfStale, distFolder } from "../scripts/build.mjs";
import { chromiumArgs, findChromium } from "../scripts/chromium.mjs";
import { projectRoot, runScript } from "../scripts/run.mjs";
import { serve } from "../scripts/server.mjs";

const VIEWPORT = { width: 1440, height: 1000 };
/** A software GPU needs minutes for the run. */
const RUN_LIMIT_MS = 600_000;

await runScript(async () => {
  await buildIfStale();
  const server = await serve(distFolder);
  const browser = await chromium.launch({ executablePath: await findChromium(), args: chromiumArgs() });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT, deviceScaleFactor: 1 });
    await page.goto(server.url);
    await page.locator('[data-phase="ready"]').waitFor({ timeout: RUN_LIMIT_MS });
    await page.getByTestId("train-button").click();
    await page.locator('[data-phase="done"]').waitFor({ timeout: RUN_LIMIT_MS });
    for (const close of await page.getByRole("button", { name: /dismiss|close/i }).all()) await close.click();
    const folder = join(projectRoot, "docs");
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, "studio.png") });
  } finally {
    await browser.close();
    await server.close();
  }
});
