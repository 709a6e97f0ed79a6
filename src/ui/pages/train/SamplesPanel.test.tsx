import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { SamplesPanel, type SamplesPanelProps } from "./SamplesPanel.tsx";

const set = (step: number, text: string, judgeScore: number | null) => ({
  step,
  meanJudgeScore: judgeScore,
  samples: (["greedy", "seeded"] as const).map((mode) => ({
    prompt: "Once upon a time",
    mode,
    text: `${text} ${mode}`,
    tokens: [text, ` ${mode}`],
    tokenDeltas: [0, 3],
    judgeScore,
  })),
});

const empty: SamplesPanelProps = {
  before: null,
  now: null,
  best: null,
  phase: "waking",
  prompts: ["A", "B"],
};

/** The words on the panel, without its marks. */
const words = (props: Partial<SamplesPanelProps>) =>
  renderToStaticMarkup(
    <MantineProvider>
      <SamplesPanel {...empty} {...props} />
    </MantineProvider>,
  )
    .replaceAll(/<style.*?<\/style>|<script.*?<\/script>/gs, "")
    .replaceAll(/<[^>]+>/g, "");

test("says that the model is waking, and why there is no text after a failure", () => {
  expect(words({})).toContain("The model is waking up.");
  expect(words({ phase: "failed" })).toContain("The trainer stopped before the model could write.");
  expect(words({ error: "Sampling skipped, GPU busy" })).toContain("Sampling skipped, GPU busy");
});

test("shows the text from before training, once, until there is another", () => {
  const before = set(0, "cried", 0.1);
  const text = words({ before, now: before, best: before, phase: "ready" });
  expect(text.match(/cried greedy/g)?.length).toBe(1);
  expect(text).not.toContain("Now");
});

test("leaves out the space between a prompt and its answer", () => {
  const before = set(0, " cried", 0.1);
  const markup = renderToStaticMarkup(
    <MantineProvider>
      <SamplesPanel {...empty} before={before} phase="ready" />
    </MantineProvider>,
  );
  expect(markup).toContain(">cried</span>");
  expect(markup).toContain('aria-label="Before: cried greedy"');
});

test("compares now and best with before, score by score", () => {
  const text = words({
    before: set(0, "cried", 0.1),
    now: set(60, "laughed", 0.6),
    best: set(40, "sang", 0.9),
  });
  expect(text).toMatch(/Before.*step 0.*judge 0\.1.*cried/s);
  expect(text).toMatch(/Now.*step 60.*judge 0\.6 ▲ \+0\.5.*laughed/s);
  expect(text).toMatch(/Best.*step 40.*judge 0\.9 ▲ \+0\.8.*sang/s);
});

test("does not show the same answers twice when now is the best", () => {
  const now = set(60, "laughed", 0.6);
  const text = words({ before: set(0, "cried", 0.1), now, best: now });
  expect(text).toContain("Now, the best so far");
  expect(text.match(/laughed greedy/g)?.length).toBe(1);
});
