import { describe, expect, it } from "vitest";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { TokenizerError } from "../tokenizer/tokenizerError.ts";
import type { PairRow, Text } from "./row.ts";
import { tokenizeInTurns, tokenizePairs, type TokenizeOptions } from "./tokenizePairs.ts";

const BOS = 1;
const END = 2;
const pieces = new Map([
  ["<s>", BOS],
  ["</s>", END],
  ["<end>", 3],
  ["<user>", 4],
  ["<assistant>", 5],
  ["th", 6],
]);

const encode = (text: string) =>
  [...text.matchAll(/<[^>]*>|th|./gs)].map(([piece]) => pieces.get(piece) ?? piece.charCodeAt(0));

/** A token for every character, for "th" and for markers. */
const tokenizer: Tokenizer = {
  encode: (text, { addSpecialTokens }) => [...(addSpecialTokens ? [BOS] : []), ...encode(text)],
  decode: () => "",
  decodeTokens: () => [],
  specialTokens: new Map(),
  vocabularySize: 256,
  bosTokenId: BOS,
  stopTokenIds: [END, 3],
  hasChatTemplate: true,
  renderChat: (messages, { addGenerationPrompt }) =>
    "<s>" +
    messages.map(({ role, content }) => `<${role}>${content}<end>`).join("") +
    (addGenerationPrompt ? "<assistant>" : ""),
};

function row(prompt: Text, chosen: Text, rejected: Text): PairRow {
  return { prompt, chosen, rejected, source: { file: "pairs.jsonl", row: 7 } };
}

function tokenize(pair: PairRow, options: Partial<TokenizeOptions> = {}) {
  return tokenizePairs([pair], { tokenizer, maxTokens: 64, ...options });
}

function pairOf(pair: PairRow, options: Partial<TokenizeOptions> = {}) {
  const { pairs, counts } = tokenize(pair, options);
  const [first] = pairs;
  if (!first) throw new Error("the row gave no pair");
  return { prompt: [...first.prompt], chosen: [...first.chosen], rejected: [...first.rejected], counts };
}

const user = (content: string) => [{ role: "user", content }];
const assistant = (content: string) => [{ role: "assistant", content }];

describe("tokenizeInTurns", () => {
  it("gives up the turn every few rows and finds the same pairs", () => {
    const rows = Array.from({ length: 100 }, (_, index) => row(`p${index}`, " a", index === 50 ? "" : " b"));
    const options = { tokenizer, maxTokens: 64 };
    const work = tokenizeInTurns(rows, options);
    let turns = 0;
    let next = work.next();
    for (; next.done !== true; next = work.next()) turns += 1;
    expect(turns).toBeGreaterThan(3);
    expect(next.value).toEqual(tokenizePairs(rows, options));
    expect(next.value.pairs.at(-1)?.row).toBe(99);
  });
});

describe("tokenizePairs on plain text", () => {
  it("puts BOS once and the end token behind each answer", () => {
    expect(pairOf(row("ab", " c", " de"))).toEqual({
      prompt: [BOS, ...encode("ab")],
      chosen: [...encode(" c"), END],
      rejected: [...encode(" de"), END],
      counts: { apart: 0, truncatedPrompts: 0, cutAnswers: 0 },
    });
    expect(pairOf(row("ab", " c", " d"), { terminator: "none" }).chosen).toEqual(encode(" c"));
  });

  it("tokenises apart, and counts it, where a token crosses the seam", () => {
    const pair = pairOf(row("at", "he", "x"), { terminator: "none" });
    expect(pair.prompt).toEqual([BOS, ...encode("at")]);
    expect(pair.chosen).toEqual(encode("he"));
    expect(pair.counts.apart).toBe(1);
  });

  it("truncates the prompt from the left and keeps BOS", () => {
    const pair = pairOf(row("abcdefgh", "xyz", "q"), { maxTokens: 10 });
    expect(pair.prompt).toEqual([BOS, ...encode("defgh")]);
    expect(pair.chosen).toEqual([...encode("xyz"), END]);
    expect(pair.rejected).toEqual([...encode("q"), END]);
    expect(pair.counts).toEqual({ apart: 0, truncatedPrompts: 1, cutAnswers: 0 });
  });

  it("cuts an answer that alone is too long, and lets it end open", () => {
    const pair = pairOf(row("ab", "vwxyz", "q"), { maxTokens: 4 });
    expect(pair.prompt).toEqual([BOS]);
    expect(pair.chosen).toEqual(encode("vwx"));
    expect(pair.rejected).toEqual([...encode("q"), END]);
    expect(pair.counts).toEqual({ apart: 0, truncatedPrompts: 1, cutAnswers: 1 });
  });

  it("leaves out a prompt that alone fills the context, and says how long it is", () => {
    expect(tokenize(row("abcdefg", "x", "y"), { maxTokens: 8 })).toMatchObject({
      pairs: [],
      problems: [
        { row: 7, kind: "promptFills", reason: "the prompt has 8 tokens and fills the context of 8" },
      ],
    });
    expect(tokenize(row("abcdef", "x", "y"), { maxTokens: 8 }).pairs).toHaveLength(1);
  });

  it("keeps what a judge and the data say of a pair", () => {
    const known = { ...row("a", "b", "c"), scores: { chosen: 0.75, rejected: -0.5 }, weight: 2 };
    expect(tokenize(known).pairs).toMatchObject([{ rewardGap: 1.25, weight: 2 }]);
    expect(tokenize(row("a", "b", "c")).pairs[0]).not.toHaveProperty("rewardGap");
  });

  it("reports what leaves nothing to learn, by the row's number", () => {
    expect(tokenize(row("a", "", "b")).problems).toMatchObject([{ row: 7, kind: "emptyAnswer" }]);
    expect(tokenize(row("a", "b", "")).problems).toMatchObject([{ row: 7, kind: "emptyAnswer" }]);
    const cutAlike = tokenize(row("a", "xyzb", "xyzc"), { maxTokens: 4 });
    expect(cutAlike).toMatchObject({ pairs: [], problems: [{ row: 7, kind: "identicalPair" }] });
    expect(cutAlike.counts.cutAnswers).toBe(0);
    const withoutBos: Tokenizer = { ...tokenizer, bosTokenId: null, encode };
    expect(tokenize(row("", "b", "c"), { tokenizer: withoutBos }).problems).toMatchObject([
      { kind: "emptyPrompt" },
    ]);
    expect(() => tokenize(row("a", "b", "c"), { maxTokens: 1 })).toThrow(RangeError);
  });
});

describe("tokenizePairs on rows that are no pairs of one prompt", () => {
  it("fits answers to two prompts each by itself", () => {
    const two = { ...row("abcdefgh", "xyz", "q"), rejectedPrompt: "rs" };
    const { pairs, counts } = tokenize(two, { maxTokens: 10 });
    expect(
      pairs.map(({ prompt, chosen, rejected, rejectedPrompt = [] }) => [
        [...prompt],
        [...chosen],
        [...rejectedPrompt],
        [...rejected],
      ]),
    ).toEqual([
      [
        [BOS, ...encode("defgh")],
        [...encode("xyz"), END],
        [BOS, ...encode("rs")],
        [...encode("q"), END],
      ],
    ]);
    expect(counts).toEqual({ apart: 0, truncatedPrompts: 1, cutAnswers: 0 });
    const other = { ...row("rs", "q", "xyz"), rejectedPrompt: "abcdefgh" };
    expect(tokenize(other, { maxTokens: 10 }).counts.truncatedPrompts).toBe(1);
    expect(tokenize({ ...row("a", "x", "x"), rejectedPrompt: "b" }).problems).toEqual([]);
    expect(
      tokenize({ ...row("a", "x", "y"), rejectedPrompt: "bcdefghi" }, { maxTokens: 8 }).problems,
    ).toMatchObject([{ kind: "promptFills" }]);
  });

  it("reads an answer alone, and starts a text without a start token at its first token", () => {
    const single = { ...row("", "abc", ""), isSingle: true as const };
    expect(pairOf(single)).toMatchObject({ prompt: [BOS], chosen: [...encode("abc"), END], rejected: [] });
    const withoutBos: Tokenizer = { ...tokenizer, bosTokenId: null, encode };
    expect(pairOf(single, { tokenizer: withoutBos })).toMatchObject({
      prompt: encode("a"),
      chosen: [...encode("bc"), END],
      rejected: [],
    });
  });

  it("writes a transcript as its set does where there is no chat template", () => {
    const transcript = {
      ...row([...user("a"), ...assistant("b"), ...user("c")], assistant("yes"), assistant("no")),
      isTranscript: true as const,
    };
    const plain: Tokenizer = { ...tokenizer, hasChatTemplate: false };
    expect(pairOf(transcript, { tokenizer: plain })).toMatchObject({
      prompt: [BOS, ...encode("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:")],
      chosen: [...encode(" yes"), END],
      rejected: [...encode(" no"), END],
    });
    expect(pairOf(transcript).chosen).toEqual(encode("yes<end>"));
  });
});

describe("tokenizePairs on chats", () => {
  const chat = row(user("hi"), assistant("yes"), assistant("no"));
  const prompt = encode("<s><user>hi<end><assistant>");

  it("ends answers as the template does", () => {
    expect(pairOf(chat)).toMatchObject({
      prompt,
      chosen: encode("yes<end>"),
      rejected: encode("no<end>"),
      counts: { apart: 0 },
    });
  });

  it("ends answers with the end token, or leaves them open", () => {
    expect(pairOf(chat, { terminator: "eos" }).chosen).toEqual([...encode("yes"), END]);
    expect(pairOf(chat, { terminator: "none" }).chosen).toEqual(encode("yes"));
  });

  it("tokenises the answer apart where the template rewrites earlier turns", () => {
    const rewriting: Tokenizer = {
      ...tokenizer,
      renderChat: (messages, options) =>
        tokenizer.renderChat(messages, options).replace("<user>", messages.length > 1 ? "<u>" : "<user>"),
    };
    const pair = pairOf(chat, { tokenizer: rewriting });
    expect(pair).toMatchObject({ prompt, chosen: [...encode("yes"), END], counts: { apart: 1 } });
  });

  it("leaves out the rows alone that the template refuses", () => {
    const refusing: Tokenizer = {
      ...tokenizer,
      renderChat: (messages, options) => {
        if (messages[0]?.role === "system") throw new TokenizerError("System role not supported");
        return tokenizer.renderChat(messages, options);
      },
    };
    const withSystem = row(
      [{ role: "system", content: "s" }, ...user("hi")],
      assistant("yes"),
      assistant("no"),
    );
    const { pairs, problems } = tokenizePairs([withSystem, chat], { tokenizer: refusing, maxTokens: 64 });
    expect(pairs.map((pair) => pair.row)).toEqual([1]);
    expect(problems).toEqual([
      {
        row: 7,
        kind: "templateRefuses",
        reason: "the chat template does not take it: System role not supported",
      },
    ]);
  });

  it("reports a chat that no template can write", () => {
    const { pairs, problems } = tokenize(chat, { tokenizer: { ...tokenizer, hasChatTemplate: false } });
    expect(pairs).toEqual([]);
    expect(problems).toMatchObject([{ row: 7, kind: "needsChatTemplate" }]);
  });
});
