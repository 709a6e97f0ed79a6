import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PatternError } from "./patternProgram.ts";
import { patternSearch, textSearch } from "./textSearch.ts";

/** Random patterns of few letters, in which parts repeat and nest. */
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      "a",
      "b",
      "\\w",
      "\\d",
      "[ab]",
      "[^a\\]]",
      ".",
      "^",
      "$",
      "\\b",
      "\\B",
      "\\.",
      "\\u0061",
      "é",
      "\\p{Lu}",
      "[\\]b-]",
    ),
    fc.tuple(tie("pattern"), tie("pattern")).map(([first, second]) => first + second),
    fc.tuple(tie("pattern"), tie("pattern")).map(([first, second]) => `(?:${first}|${second})`),
    tie("pattern").map((inner) => `(${inner})`),
    fc
      .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,}", "{0,2}", "+?", "{1,3}?"))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
}));
const text = fc.string({
  unit: fc.constantFrom("a", "b", "A", " ", "1", ".", "é", "\n", "😀", "]"),
  maxLength: 12,
});

describe("textSearch", () => {
  it("finds what JavaScript's own expressions find", () => {
    fc.assert(
      fc.property(pattern, fc.constantFrom("", "i", "s", "m", "im"), text, (source, flags, within) => {
        // V8 also looks for \\B between the halves of a surrogate pair, where the specification has no position.
        fc.pre(!(source.includes("\\B") && within.includes("😀")));
        expect(textSearch(`/${source}/${flags}`)(within)).toBe(new RegExp(source, `u${flags}`).test(within));
      }),
      { numRuns: 1000 },
    );
  });

  it("finds pieces of text whatever their case, also those with a slash", () => {
    expect(textSearch("SKY")("the sky")).toBe(true);
    expect(textSearch("/home")("in /home/lily")).toBe(true);
    expect(textSearch("")("")).toBe(true);
    expect(textSearch("a.c")("abc")).toBe(false);
    expect(textSearch("/a.c/")("abc")).toBe(true);
  });

  it("takes a bare expression where one is expected", () => {
    const found = (pattern: string) => ["a cat", "a Cat", "ca"].map(patternSearch(pattern));
    expect(found("c.t$")).toEqual([true, false, false]);
    expect(found("/c.t$/i")).toEqual([true, true, false]);
    expect(() => patternSearch("(ab")).toThrow(PatternError);
    expect(() => patternSearch("a".repeat(501))).toThrow("at most 500 characters");
  });

  it("takes patterns that hang others in time that grows with the text", () => {
    const hang = "/^(?:(a+)+|b)*(a|aa)+$/";
    const long = `${"a".repeat(20_000)}!`;
    expect(textSearch(hang)(long)).toBe(false);
    expect(textSearch("/(.*)*(.*)*(.*)*x/")(long)).toBe(false);
    // Where an "a" stood eleven characters ago takes 2048 states, more than are remembered.
    const letters = Array.from({ length: 6000 }, (_, at) => "ab"[(at * at * 7 + (at >> 3)) % 2]).join("");
    const far = textSearch("/a[ab]{11}c/");
    expect([far(letters), far(`${letters}abbbbbbbbbbbc`), far(`${letters}abbbbbbbbbbc`)]).toEqual([
      false,
      true,
      /a[ab]{11}c/.test(`${letters}abbbbbbbbbbc`),
    ]);
  });

  it("counts repetitions from both ends", () => {
    const found = (pattern: string) => ["bc", "bac", "baac", "baaac", "baaaac"].map(textSearch(pattern));
    expect(found("/^ba?c$/")).toEqual([true, true, false, false, false]);
    expect(found("/^ba{1,3}c$/")).toEqual([false, true, true, true, false]);
    expect(found("/^ba{2,}c$/")).toEqual([false, false, true, true, true]);
    expect(found("/^b(?:a{2}){0,1}c$/")).toEqual([true, false, true, false, false]);
  });

  it("says what is wrong with an expression", () => {
    const refused = (search: string) => () => textSearch(search);
    expect(refused("/(ab/")).toThrow(PatternError);
    expect(refused("/(ab/")).toThrow(
      /^"\/\(ab\/" is no regular expression that can be searched: .*nterminated group/,
    );
    expect(refused("/a/x")).toThrow('the flag "x" means nothing here');
    expect(refused("/(?=a)/")).toThrow("it looks ahead or back");
    expect(refused("/(?<!a)b/")).toThrow("it looks ahead or back");
    expect(refused("/(a)\\1/")).toThrow("it refers back to a group");
    expect(refused("/(?<n>a)\\k<n>/")).toThrow("it refers back to a group");
    expect(refused("/(?:a{99}){99}/")).toThrow("repeats its parts too often");
    expect(refused("/(?:(?:(?:(?:){999}){999}){999}){999}/")).toThrow("repeats its parts too often");
    expect(refused("/a{1000000000}/")).toThrow("repeats its parts too often");
    expect(refused("a".repeat(501))).toThrow("at most 500 characters");
    expect(textSearch("/(?<name>a)b/")("xab")).toBe(true);
  });
});
