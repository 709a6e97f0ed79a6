import { Button, NativeSelect, NumberInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import type { DataStep } from "../../../engine/data/steps/dataStep.ts";
import { addStep } from "../../../state/dataSteps.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Panel } from "../../components/Panel.tsx";
import { useLoadedData } from "./useLoadedData.ts";

type Kind = "subset" | "select" | "relabel" | "mix" | "flip";

interface Form {
  readonly kind: Kind;
  readonly pairs: number;
  readonly by: Extract<DataStep, { kind: "subset" }>["by"];
  readonly similarity: number;
  readonly mixed: string;
  readonly percent: number;
  readonly seed: number;
}

const kinds: readonly { readonly value: Kind; readonly label: string }[] = [
  { value: "subset", label: "Take a part of it" },
  { value: "select", label: "Select by score and diversity (Deita)" },
  { value: "relabel", label: "Relabel by reward" },
  { value: "mix", label: "Mix in another set" },
  { value: "flip", label: "Flip labels: noise for experiments" },
];

const kindNotes: Readonly<Record<Kind, string>> = {
  subset: "How much do quality and quantity matter? Train on parts of one set and compare the runs.",
  select:
    "Takes pairs from the best score downwards and passes over each that is too much like one taken already. Needs scores.",
  relabel:
    "Every scored pair becomes two: each answer is the better one under the goal of its own score. Needs scores.",
  mix: "The share is of the training pairs; held-out pairs stay as they are.",
  flip: "Swaps chosen and rejected in a share of the training pairs. What does a method make of wrong labels?",
};

/** Small forms for what else can be done to the set. */
export function StepForms() {
  const { data } = useLoadedData();
  const [form, setForm] = useState<Form>({
    kind: "subset",
    pairs: 100,
    by: "random",
    similarity: 0.9,
    mixed: "",
    percent: 20,
    seed: 7,
  });
  const change = (patch: Partial<Form>) => setForm({ ...form, ...patch });
  const mixable = useMixable();
  const mixed = mixable.find(({ value }) => value === form.mixed) ?? mixable[0];
  const step = stepOf(form, mixed);
  const last = useSetupStore(({ config }) => config.dataSteps.at(-1));
  // A second click of a double click is no second change.
  const isLast = step !== null && JSON.stringify(step) === JSON.stringify(last);
  return (
    <Panel title="Add a change">
      <div className="step-form">
        <NativeSelect
          size="xs"
          label="What to do"
          data-testid="step-kind"
          value={form.kind}
          data={[...kinds]}
          onChange={({ currentTarget }) => change({ kind: currentTarget.value as Kind })}
        />
        {fields[form.kind]({ form, change, mixable, mixed: mixed?.value ?? "" })}
        <p className="note">{kindNotes[form.kind]}</p>
        <Button
          size="xs"
          data-testid="step-add"
          disabled={data === null || step === null || isLast}
          onClick={() => {
            if (step !== null) addStep(step);
          }}
        >
          Add
        </Button>
        {isLast && <p className="note">It is the last change already.</p>}
      </div>
    </Panel>
  );
}

interface Mixable {
  readonly value: string;
  readonly label: string;
  readonly data: string;
  readonly objective: string;
}

/** Every set and objective that can be mixed in: all but the one in use. */
function useMixable(): readonly Mixable[] {
  const sets = useSetupStore((state) => state.description?.datasets) ?? [];
  const { data: used, objective: usedObjective } = useSetupStore(({ config }) => config);
  return sets.flatMap(({ id: data, label, objectives }) =>
    objectives
      .map((aim) => ({
        value: `${data} ${aim.id}`,
        label: objectives.length > 1 ? `${label}: ${aim.label}` : label,
        data,
        objective: aim.id,
      }))
      .filter((aim) => data !== used || (objectives.length > 1 && aim.objective !== usedObjective)),
  );
}

function stepOf(
  { kind, pairs, by, similarity, percent, seed }: Form,
  mixed: Mixable | undefined,
): DataStep | null {
  const share = percent / 100;
  switch (kind) {
    case "subset":
      return { kind, pairs, by, seed };
    case "select":
      return { kind, pairs, similarity };
    case "relabel":
      return { kind };
    case "mix":
      return mixed === undefined ? null : { kind, data: mixed.data, objective: mixed.objective, share, seed };
    case "flip":
      return { kind, share, seed };
  }
}

interface FieldsProps {
  readonly form: Form;
  readonly change: (patch: Partial<Form>) => void;
  readonly mixable: readonly Mixable[];
  readonly mixed: string;
}

const fields: Readonly<Record<Kind, (props: FieldsProps) => ReactNode>> = {
  subset: ({ form, change }) => (
    <>
      <Whole label="Training pairs" value={form.pairs} min={1} onChange={(pairs) => change({ pairs })} />
      <NativeSelect
        size="xs"
        label="Which"
        value={form.by}
        data={[
          { value: "random", label: "Drawn by seed" },
          { value: "largestGap", label: "Largest gap" },
          { value: "smallestGap", label: "Smallest gap" },
          { value: "shortest", label: "Shortest answers" },
        ]}
        onChange={({ currentTarget }) => change({ by: currentTarget.value as Form["by"] })}
      />
      {form.by === "random" && <Seed form={form} change={change} />}
    </>
  ),
  select: ({ form, change }) => (
    <>
      <Whole label="Training pairs" value={form.pairs} min={1} onChange={(pairs) => change({ pairs })} />
      <NumberInput
        size="xs"
        label="Most alike (cosine)"
        min={0}
        max={1}
        step={0.05}
        value={form.similarity}
        onChange={(value) => change({ similarity: Math.min(Math.max(Number(value) || 0, 0), 1) })}
      />
    </>
  ),
  relabel: () => null,
  mix: ({ form, change, mixable, mixed }) => (
    <>
      <NativeSelect
        size="xs"
        label="Set"
        value={mixed}
        data={[...mixable]}
        onChange={({ currentTarget }) => change({ mixed: currentTarget.value })}
      />
      <Percent form={form} change={change} />
      <Seed form={form} change={change} />
    </>
  ),
  flip: ({ form, change }) => (
    <>
      <Percent form={form} change={change} />
      <Seed form={form} change={change} />
    </>
  ),
};

type FieldProps = Pick<FieldsProps, "form" | "change">;

function Percent({ form, change }: FieldProps) {
  return (
    <Whole
      label="Share in %"
      value={form.percent}
      min={0}
      max={100}
      onChange={(percent) => change({ percent })}
    />
  );
}

function Seed({ form, change }: FieldProps) {
  return (
    <Whole label="Seed" value={form.seed} min={0} max={2_147_483_647} onChange={(seed) => change({ seed })} />
  );
}

interface WholeProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max?: number;
  readonly onChange: (value: number) => void;
}

function Whole({ label, value, min, max = 10_000_000, onChange }: WholeProps) {
  return (
    <NumberInput
      size="xs"
      label={label}
      min={min}
      max={max}
      allowDecimal={false}
      value={value}
      onChange={(next) => onChange(Math.min(Math.max(Math.round(Number(next)) || 0, min), max))}
    />
  );
}
