/** Reference numbers of one set of adapters are never taken for another's, nor for the bare model's. */
import { expect, it } from "vitest";
import type { AdapterSum } from "../engine/models/hostAdapter.ts";
import { pairKey } from "../engine/reference/referenceCache.ts";
import { tinyPairs } from "../engine/testing/tinyModel.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { openKeptReference, type KeptReferenceSettings } from "./keptReference.ts";
import type { ReferenceEvent } from "./protocol.ts";
import { adapterPrint } from "./referenceIdentity.ts";

const sum = (value: number): AdapterSum =>
  new Map([["m", { a: Float32Array.of(1), b: Float32Array.of(value), rank: 1, inputs: 1, outputs: 1 }]]);
const [one, two] = [sum(1), sum(2)];
const form = { loraRank: 8, loraAlpha: 16 };
const pairs = tinyPairs(3);
const shipped = new Map([[pairKey(pairs[0]!), { chosen: { sumLogps: -1 }, rejected: { sumLogps: -2 } }]]);
const record = { chosen: { sumLogps: -3 }, rejected: { sumLogps: -4 } };

function settings(adapter: string, changes: Partial<KeptReferenceSettings> = {}): KeptReferenceSettings {
  const identity = {
    weights: "w",
    tokenizer: "t",
    template: "c",
    data: "d",
    adapter,
    features: "",
    numerics: "cpu",
  };
  return { store: undefined, name: "reference/x", identity, shipped, emit: () => undefined, ...changes };
}

it("prints adapters by their numbers, their modules and what they are computed in", () => {
  const prints = [
    adapterPrint(undefined, form),
    adapterPrint(one),
    adapterPrint(two),
    adapterPrint(one, form),
    adapterPrint(one, { ...form, loraRank: 9 }),
    adapterPrint(one, { ...form, loraAlpha: 17 }),
    adapterPrint(new Map([["n", one.get("m")!]])),
  ];
  expect(prints[0]).toBe("");
  expect(new Set(prints).size).toBe(prints.length);
  expect(adapterPrint(sum(1), form)).toBe(prints[3]);
});

it("forgets what is known of a reference with other adapters, and what came along is the bare model's", async () => {
  const kept = await openKeptReference(settings(""));
  const missing = () => kept.cache.missing(pairs).length;
  expect(missing()).toBe(2);
  kept.useAdapter(adapterPrint(one, form));
  expect(missing()).toBe(3);
  kept.cache.set(pairs[1]!, record);
  kept.useAdapter(adapterPrint(one, form));
  expect(missing()).toBe(2);
  const seen = (print: string) => kept.seenWith("", print).missing(pairs).length;
  expect([seen(adapterPrint(one, form)), seen(adapterPrint(two, form)), seen("")]).toEqual([2, 3, 2]);
  kept.useAdapter(adapterPrint(one, { ...form, loraRank: 9 }));
  expect(missing()).toBe(3);
  kept.useAdapter("");
  expect(missing()).toBe(2);
  expect(kept.cache.get(pairs[0]!)?.chosen.sumLogps).toBe(-1);
});

it("reuses a file with the same adapters in the same numbers, and tells of one with others", async () => {
  const store = memoryStore();
  const told: ReferenceEvent[] = [];
  const emit = (event: ReferenceEvent) => void told.push(event);
  const first = await openKeptReference(settings(adapterPrint(one), { store, emit }));
  first.useAdapter(adapterPrint(one, form));
  first.cache.set(pairs[1]!, record);
  await first.keep();
  const again = await openKeptReference(settings(adapterPrint(one), { store, emit }));
  again.useAdapter(adapterPrint(one, form));
  expect(again.cache.missing(pairs).length).toBe(2);
  const other = await openKeptReference(settings(adapterPrint(two), { store, emit }));
  expect(other.cache.missing(pairs).length).toBe(3);
  const bare = await openKeptReference(settings("", { store, emit }));
  expect(bare.cache.missing(pairs).length).toBe(2);
  expect(told.map(({ status, reason }) => [status, reason])).toEqual([
    ["computed", ""],
    ["notKept", "This browser lets the page keep no files."],
    ["reused", ""],
    ["stale", "the starting adapter"],
    ["stale", "the starting adapter"],
  ]);
});
