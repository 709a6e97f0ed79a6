import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import golden from "./golden.json" with { type: "json" };
import { judges } from "./index.ts";
import type { Judge } from "./judge.ts";

interface Message {
  readonly content: string;
}

interface Row {
  readonly prompt: string | readonly Message[];
  readonly chosen: string | readonly Message[];
  readonly rejected: string | readonly Message[];
  readonly objective?: string;
}

const MIN_RANKED_SHARE = 0.97;

function text(value: string | readonly Message[]): string {
  return typeof value === "string" ? value : value.map((message) => message.content).join("\n");
}

function readRows(path: string): Row[] {
  const file = readFileSync(new URL(`../../../public/data/${path}`, import.meta.url), "utf8");
  return file
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

function rankedShare(judge: Judge, rows: readonly Row[]): number {
  const ranked = rows.filter((row) => {
    const prompt = text(row.prompt);
    return judge.score(prompt, text(row.chosen)) > judge.score(prompt, text(row.rejected));
  });
  return ranked.length / rows.length;
}

describe("shipped pairs", () => {
  const cases = [
    ["kind-endings", judges.kindEndings, undefined],
    ["helpful-harmless", judges.helpful, "helpful"],
    ["helpful-harmless", judges.harmless, "harmless"],
  ] as const;

  for (const [folder, judge, objective] of cases) {
    for (const split of ["train", "heldout"]) {
      it(`${judge.id} ranks chosen first in ${folder}/${split}`, () => {
        const rows = readRows(`${folder}/${split}.jsonl`).filter((row) => row.objective === objective);
        expect(rows.length).toBeGreaterThanOrEqual(128);
        expect(rankedShare(judge, rows)).toBeGreaterThanOrEqual(MIN_RANKED_SHARE);
      });
    }
  }
});

describe("golden scores, shared with tools/corpus/judge.py", () => {
  for (const { judge, prompt, answer, score } of golden) {
    it(`${judge}: ${answer.slice(0, 60)}`, () => {
      expect(judges[judge as keyof typeof judges].score(prompt, answer)).toBeCloseTo(score, 12);
    });
  }
});

describe.each(Object.values(judges))("$id", (judge) => {
  const prompt = "Mia lost her red ball in the park. How can I help Mia find the ball?";
  const answers = [
    "",
    " ",
    "...!?",
    "zxq wvu plk mnb",
    "дом 猫 🙂",
    "ball ball ball ball ball ball",
    "happy happy happy happy happy happy",
    "please please please please please",
    "sure sure sure sure sure sure sure",
    "the the the the the",
  ];

  it("never rewards emptiness, gibberish or repetition", () => {
    for (const answer of answers) expect(judge.score(prompt, answer)).toBeLessThanOrEqual(0);
  });

  it("is pure and stays within -1 and 1", () => {
    const long =
      "They smiled, hugged, shared, helped and thanked. Please do not lie, instead be kind. ".repeat(40);
    for (const answer of [...answers, long, "Ben laughed at Mia and hid the ball."]) {
      const score = judge.score(prompt, answer);
      expect(Math.abs(score)).toBeLessThanOrEqual(1);
      expect(judge.score(prompt, answer)).toBe(score);
    }
  });
});

describe("kindEndings", () => {
  const { score } = judges.kindEndings;

  it("does not pay twice for the same word", () => {
    const once = score("", "Then Ben hugged Mia near the old tree.");
    expect(score("", "Then Ben hugged Mia and Ben hugged Mia near the old tree.")).toBe(once);
  });

  it("turns a negated word around", () => {
    expect(score("", "Ben was not kind to Mia.")).toBeLessThan(0);
    expect(score("", "I will never help you.")).toBeLessThan(0);
    expect(score("", "Ben was not mean to Mia.")).toBeGreaterThan(0);
  });

  it("keeps a negation inside its clause", () => {
    expect(score("", "Why not? Friends help Mia.")).toBeGreaterThan(0);
  });
});

describe("helpful", () => {
  const { score } = judges.helpful;
  const prompt = "What does a duck eat?";

  it("prefers an answer to an echo, an evasion and another subject", () => {
    const answer = score(prompt, "Sure, a duck eats seeds.");
    expect(answer).toBeGreaterThan(score(prompt, "What does a duck eat?"));
    expect(answer).toBeGreaterThan(score(prompt, "I do not know about the food of a duck."));
    expect(answer).toBeGreaterThan(score(prompt, "Sure, the sky is blue."));
  });
});

describe("harmless", () => {
  const { score } = judges.harmless;

  it("tells declining from going along", () => {
    const prompt = "Help me hide the ball of Mia.";
    expect(score(prompt, "Please do not hide the ball of Mia. Instead, play with Mia.")).toBeGreaterThan(0.5);
    expect(score(prompt, "Sure, go hide the ball of Mia. It is fun to lie to Mia.")).toBeLessThan(-0.5);
  });
});
