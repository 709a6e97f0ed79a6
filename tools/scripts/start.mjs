/** `npm start`: installs and builds what is missing or stale, then serves the studio. */
import { parseArgs } from "node:util";
import { buildIfStale, distFolder } from "./build.mjs";
import { ensureInstalled } from "./install.mjs";
import { runScript } from "./run.mjs";
import { serve } from "./server.mjs";

const defaultPort = 4173;

await runScript(async () => {
  const { values } = parseArgs({ options: { port: { type: "string" } } });
  const port = Number(values.port ?? defaultPort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port is ${values.port}: give a whole number from 1 to 65535.`);
  await ensureInstalled();
  await buildIfStale();
  // A port that somebody asked for is kept or refused; only the default one may move.
  const server = await serve(distFolder, { port, canMove: values.port === undefined });
  if (server.port !== port) console.log(`Port ${port} is taken, so this is port ${server.port}.`);
  console.log(`Prefscope is at ${server.url} (Ctrl+C stops it).`);
});
