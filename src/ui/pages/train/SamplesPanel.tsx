import { useState } from "react";
import type { SampleSet } from "../../../state/runStore.ts";
import type { Phase, Sample } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { SampleTokens } from "./SamplesPanelTokens.tsx";
import "../../charts/charts.css";
import "./SamplesPanel.css";

/** What the samples panel shows. */
export interface SamplesPanelProps {
  /** Answers of the untouched model, of the model now, and of the evaluation with the highest judge score. */
  readonly before: SampleSet | null;
  readonly now: SampleSet | null;
  readonly best: SampleSet | null;
  readonly phase: Phase;
  /** Prompts in the order of their chips; those that have answers follow when they are missing here. */
  readonly prompts: readonly string[];
  /** Why there is no text; null when nothing went wrong. */
  readonly error?: string | null;
}

type Mode = Sample["mode"];

const modes: readonly { readonly id: Mode; readonly label: string; readonly help: string }[] = [
  { id: "greedy", label: "Greedy", help: "always the likeliest token" },
  { id: "seeded", label: "Seeded", help: "drawn at random, the same draw every time" },
];

/** The same prompts before, now and at their best. */
export function SamplesPanel({ before, now, best, phase, prompts, error = null }: SamplesPanelProps) {
  const [chosenPrompt, setPrompt] = useState<string | null>(null);
  const [mode, setMode] = useState<Mode>("greedy");
  const offered = promptsOf(prompts, [before, now, best]);
  const prompt =
    offered.find((candidate) => candidate === chosenPrompt) ?? leastLiked(before) ?? offered[0] ?? "";
  const answers = rowsOf({ before, now, best }).map(({ set, ...row }) => ({
    ...row,
    sample: set.samples.find((sample) => sample.prompt === prompt && sample.mode === mode) ?? null,
  }));
  const baseline = answers[0]?.sample?.judgeScore ?? null;
  return (
    <Panel title="Samples" className="samples" aside={<ModeSwitch mode={mode} onMode={setMode} />}>
      <div className="samples-prompts" role="group" aria-label="Prompts">
        {offered.map((text) => (
          <button key={text} type="button" aria-pressed={text === prompt} onClick={() => setPrompt(text)}>
            {text}
          </button>
        ))}
      </div>
      {answers.length === 0 ? (
        <NoText phase={phase} error={error} />
      ) : (
        <div className="samples-answers">
          <p className="samples-prompt">
            <span>prompt</span> {prompt}
          </p>
          {answers.map(({ label, step, sample }) => (
            <Answer key={label} {...{ label, step, sample, baseline }} />
          ))}
          {before !== null && now?.step === before.step && (
            <p className="samples-note">Train, and what the model writes now appears below it.</p>
          )}
          <p className="samples-note samples-key">
            <span data-direction="up" data-level="3">
              likelier
            </span>
            <span data-direction="down" data-level="3">
              less likely
            </span>
            than before training
          </p>
        </div>
      )}
    </Panel>
  );
}

/** The prompt whose first answer the judge likes least: there, most is to be learned. */
function leastLiked(before: SamplesPanelProps["before"]): string | null {
  const judged = (before?.samples ?? []).filter(
    ({ mode, judgeScore }) => mode === "greedy" && judgeScore !== null,
  );
  return judged.toSorted((a, b) => (a.judgeScore ?? 0) - (b.judgeScore ?? 0))[0]?.prompt ?? null;
}

function ModeSwitch({ mode, onMode }: { readonly mode: Mode; readonly onMode: (mode: Mode) => void }) {
  return (
    <div className="chart-views" role="group" aria-label="How tokens are chosen">
      {modes.map(({ id, label, help }) => (
        <button key={id} type="button" aria-pressed={id === mode} title={help} onClick={() => onMode(id)}>
          {label}
        </button>
      ))}
    </div>
  );
}

interface AnswerProps {
  readonly label: string;
  readonly step: number;
  readonly sample: Sample | null;
  /** Judge score of the answer before training. */
  readonly baseline: number | null;
}

function Answer({ label, step, sample, baseline }: AnswerProps) {
  return (
    <section className="samples-answer" aria-label={`${label}, step ${step}`}>
      <header>
        <h3>{label}</h3>
        <span className="samples-step">step {step}</span>
        {sample !== null && <Score score={sample.judgeScore} baseline={step === 0 ? null : baseline} />}
      </header>
      {sample === null ? (
        <p className="samples-nothing">This prompt was not sampled at step {step}.</p>
      ) : (
        <SampleTokens sample={sample} label={label} />
      )}
    </section>
  );
}

function Score({ score, baseline }: { readonly score: number | null; readonly baseline: number | null }) {
  if (score === null) return null;
  const change = baseline === null ? null : score - baseline;
  return (
    <span className="samples-score">
      judge <b>{formatValue(score)}</b>
      {change !== null && (
        <span data-change={Math.sign(change)}>
          {change > 0 ? " ▲ +" : change < 0 ? " ▼ " : " "}
          {change === 0 ? "no change" : formatValue(change)}
        </span>
      )}
    </span>
  );
}

function NoText({ phase, error }: { readonly phase: Phase; readonly error: string | null }) {
  if (error !== null || phase === "failed") {
    return (
      <p className="samples-error" role="alert">
        {error ?? "The trainer stopped before the model could write. The message above says why."}
      </p>
    );
  }
  return (
    <div className="samples-waiting">
      <p>
        {phase === "waking"
          ? "The model is waking up."
          : "What the model writes before training appears here."}
      </p>
      <i />
      <i />
      <i />
    </div>
  );
}

interface Row {
  readonly label: string;
  readonly step: number;
  readonly set: SampleSet;
}

/** The rows worth showing: nothing is shown twice under two names. */
function rowsOf({ before, now, best }: Pick<SamplesPanelProps, "before" | "now" | "best">): Row[] {
  const rows: Row[] = [];
  if (before !== null) rows.push({ label: "Before", step: before.step, set: before });
  if (now !== null && now.step !== before?.step) {
    rows.push({ label: best?.step === now.step ? "Now, the best so far" : "Now", step: now.step, set: now });
  }
  if (best !== null && rows.every(({ step }) => step !== best.step)) {
    rows.push({ label: "Best", step: best.step, set: best });
  }
  return rows;
}

function promptsOf(prompts: readonly string[], sets: readonly (SampleSet | null)[]): string[] {
  const sampled = sets.flatMap((set) => set?.samples.map(({ prompt }) => prompt) ?? []);
  if (sampled.length === 0) return [...new Set(prompts)];
  // A chip without any answer would lead nowhere.
  return [...new Set([...prompts.filter((prompt) => sampled.includes(prompt)), ...sampled])];
}
