/** Measures the JavaScript that a visitor waits for: what index.html loads before anything is lazy. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Most gzipped JavaScript that may stand between a visitor and the page. */
export const shellBudgetBytes = 300_000;

/** Names of the scripts that a page loads at once: its module scripts and their preloads. */
export function scriptsOfPage(html) {
  const tags = html.match(/<(?:script|link)\b[^>]*>/g) ?? [];
  return tags
    .filter((tag) => tag.startsWith("<script") || /rel="?modulepreload/.test(tag))
    .flatMap((tag) => tag.match(/(?:src|href)="([^"]+\.js)"/)?.[1] ?? []);
}

/** Names of the scripts that a bundled script imports at once, not those it may import later. */
export function staticImports(script) {
  const pattern = /\b(?:import|export)\s*(?:[\w$*{}\s,]+?from)?\s*["'](\.[^"']+\.js)["']/g;
  return [...script.matchAll(pattern)].map(([, path]) => path);
}

/** Gzipped bytes of everything that the built page's shell loads. */
export async function measureShell(folder) {
  const page = new URL("file:///index.html");
  const waiting = scriptsOfPage(await readFile(join(folder, "index.html"), "utf8")).map((path) =>
    new URL(path, page).toString(),
  );
  const seen = new Set();
  let sizeBytes = 0;
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (seen.has(url)) continue;
    seen.add(url);
    const script = await readFile(join(folder, new URL(url).pathname));
    sizeBytes += gzipSync(script).length;
    waiting.push(...staticImports(script.toString()).map((path) => new URL(path, url).toString()));
  }
  return sizeBytes;
}
