import { useSetupStore } from "../../../state/setupStore.ts";
import type { Preflight } from "../../../worker/protocol.ts";
import { formatBytes, formatCount, formatSpan } from "../../format.ts";
import { totalMemory } from "./runStatus.ts";
import { HelpButton } from "./setup/NumberSetting.tsx";

interface Line {
  readonly label: string;
  readonly value: string;
  readonly why: string;
}

/** What a run will cost, before it starts. */
export function PreflightPanel() {
  const { preflight, secondsPerStep, config, runningConfig } = useSetupStore();
  return (
    <section className="setup-group preflight" aria-label="Pre-flight" data-testid="preflight">
      <h2>Pre-flight</h2>
      {preflight === null ? (
        <p className="note">
          {runningConfig === null ? "Counting…" : "Counted again when the next run loads its data."}
        </p>
      ) : (
        <dl>
          {preflightLines(preflight, secondsPerStep, config.steps).map(({ label, value, why }) => (
            <div key={label}>
              <dt>
                {label}
                <HelpButton label={label} help={why} />
              </dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function preflightLines(preflight: Preflight, secondsPerStep: number | null, steps: number): Line[] {
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
      label: "Passes a step",
      value: `${formatCount(forwardPassesPerStep)} forward`,
      why: "How often the model reads answers for one update. Reference values are computed once and remembered.",
    },
    {
      label: "Reference",
      value: preflight.referenceBytes === 0 ? "none needed" : formatBytes(preflight.referenceBytes),
      why: "What has to be remembered of the model as it was before training: two numbers per pair for DPO.",
    },
    {
      label: "Memory",
      value: formatBytes(totalMemory(preflight)),
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

function formatStep(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
