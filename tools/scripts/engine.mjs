/** Opens the engine in plain Node, on the cpu backend, straight from its TypeScript sources. */
import { createServer } from "vite";
import { projectRoot } from "./run.mjs";

/**
 * Calls `work` with a function that imports a module of `src/` by its path from the project's root.
 * The tensor runtime's packages hold bare module syntax that Node cannot load, so Vite loads them.
 */
export async function withEngine(work) {
  const server = await createServer({
    root: projectRoot,
    configFile: false,
    appType: "custom",
    logLevel: "error",
    server: { middlewareMode: true, hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
    ssr: { noExternal: [/@tensorflow\/tfjs-backend-(webgpu|cpu)/] },
  });
  try {
    return await work((path) => server.ssrLoadModule(`/${path}`));
  } finally {
    await server.close();
  }
}
