import { Button, NumberInput, Progress, TextInput } from "@mantine/core";
import { useState } from "react";
import {
  editRewardModel,
  rewardProblems,
  stopRewardModel,
  trainRewardModel,
  useRewardModelStore,
  type RewardMetric,
} from "../../../state/rewardModels.ts";
import { isRunActive, useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { MetricChart } from "../../charts/MetricChart.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount, formatShare, formatValue } from "../../format.ts";

const fields = [
  { field: "steps", label: "Steps", help: "How many times it is updated.", step: 1 },
  { field: "batchPairs", label: "Batch", help: "Pairs that one update reads.", step: 1 },
  { field: "learningRate", label: "Learning rate", help: "How far one update moves it.", step: 1e-4 },
  { field: "loraRank", label: "Rank", help: "Width of its adapter.", step: 1 },
  { field: "loraAlpha", label: "Alpha", help: "Its adapter counts alpha / rank.", step: 1 },
  { field: "centering", label: "Centering", help: "Keeps its numbers around 0; 0 lets them go.", step: 0.01 },
  { field: "seed", label: "Seed", help: "Decides its first values and the order.", step: 1 },
] as const;

/** A reward model of one’s own, trained on the loaded pairs. */
export function RewardModelForm() {
  return (
    <Panel title="Train a reward model">
      <div className="reward-train">
        <SettingsForm />
        <Live />
      </div>
    </Panel>
  );
}

function SettingsForm() {
  const { settings, isTraining } = useRewardModelStore();
  const data = useSetupStore((state) => state.data);
  const isRunning = useRunStore((state) => isRunActive(state.phase));
  const problems = rewardProblems(settings);
  return (
    <div className="judge-form">
      <p className="source-sentence">
        It learns from the {formatCount(data?.trainPairs ?? 0)} training pairs of{" "}
        <strong>{data?.label ?? "the set"}</strong> and is checked on the{" "}
        {formatCount(data?.heldoutPairs ?? 0)} held-out ones: an adapter and one number on top of the model
        (Bradley–Terry).
      </p>
      <TextInput
        size="xs"
        label="Name"
        data-testid="reward-label"
        disabled={isTraining}
        value={settings.label}
        error={problems.label}
        onChange={({ currentTarget }) => editRewardModel({ label: currentTarget.value })}
      />
      <div className="reward-fields">
        {fields.map(({ field, label, help, step }) => (
          <NumberInput
            key={field}
            size="xs"
            label={label}
            description={help}
            inputWrapperOrder={["label", "input", "description", "error"]}
            step={step}
            disabled={isTraining}
            data-testid={`reward-${field}`}
            value={Number.isNaN(settings[field]) ? "" : settings[field]}
            error={problems[field]}
            // An emptied box is no number: it must be filled again before anything is trained.
            onChange={(value) => editRewardModel({ [field]: value === "" ? Number.NaN : Number(value) })}
          />
        ))}
      </div>
      <div className="dialog-actions">
        {isTraining ? (
          <Button
            size="xs"
            variant="default"
            data-testid="reward-stop"
            onClick={() => void stopRewardModel()}
          >
            Stop, and keep nothing
          </Button>
        ) : (
          <Button
            size="xs"
            data-testid="reward-train"
            disabled={Object.keys(problems).length > 0 || data === null || isRunning}
            onClick={() => void trainRewardModel()}
          >
            {Number.isNaN(settings.steps) ? "Train" : `Train ${formatCount(settings.steps)} steps`}
          </Button>
        )}
        {isRunning && <p className="note">A run is going on. It has to end or be stopped first.</p>}
      </div>
    </div>
  );
}

const titles: Record<RewardMetric, string> = { loss: "Loss", accuracy: "Right on the batch" };
const metrics: readonly RewardMetric[] = ["loss", "accuracy"];

function Live() {
  const { event, points, isTraining } = useRewardModelStore();
  const [hoveredX, setHoveredX] = useState<number | null>(null);
  if (!isTraining && event === null) return null;
  const { step, steps, loss, accuracy } = event ?? { step: 0, steps: 0, loss: 0, accuracy: 0 };
  const isMeasured = event !== null && step >= steps;
  return (
    <div className="reward-live" data-testid="reward-live">
      <p>
        <strong>{!isTraining ? "Ended" : isMeasured ? "Checking on held-out pairs" : "Learning"}</strong>
        {event === null
          ? " · getting ready"
          : ` · step ${formatCount(step)} of ${formatCount(steps)} · loss ${formatValue(loss)} · right on ${formatShare(accuracy)} of the batch`}
      </p>
      <Progress value={steps > 0 ? (100 * step) / steps : 0} aria-label="Steps taken" />
      <p className="visually-hidden" role="status">
        {isTraining ? "The reward model is learning." : "The training has ended."}
      </p>
      {metrics.map((name) => (
        <MetricChart
          key={name}
          title={titles[name]}
          subtitle={name}
          series={[{ name, label: name, color: "ink", points: points[name] }]}
          xLabel="step"
          scale="linear"
          smoothing={0.6}
          hoveredX={hoveredX}
          onHoverX={setHoveredX}
          height={110}
        />
      ))}
    </div>
  );
}
