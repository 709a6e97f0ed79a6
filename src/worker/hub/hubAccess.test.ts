/** Who hears the token, and what an answer's address is about. */
import { expect, it } from "vitest";
import { failureOf } from "../../../e2e/hub/openShelf.ts";
import { createHubAccess, type HubDoor } from "./hubAccess.ts";

/** An access whose answers are made here, and what was asked. */
function openAccess(answer: () => Response) {
  const asked: { url: string; authorization: string | null }[] = [];
  const door: HubDoor = {
    fetch: async (url, init) => {
      asked.push({ url, authorization: new Headers(init?.headers).get("authorization") });
      return answer();
    },
    isOffline: () => false,
    wait: async () => undefined,
    now: () => 0,
    rangeBytes: 4096,
  };
  const access = createHubAccess(door);
  access.set({ hubUrl: "https://hub.test/mirror", token: "hf_secret" });
  return { access, asked };
}

it("gives the token to the Hub and to no other host that it names", async () => {
  const { access, asked } = openAccess(() => new Response("{}"));
  const headers = { authorization: "Bearer hf_secret" };
  for (const url of ["https://hub.test/mirror/api/models/a/b/tree/main", "https://cdn.test/file"])
    await access.fetch(url, { headers });
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer hf_secret", null]);
});

it("names the repository and the file of an address, also behind a folder", async () => {
  const { access } = openAccess(() => new Response("", { status: 404 }));
  const details = async (path: string) =>
    (await failureOf(() => access.open(`https://hub.test/mirror${path}`))).details;
  const host = "hub.test";
  expect(await details("/acme/tiny/resolve/main/folder/a%20b.gguf")).toEqual({
    host,
    repo: "acme/tiny",
    file: "folder/a b.gguf",
    status: 404,
  });
  expect(await details("/datasets/acme/pairs/resolve/main/a.csv")).toMatchObject({ repo: "acme/pairs" });
  expect(await details("/gpt2/resolve/main/config.json")).toMatchObject({
    repo: "gpt2",
    file: "config.json",
  });
  expect(await details("/api/models/acme/tiny/revision/main?expand=sha")).toMatchObject({
    repo: "acme/tiny",
    file: "",
  });
});

it("does not write twice what may have been written", async () => {
  const { access, asked } = openAccess(() => new Response("", { status: 503 }));
  await failureOf(() => access.fetch("https://hub.test/mirror/api/repos/create", { method: "POST" }));
  expect(asked).toHaveLength(1);
});

it("takes no address that hides a secret, and repeats none", async () => {
  const { access } = openAccess(() => new Response("{}"));
  for (const hubUrl of [
    "hf_secret",
    "https://me:hf_secret@hub.test",
    "https://:hf_secret@hub.test",
    "https://hub.test/?token=hf_secret",
    "https://hub.test/#hf_secret",
    "ftp://hub.test/hf_secret",
  ]) {
    const { code, message } = await failureOf(async () => access.set({ hubUrl, token: null }));
    expect([hubUrl, code]).toEqual([hubUrl, "CFG-1"]);
    expect(message).not.toContain("hf_secret");
  }
  expect(access.hubUrl()).toBe("https://hub.test/mirror");
});
