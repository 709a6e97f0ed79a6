import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { useSetupStore } from "../../../state/setupStore.ts";
import { PreflightPanel } from "./PreflightPanel.tsx";
import { ChoiceField, NumberField, SwitchField, TargetsField } from "./setup/FieldSettings.tsx";
import { MethodCards } from "./setup/MethodCards.tsx";
import { MixSettings } from "./setup/MixSettings.tsx";
import { ProblemList } from "./setup/ProblemList.tsx";
import { ModelChoice } from "./setup/ModelChoice.tsx";
import { OnlineSection } from "./setup/OnlineSection.tsx";
import { DataChoice, PresetChoice } from "./setup/SourceCards.tsx";

/** The whole setup of a run: sources, method, settings, and what it will cost. */
export function SetupPanel() {
  const isDescribed = useSetupStore((state) => state.description !== null);
  if (!isDescribed) return <SetupSkeleton />;
  return (
    <div className="setup" data-testid="setup">
      <ProblemList />
      <Group title="Preset">
        <PresetChoice />
      </Group>
      <Group title="Model">
        <ModelChoice />
      </Group>
      <Group title="Data">
        <DataChoice />
      </Group>
      <Group title="Method">
        <MethodCards />
      </Group>
      <Fold title="Mix and reference">
        <MixSettings />
      </Fold>
      <Group title="Training">
        <NumberField field="learningRate" />
        <NumberField field="steps" />
        <NumberField field="batchPairs" />
        <NumberField field="seed" />
      </Group>
      <Group title="Online rounds">
        <OnlineSection />
      </Group>
      <AdapterGroup />
      <Fold title="Optimiser">
        <ChoiceField field="schedule" />
        <NumberField field="warmupSteps" />
        <NumberField field="maxGradNorm" />
        <NumberField field="weightDecay" />
        <NumberField field="accumulationSteps" />
        <SwitchField field="isShuffled" />
      </Fold>
      <Fold title="Evaluation and samples">
        <NumberField field="evalEvery" />
        <NumberField field="evalPairs" />
        <NumberField field="samplePrompts" />
        <NumberField field="sampleTokens" />
        <NumberField field="sampleTemperature" />
      </Fold>
      <Fold title="Reading and computing">
        <NumberField field="maxTokens" />
        <ChoiceField field="terminator" />
        <SwitchField field="sharesPrompts" />
        <ChoiceField field="checkpointing" />
        <ChoiceField field="backend" />
      </Fold>
      <PreflightPanel />
    </div>
  );
}

function AdapterGroup() {
  const tuning = useSetupStore((state) => state.config.tuning);
  return (
    <Fold title="Adapter">
      <ChoiceField field="tuning" />
      {tuning === "lora" && (
        <>
          <NumberField field="loraRank" />
          <NumberField field="loraAlpha" />
          <NumberField field="loraDropout" />
          <TargetsField />
          <NumberField field="topLayers" />
        </>
      )}
    </Fold>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="setup-group" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Fold({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <details className="setup-group setup-fold">
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
    </details>
  );
}

function SetupSkeleton() {
  return (
    <div className="setup" aria-busy="true" aria-label="Setup is loading">
      {[52, 52, 52, 120, 160].map((height, index) => (
        <Skeleton key={`${index} ${height}`} height={height} radius={6} animate={false} mb={12} />
      ))}
    </div>
  );
}
