/** A small static file server for the built site. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";

const contentTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".jsonl": "application/jsonl; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".png": "image/png",
  ".safetensors": "application/octet-stream",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** The real path of the file that a URL names inside `root`, or undefined: no escapes, no hidden files. */
async function locateFile(root, requestUrl) {
  try {
    const { pathname } = new URL(requestUrl, "http://localhost");
    const path = decodeURIComponent(pathname);
    if (path.split(/[/\\]/).some((part) => part.startsWith("."))) return undefined;
    const file = await realpath(join(root, path.endsWith("/") ? `${path}index.html` : path));
    const isInside = file.startsWith(root + sep);
    return isInside && (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

async function answer(root, request, response) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const file = await locateFile(root, request.url);
  if (!file) {
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Not found\n");
    return;
  }
  response.writeHead(200, {
    "content-type": contentTypes[extname(file)] ?? "application/octet-stream",
    "content-length": (await stat(file)).size,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file)
      .on("error", () => response.destroy())
      .pipe(response);
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve(server.address().port);
    });
  });
}

/**
 * Serves a folder to this machine only. Resolves to `{ port, url, close }`.
 * When `port` is taken, the next free one is used if `canMove`, else a sentence is thrown; port 0 takes any.
 */
export async function serve(folder, { port = 0, canMove = false } = {}) {
  const root = await realpath(folder);
  const server = createServer((request, response) => void answer(root, request, response));
  const portsToTry = 20;
  for (let candidate = port; ; candidate += 1) {
    try {
      const taken = await listen(server, candidate);
      const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
      return { port: taken, url: `http://localhost:${taken}`, close };
    } catch (error) {
      if (error.code !== "EADDRINUSE") throw error;
      if (!canMove)
        throw new Error(`Port ${port} is taken: stop the program that uses it.`, { cause: error });
      if (candidate >= port + portsToTry)
        throw new Error(`Ports ${port} to ${candidate} are all taken: free one and try again.`, {
          cause: error,
        });
    }
  }
}
