import { ActionIcon, Progress, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { restart, save, step, stop } from "../../../state/actions.ts";
import { useDeviceStore } from "../../../state/deviceStore.ts";
import { isRunActive, useRunStore } from "../../../state/runStore.ts";
import { pendingChanges, useSetupStore } from "../../../state/setupStore.ts";
import { openLayer } from "../../../state/viewStore.ts";
import { Icon, type IconName } from "../../components/Icon.tsx";
import { formatShare } from "../../format.ts";
import { phaseLabel, readyParts, shareDone, statusParts } from "./runStatus.ts";
import { useTrainButton } from "./useTrainButton.ts";

/** The controls of the run, with what it is doing and how far it is. */
export function CommandBar() {
  return (
    <section className="command-bar" aria-label="Run">
      <TrainButton />
      <RunButtons />
      <div className="command-status">
        <div className="command-line">
          <PhaseChip />
          <StatusLine />
          <ChangesChip />
        </div>
        <RunProgress />
      </div>
      <SpokenStatus />
    </section>
  );
}

/** The bar at the bottom of a phone's screen. */
export function PhoneCommandBar() {
  return (
    <section className="phone-bar" aria-label="Run">
      <div className="command-line">
        <PhaseChip />
        <StatusLine />
      </div>
      <RunProgress />
      <div className="phone-buttons">
        <TrainButton />
        <RunButtons isShort />
      </div>
      <ChangesChip />
      <SpokenStatus />
    </section>
  );
}

/** The main button: starts, pauses and goes on, and says what else is to be done. */
export function TrainButton() {
  const { label, detail, action, press } = useTrainButton();
  const icons: Partial<Record<typeof action, IconName>> = {
    train: "play",
    resume: "play",
    "show-problem": "play",
    pause: "pause",
    cancel: "close",
    restart: "restart",
    "lower-rate": "restart",
    "less-memory": "restart",
    "train-on-cpu": "play",
    "restart-trainer": "restart",
  };
  const icon = icons[action];
  const isOff = action === "none";
  return (
    <button
      type="button"
      className="train-button"
      data-testid="train-button"
      data-action={action}
      aria-disabled={isOff}
      onClick={press}
    >
      {icon !== undefined && <Icon name={icon} size={20} />}
      <span>
        <strong>{label}</strong>
        {detail !== "" && <small>{detail}</small>}
      </span>
    </button>
  );
}

/** On a phone the way out is on the Models screen alone: Train needs the room. */
function RunButtons({ isShort = false }: { readonly isShort?: boolean }) {
  const phase = useRunStore((state) => state.phase);
  const hasRun = useSetupStore((state) => state.runningConfig !== null);
  const isActive = isRunActive(phase);
  const isCounting = phase === "caching-ref" || phase === "saving";
  const canStep = ["ready", "paused", "done", "stopped"].includes(phase);
  const canSave = hasRun && ["training", "paused", "done", "stopped", "evaluating"].includes(phase);
  return (
    <div className="run-buttons" role="group" aria-label="Run controls">
      <RunButton label="One step (s)" icon="step" isOn={canStep} press={step} testId="step-button" />
      <RunButton label="Stop and keep" icon="stop" isOn={isActive} press={stop} testId="stop-button" />
      <RunButton
        label="Restart (r)"
        icon="restart"
        isOn={hasRun && phase !== "saving"}
        press={restart}
        testId="restart-button"
      />
      <RunButton
        label="Save adapter and configuration"
        icon="save"
        isOn={canSave}
        press={save}
        testId="save-button"
      />
      {!isShort && (
        <RunButton
          label="Export"
          icon="share"
          isOn={phase !== "waking" && !isCounting}
          press={showExport}
          testId="export-button"
        />
      )}
    </div>
  );
}

function showExport(): void {
  openLayer("export");
}

interface RunButtonProps {
  readonly label: string;
  readonly icon: IconName;
  readonly isOn: boolean;
  readonly press: () => unknown;
  readonly testId: string;
}

function RunButton({ label, icon, isOn, press, testId }: RunButtonProps) {
  return (
    <Tooltip label={label} openDelay={400} events={{ hover: true, focus: true, touch: false }}>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={label}
        data-testid={testId}
        disabled={!isOn}
        onClick={() => void press()}
      >
        <Icon name={icon} size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

function PhaseChip() {
  const run = useRunStore();
  const isOnCpu = useDeviceStore((state) => state.report?.backend === "cpu");
  return (
    <span className={`phase phase-${run.phase}`} data-testid="phase" data-phase={run.phase}>
      <span className="phase-mark" aria-hidden="true" />
      {phaseLabel(run, isOnCpu)}
    </span>
  );
}

function StatusLine() {
  const run = useRunStore();
  const { config, runningConfig, preflight, secondsPerStep } = useSetupStore();
  if (run.phase === "waking") return null;
  const parts =
    runningConfig === null
      ? readyParts(config, preflight, secondsPerStep)
      : statusParts(run, runningConfig.steps);
  return (
    <span
      className={`status-line ${runningConfig === null ? "" : "status-line-run"}`}
      data-testid="status-line"
    >
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </span>
  );
}

function ChangesChip() {
  const setup = useSetupStore();
  const changes = pendingChanges(setup).length;
  if (changes === 0) return null;
  return (
    <button
      type="button"
      className="chip chip-button chip-changes"
      data-testid="changes-chip"
      onClick={() => {
        openLayer("changes");
      }}
    >
      {changes === 1 ? "1 change" : `${changes} changes`} for the next run
    </button>
  );
}

function RunProgress() {
  const { present, phase, progress } = useRunStore(
    useShallow((state) => ({ present: state.step, phase: state.phase, progress: state.progress })),
  );
  const steps = useSetupStore((state) => state.runningConfig?.steps ?? 0);
  const isCounting = phase === "caching-ref" && progress !== null;
  const share = isCounting
    ? progress.done / Math.max(1, progress.total)
    : shareDone({ step: present }, steps);
  // Amber while something other than training is being counted.
  const tone = isCounting || phase === "saving" ? "progress-amber" : "";
  return (
    <div className={`run-progress ${tone}`}>
      <Progress.Root size={6}>
        <Progress.Section
          value={share * 100}
          aria-label={isCounting ? "Preparation" : "Training"}
          aria-valuetext={formatShare(share)}
        />
      </Progress.Root>
      <span className="run-share">{formatShare(share)}</span>
    </div>
  );
}

/** Speaks the phase and every quarter of the run to a screen reader, at most every ten seconds. */
function SpokenStatus() {
  const run = useRunStore();
  const { phase, step: present } = run;
  const steps = useSetupStore((state) => state.runningConfig?.steps ?? 0);
  const quarter = Math.floor(shareDone({ step: present }, steps) * 4) * 25;
  const isOnCpu = useDeviceStore((state) => state.report?.backend === "cpu");
  const [spoken, setSpoken] = useState({ text: "", at: 0 });
  const label = phase === "training" ? "Training" : phaseLabel(run, isOnCpu);
  const text = steps > 0 && phase === "training" ? `${label}, ${quarter}% done.` : `${label}.`;
  useEffect(() => {
    if (phase === "caching-ref" || phase === "evaluating") return;
    const leastGapMs = 10_000;
    const wait = Math.max(0, spoken.at + leastGapMs - Date.now());
    const timer = setTimeout(() => {
      setSpoken((last) => (last.text === text ? last : { text, at: Date.now() }));
    }, wait);
    return () => {
      clearTimeout(timer);
    };
  }, [text, phase, spoken.at]);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {spoken.text}
    </div>
  );
}
