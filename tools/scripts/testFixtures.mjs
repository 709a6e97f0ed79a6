/** `npm run test:fixtures`: every test that reads the fixtures, over whole trajectories. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./install.mjs";
import { projectRoot, run, runScript } from "./run.mjs";

await runScript(async () => {
  const folder = resolve(projectRoot, process.env.FIXTURES_DIR ?? "../shared/fixtures");
  if (!existsSync(folder))
    throw new Error(`There are no fixtures at ${folder}: set FIXTURES_DIR to the folder that holds them.`);
  await ensureInstalled();
  const env = { CHROMIUM_PATH: await findChromium(), FIXTURES_DIR: folder, FIXTURES_WHOLE: "1" };
  const { code } = await run("vitest", ["run", "--project", "node", "--project", "webgpu", ".fixture."], {
    env,
  });
  return code;
});
