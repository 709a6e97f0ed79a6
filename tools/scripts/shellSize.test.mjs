import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { gzipSync } from "node:zlib";
import { measureShell, staticImports } from "./shellSize.mjs";

it("finds what a script imports at once, in every form a bundler writes", () => {
  const script =
    'import{a as b}from"./one.js";import*as c from"./two.js";import d,{e}from"./three.js";import"./four.js";' +
    'export{f}from"./five.js";const g=()=>import("./lazy.js");const h="import of ./text.js";';
  const found = ["./one.js", "./two.js", "./three.js", "./four.js", "./five.js"];
  assert.deepEqual(staticImports(script), found);
});

it("adds up the page's scripts and their imports, each once, and leaves out what is lazy", async () => {
  const folder = await mkdtemp(join(tmpdir(), "prefscope-shell-"));
  const shared = "export const a = 1;";
  const main = 'import{a}from"./shared.js";import("./lazy.js");';
  try {
    await mkdir(join(folder, "assets"));
    await writeFile(
      join(folder, "index.html"),
      '<script type="module" src="./assets/main.js"></script><link rel="modulepreload" href="./assets/shared.js">' +
        '<link rel="stylesheet" href="./assets/main.css">',
    );
    await writeFile(join(folder, "assets", "main.js"), main);
    await writeFile(join(folder, "assets", "shared.js"), shared);
    await writeFile(join(folder, "assets", "lazy.js"), "x".repeat(5000));
    const expectedBytes = gzipSync(main).length + gzipSync(shared).length;
    assert.equal(await measureShell(folder), expectedBytes);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
