import { useRunStore } from "../../../state/runStore.ts";
import { isRunOfSetup, useSetupStore } from "../../../state/setupStore.ts";
import type { Preflight, StepRoom } from "../../../worker/protocol.ts";
import { formatBytes, formatCount, formatSpan } from "../../format.ts";
import { rowsText, stepMemoryText, totalMemory } from "./runStatus.ts";
import { HelpButton } from "./setup/NumberSetting.tsx";

interface Line {
  readonly label: string;
  readonly value: string;
  readonly why: string;
}

/** What a run will cost, before it starts. */
export function PreflightPanel() {
  const setup = useSetupStore();
  const { preflight, secondsPerStep, config, runningConfig } = setup;
  const measured = useRunStore((state) => state.room);
  const room = isRunOfSetup(setup) ? measured : null;
  return (
    <section className="setup-group preflight" aria-label="Pre-flight" data-testid="preflight">
      <h2>Pre-flight</h2>
      {preflight === null ? (
        <p className="note">
          {runningConfig === null ? "Counting…" : "Counted again when the next run loads its data."}
        </p>
      ) : (
        <dl>
          {preflightLines(preflight, room, { secondsPerStep, steps: config.steps }).map(
            ({ label, value, why }) => (
              <div key={label}>
                <dt>
                  {label}
                  <HelpButton label={label} help={why} />
                </dt>
                <dd>{value}</dd>
              </div>
            ),
          )}
        </dl>
      )}
    </section>
  );
}

function preflightLines(
  preflight: Preflight,
  room: StepRoom | null,
  { secondsPerStep, steps }: { readonly secondsPerStep: number | null; readonly steps: number },
): Line[] {
  const { trainableParameters, baseParameters, effectiveBatchPairs, forwardPassesPerStep } = preflight;
  const share = ((trainableParameters / baseParameters) * 100).toPrecision(2);
  const parts = Object.entries(preflight.memoryBytes).map(([name, bytes]) => `${name} ${formatBytes(bytes)}`);
  return [
    {
      label: "Trainable",
      value: `${formatCount(trainableParameters)} (${Number(share)}%)`,
      why: "Numbers that training changes, and their share of the model's own parameters.",
    },
    {
      label: "Pairs a step",
      value: formatCount(effectiveBatchPairs),
      why: "Batch times accumulated batches: what one update of the adapter is based on.",
    },
    {
      label: "Rows",
      value: rowsText(preflight),
      why: "Tokens that every layer computes for a mean batch. With shared prompts both answers of a pair follow one copy of their prompt, and the second copy is saved.",
    },
    {
      label: "Layers",
      value: (room ?? preflight).keeps === "everything" ? "kept whole" : "computed again",
      why: "What a step keeps of its layers for the way back. Computing them again needs less memory and more time; “Recompute layers” decides.",
    },
    {
      label: "Passes a step",
      value: `${formatCount(forwardPassesPerStep)} forward`,
      why: "How often the model reads answers for one update. Reference values are computed once and remembered.",
    },
    {
      label: "Reference",
      value: referenceText(preflight, secondsPerStep),
      why: "What is remembered of the model as it was before training: two numbers per pair for DPO, hidden states for token KL. It is computed once, and kept from one visit to the next.",
    },
    {
      label: "A step holds",
      value: stepMemoryText(preflight, room),
      why: "What the largest batch keeps on the device while it is computed. A run measures it before its first step.",
    },
    {
      label: "Memory",
      value: `≈ ${formatBytes(totalMemory(preflight))}`,
      why: `An estimate by part: ${parts.join(", ")}.`,
    },
    {
      label: "Time",
      value:
        secondsPerStep === null
          ? "being timed…"
          : `≈ ${formatSpan(secondsPerStep * steps)} (${formatStep(secondsPerStep)} a step)`,
      why: "From steps that were timed on this machine; evaluations and samples come on top.",
    },
  ];
}

/** A forward pass alone takes about a third of a step. */
const FORWARD_SHARE = 1 / 3;

/** Bytes that are remembered, and how long computing what is missing will take. */
function referenceText(
  { referenceBytes, unscoredPairs, effectiveBatchPairs }: Preflight,
  secondsPerStep: number | null,
): string {
  if (referenceBytes === 0) return "none needed";
  const bytes = formatBytes(referenceBytes);
  if (unscoredPairs === 0) return `${bytes}, all known`;
  const toRead = `${bytes}, ${formatCount(unscoredPairs)} ${unscoredPairs === 1 ? "pair" : "pairs"} to read`;
  if (secondsPerStep === null) return toRead;
  return `${toRead}, ≈ ${formatSpan((FORWARD_SHARE * secondsPerStep * unscoredPairs) / effectiveBatchPairs)}`;
}

function formatStep(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
