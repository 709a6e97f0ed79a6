import { expect, it } from "vitest";
import type { SetRow } from "../engine/data/steps/setRow.ts";
import { defaultConfig } from "../engine/training/config.ts";
import type { LoadedData } from "./library.ts";
import { onlineSetup, type RunParts } from "./runSettings.ts";

it("answers every held-out prompt once, however many pairs it has", () => {
  const texts = ["a", "a", "b", "a", "c", "d"];
  const source = { file: "f", row: 1 };
  const data: Pick<LoadedData, "train" | "trainRows" | "heldout" | "heldoutRows"> = {
    train: [],
    trainRows: [],
    heldout: texts.map((text, row) => ({
      row,
      prompt: Int32Array.of(text.charCodeAt(0)),
      chosen: Int32Array.of(1),
      rejected: Int32Array.of(2),
    })),
    heldoutRows: texts.map((prompt) => ({ prompt, chosen: "x", rejected: "y", source }) as SetRow),
  };
  const parts = { owner: { tokenizer: null }, data } as unknown as RunParts;
  const judges = { judges: [], heldoutJudge: null, signal: new AbortController().signal };
  const { heldoutPrompts } = onlineSetup({ ...defaultConfig, samplePrompts: 3 }, parts, judges);
  expect(heldoutPrompts.map(({ text }) => text)).toEqual(["a", "b", "c"]);
});
