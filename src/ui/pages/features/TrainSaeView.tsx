import { Button, FileButton, NativeSelect, NumberInput, Progress } from "@mantine/core";
import { useState } from "react";
import { saveSae } from "../../../state/saes.ts";
import { saeInUse, useSaeStore } from "../../../state/saeStore.ts";
import {
  chooseSaeTexts,
  editSae,
  isSaeTraining,
  pauseSae,
  saeLimits,
  saeMetrics,
  saeProblems,
  saeSettings,
  trainSae,
  useSaeTrainingStore,
  type SaeMetric,
} from "../../../state/saeTraining.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { SaeSettings, SaeTrainingEvent } from "../../../worker/protocol.ts";
import { MetricChart } from "../../charts/MetricChart.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount, formatFineShare, formatSetting, formatValue } from "../../format.ts";
import { Refusal } from "../../components/Refusal.tsx";

/** An autoencoder of one’s own, trained on the loaded pairs or on texts. */
export function TrainSaeView() {
  const { event, refusal } = useSaeTrainingStore();
  const failure = event?.status === "failed" ? event.reason : null;
  return (
    <div className="sae-train-view">
      <SaeForm />
      <div className="sae-train-live">
        <Refusal title="The training did not go on." reason={refusal ?? failure} />
        {event !== null && <Status event={event} />}
        <Charts />
      </div>
    </div>
  );
}

const fields: readonly {
  readonly field: keyof typeof saeLimits;
  readonly label: string;
  readonly help: string;
}[] = [
  { field: "width", label: "Width", help: "How many features there will be." },
  { field: "k", label: "k", help: "How many of them are active at a token, on average." },
  { field: "steps", label: "Steps", help: "How many times it is updated." },
  { field: "batchRows", label: "Rows a step", help: "Tokens that one update reads." },
  { field: "learningRate", label: "Learning rate", help: "How far one update moves it." },
  { field: "seed", label: "Seed", help: "Decides the first values and the order of the rows." },
];

function limitsOf(field: keyof typeof saeLimits): string {
  const format = field === "learningRate" ? formatSetting : formatCount;
  return saeLimits[field].map(format).join(" to ");
}

function SaeForm() {
  const state = useSaeTrainingStore();
  const { model, data } = useSetupStore();
  const { event } = state;
  const layers = model?.layers ?? 0;
  const settings = saeSettings(state, layers);
  const problems = saeProblems(settings, layers);
  const isRunning = isSaeTraining(state);
  return (
    <Panel title="Train an autoencoder">
      <p className="note">It learns to split what a layer says about texts into features.</p>
      <Texts pairs={data?.trainPairs ?? 0} isFixed={isRunning} />
      <div className="sae-form">
        <NativeSelect
          size="xs"
          label="Layer"
          description="The block whose output it reads."
          disabled={isRunning}
          value={String(settings.layer)}
          data={Array.from({ length: layers }, (_, layer) => ({
            value: String(layer),
            label: layer === layers - 1 ? `${layer}, the last` : String(layer),
          }))}
          onChange={({ currentTarget }) => editSae({ layer: Number(currentTarget.value) })}
        />
        {fields.map(({ field, label, help }) => (
          <NumberInput
            key={field}
            size="xs"
            label={label}
            description={`${help} ${limitsOf(field)}.`}
            disabled={isRunning}
            value={settings[field]}
            step={field === "learningRate" ? 1e-4 : 1}
            error={problems.find((problem) => problem.field === field)?.message}
            onChange={(value) => {
              if (value !== "") editSae({ [field]: Number(value) });
            }}
          />
        ))}
      </div>
      <SaeButtons settings={settings} event={event} isSound={problems.length === 0 && layers > 0} />
    </Panel>
  );
}

/** What it is trained on: the loaded pairs, or a file of texts. */
function Texts({ pairs, isFixed }: { readonly pairs: number; readonly isFixed: boolean }) {
  const texts = useSaeTrainingStore((state) => state.texts);
  return (
    <div className="sae-texts" role="group" aria-label="Texts to train on">
      <span>
        Texts: <strong>{texts === null ? `the ${formatCount(pairs)} loaded pairs` : texts.name}</strong>
      </span>
      <FileButton accept=".txt,.json,.jsonl" onChange={chooseSaeTexts} inputProps={textsInput}>
        {(props) => (
          <Button {...props} size="xs" variant="default" disabled={isFixed}>
            Open texts…
          </Button>
        )}
      </FileButton>
      {texts !== null && (
        <Button size="xs" variant="subtle" disabled={isFixed} onClick={() => chooseSaeTexts(null)}>
          Use the pairs
        </Button>
      )}
    </div>
  );
}

const textsInput = { "aria-label": "A file of texts", "data-testid": "sae-texts" } as const;

interface ButtonsProps {
  readonly settings: SaeSettings;
  readonly event: SaeTrainingEvent | null;
  readonly isSound: boolean;
}

function SaeButtons({ settings, event, isSound }: ButtonsProps) {
  const [isAsked, setAsked] = useState(false);
  const status = event?.status;
  const isRunning = status === "collecting" || status === "training";
  const train = async (isContinued: boolean) => {
    setAsked(true);
    await trainSae(isContinued);
    setAsked(false);
  };
  return (
    <div className="dialog-actions">
      {isRunning ? (
        <Button size="xs" data-testid="sae-pause" onClick={() => void pauseSae()}>
          Pause
        </Button>
      ) : (
        <>
          {status === "paused" && (
            <Button size="xs" data-testid="sae-continue" loading={isAsked} onClick={() => void train(true)}>
              Continue
            </Button>
          )}
          <Button
            size="xs"
            variant={status === "paused" ? "default" : "filled"}
            data-testid="sae-train"
            loading={isAsked}
            disabled={!isSound}
            onClick={() => void train(false)}
          >
            {status === "paused" ? "Start over" : `Train ${formatCount(settings.steps)} steps`}
          </Button>
        </>
      )}
    </div>
  );
}

const statusWords: Record<SaeTrainingEvent["status"], string> = {
  collecting: "Reading the texts",
  training: "Learning",
  paused: "Paused",
  done: "Done",
  failed: "Failed",
};

function Status({ event }: { readonly event: SaeTrainingEvent }) {
  const heldOut = useSaeTrainingStore((state) => state.heldOut);
  const { status, step, steps, sae } = event;
  const isInUse = useSaeStore((state) => saeInUse(state)?.print === sae?.print);
  return (
    <section className="panel sae-status" aria-label="Training of the autoencoder" data-testid="sae-status">
      <p>
        <strong>{statusWords[status]}</strong> · {status === "collecting" ? "text" : "step"}{" "}
        {formatCount(step)} of {formatCount(steps)}
      </p>
      <Progress value={steps > 0 ? (100 * step) / steps : 0} aria-label="Steps taken" />
      <p className="visually-hidden" role="status">
        {statusWords[status]}
      </p>
      {Object.keys(heldOut).length > 0 && <HeldOut figures={heldOut} />}
      {sae !== null && (
        <div className="dialog-actions">
          <span>{isInUse ? `In use now: ${sae.label}.` : `Made: ${sae.label}.`}</span>
          <Button size="compact-xs" variant="default" onClick={() => void saveSae(sae.id)}>
            Save for SAELens
          </Button>
        </div>
      )}
    </section>
  );
}

function HeldOut({ figures }: { readonly figures: Readonly<Record<string, number>> }) {
  const shown = saeMetrics.flatMap((name) => {
    const value = figures[`eval_${name}`];
    return value === undefined ? [] : [{ name, text: formatOf(name)(value) }];
  });
  return (
    <dl className="sae-figures">
      {shown.map(({ name, text }) => (
        <div key={name}>
          <dt>Held out: {titles[name]}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function formatOf(name: SaeMetric): (value: number) => string {
  return name === "unexplained" || name === "dead" ? formatFineShare : formatValue;
}

const titles: Record<SaeMetric, string> = {
  loss: "Loss",
  unexplained: "Unexplained",
  l0: "Active features (L0)",
  dead: "Silent for long",
};

function Charts() {
  const points = useSaeTrainingStore((state) => state.points);
  const [hoveredX, setHoveredX] = useState<number | null>(null);
  return (
    <div className="sae-charts">
      {saeMetrics.map((name) => (
        <MetricChart
          key={name}
          title={titles[name]}
          subtitle={name}
          series={[{ name, label: name, color: "ink", points: points[name] }]}
          xLabel="step"
          scale="linear"
          smoothing={0}
          hoveredX={hoveredX}
          onHoverX={setHoveredX}
          height={120}
        />
      ))}
    </div>
  );
}
