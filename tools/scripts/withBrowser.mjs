/** Runs a command with CHROMIUM_PATH set: `node withBrowser.mjs vitest run --project webgpu`. */
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./install.mjs";
import { run, runScript } from "./run.mjs";

await runScript(async () => {
  const [command, ...args] = process.argv.slice(2);
  if (!command) throw new Error("Say which command to run: node tools/scripts/withBrowser.mjs COMMAND …");
  await ensureInstalled();
  const { code } = await run(command, args, { env: { CHROMIUM_PATH: await findChromium() } });
  return code;
});
