import { describe, expect, it } from "vitest";
import { detectLayout } from "./detectLayout.ts";

const human = (content: string) => ({ role: "user", content });
const reply = (content: string) => ({ role: "assistant", content });

describe("detectLayout", () => {
  const detect = (...rows: Record<string, unknown>[]) => detectLayout({ rows, isTextOnly: false });
  const pair = { chosen: "x a", rejected: "x b" };

  it.each([
    [
      { question: "q", good: "a", bad: "b" },
      "trlExplicit",
      { prompt: "question", chosen: "good", rejected: "bad" },
    ],
    [
      { Instruction: "q", response_a: "a", response_b: "b" },
      "trlExplicit",
      { prompt: "Instruction", chosen: "response_a", rejected: "response_b" },
    ],
    [{ query: "q", ...pair }, "trlExplicit", { prompt: "query", chosen: "chosen", rejected: "rejected" }],
    [{ winner: "x a", loser: "x b" }, "trlImplicit", { chosen: "winner", rejected: "loser" }],
    [
      { prompt: "q", chosen_text: "a", rejected_text: "b", chosen_score: 2 },
      "trlExplicit",
      { prompt: "prompt", chosen: "chosen_text", rejected: "rejected_text", scoreChosen: "chosen_score" },
    ],
    [
      { question: "q", answer: "a", is_good: true },
      "kto",
      { prompt: "question", completion: "answer", label: "is_good" },
    ],
    [{ question: "q", answer: "a" }, "sftCompletion", { prompt: "question", completion: "answer" }],
  ])("guesses the columns of %j", (row, layout, columns) => {
    const found = detect(row, row);
    expect(found).toMatchObject({ format: { id: layout }, isCertain: false });
    expect(found.columns).toMatchObject(columns);
  });

  it("is certain of exact columns alone, whatever stands beside them", () => {
    expect(detect({ prompt: "p", ...pair, source: "web", model: "m" })).toMatchObject({
      format: { id: "trlExplicit" },
      isCertain: true,
    });
    expect(detect(pair, pair, { text: "x" })).toMatchObject({
      format: { id: "trlImplicit" },
      isCertain: true,
    });
    expect(detect(pair, { a: "x" }, { b: "y" }).isCertain).toBe(false);
  });

  it("tells layouts of the same columns by their values", () => {
    const said = { chosen: [human("a"), reply("b")], rejected: [human("a"), reply("c")] };
    expect(detect({ prompt: "a", ...said }).format.id).toBe("ultraFeedback");
    expect(detect({ prompt: [human("a")], chosen: [reply("b")], rejected: [reply("c")] }).format.id).toBe(
      "trlExplicit",
    );
    expect(detect({ conversations: [{ from: "human", value: "a" }] }).format.id).toBe("sftMessages");
    expect(detect({ prompt: [human("a")] })).toMatchObject({ format: { id: "prompts" }, isCertain: true });
    expect(
      detect({ chosen: "\n\nHuman: a\n\nAssistant: b", rejected: "\n\nHuman: a\n\nAssistant: c" }),
    ).toMatchObject({
      format: { id: "hhRlhf" },
      isCertain: true,
      alternatives: ["trlImplicit"],
    });
  });
});
