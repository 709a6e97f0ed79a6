import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { serve } from "./server.mjs";

describe("serve", () => {
  let folder;
  let server;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "prefscope-server-"));
    const site = join(folder, "site");
    await mkdir(join(site, "data"), { recursive: true });
    await writeFile(join(site, "index.html"), "<p>studio</p>");
    await writeFile(join(site, "data", "pairs.jsonl"), "{}\n");
    await writeFile(join(site, "model.safetensors"), new Uint8Array([1, 2, 3]));
    await writeFile(join(site, "engine.wasm"), "");
    await writeFile(join(site, ".inputs-sha256"), "hidden");
    await writeFile(join(folder, "secret.txt"), "secret");
    await symlink(join(folder, "secret.txt"), join(site, "link.txt"));
    server = await serve(site);
  });

  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A request whose path is sent as it is written, which fetch would tidy up. */
  const ask = (path, method = "GET") =>
    new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port: server.port, path, method }, (response) => {
        let body = "";
        response.on("data", (chunk) => (body += chunk));
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
      })
        .on("error", reject)
        .end();
    });

  it("serves the page at / and never lets it be cached", async () => {
    const { status, headers, body } = await ask("/?cli=1");
    assert.equal(status, 200);
    assert.equal(body, "<p>studio</p>");
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.equal(headers["cache-control"], "no-store");
  });

  const types = {
    "/data/pairs.jsonl": "application/jsonl; charset=utf-8",
    "/model.safetensors": "application/octet-stream",
    "/engine.wasm": "application/wasm",
  };
  for (const [path, type] of Object.entries(types))
    it(`serves ${path} as ${type}`, async () => {
      const { status, headers } = await ask(path);
      assert.deepEqual([status, headers["content-type"]], [200, type]);
    });

  const refused = [
    "/../secret.txt",
    "/data/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/link.txt",
    "/.inputs-sha256",
    "/data",
    "/nothing.js",
    "/%",
    "/a%00b",
  ];
  for (const path of refused)
    it(`has nothing at ${path}`, async () => {
      const { status, body } = await ask(path);
      assert.deepEqual([status, body], [404, "Not found\n"]);
    });

  it("answers HEAD without a body and refuses to be written to", async () => {
    const head = await ask("/model.safetensors", "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "3", ""]);
    assert.equal((await ask("/", "POST")).status, 405);
  });

  it("moves to the next port when its own is taken and it may, and says so when it may not", async () => {
    const moved = await serve(folder, { port: server.port, canMove: true });
    assert.ok(moved.port > server.port);
    await moved.close();
    await assert.rejects(serve(folder, { port: server.port }), /is taken/);
  });
});
