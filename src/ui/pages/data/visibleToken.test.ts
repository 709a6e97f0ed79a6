import { expect, it } from "vitest";
import { isSpecial, visibleToken } from "./visibleToken.ts";

it("shows what would not be seen, and leaves the rest alone", () => {
  expect(visibleToken(" Tom")).toBe("·Tom");
  expect(visibleToken(" ")).toBe("·");
  expect(visibleToken("\n\n")).toBe("⏎\n⏎\n");
  expect(visibleToken("a b")).toBe("a b");
  expect(visibleToken("")).toBe("∅");
});

it("knows special tokens by their names", () => {
  for (const token of ["<s>", "<|im_start|>", "<|endoftext|>", "[PAD]", "<start_of_turn>"])
    expect(isSpecial(token)).toBe(true);
  for (const token of ["<", " <s>", "a<b>", "[1]", "< b>"]) expect(isSpecial(token)).toBe(false);
});
