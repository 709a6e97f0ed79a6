import { Button, NativeSelect, NumberInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { addJudge, isUsed, judgeList, keepAside } from "../../../state/judges.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { JudgeList } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { emptyDraft, judgeKinds, judgeOf, type JudgeDraft, type JudgeKind } from "./judgeKinds.ts";

/** A judge is described here, and then put in use or kept aside. */
export function JudgeForm() {
  const setup = useSetupStore();
  const list = judgeList.useStore((state) => state.answer);
  const [typed, setTyped] = useState<JudgeDraft>(emptyDraft);
  const draft = withChoice(typed, list);
  const made = judgeOf(draft);
  const isHere = "judge" in made && isUsed(made.judge, setup);
  const help =
    draft.kind === "program"
      ? list?.programs.find(({ id }) => id === draft.id)?.help
      : judgeKinds[draft.kind].help;
  return (
    <Panel title="Add a judge">
      <div className="judge-form">
        <NativeSelect
          size="xs"
          label="Kind"
          data-testid="judge-kind"
          value={draft.kind}
          data={Object.entries(judgeKinds).map(([value, { label }]) => ({ value, label }))}
          onChange={({ currentTarget }) =>
            setTyped({ ...draft, kind: currentTarget.value as JudgeKind, id: "" })
          }
        />
        <DraftFields draft={draft} list={list} onChange={(change) => setTyped({ ...draft, ...change })} />
        <p className="note">{help}</p>
        <div className="dialog-actions">
          <Button
            size="xs"
            data-testid="add-judge"
            disabled={!("judge" in made) || isHere}
            onClick={() => "judge" in made && addJudge(made.judge)}
          >
            Put in use
          </Button>
          <Button
            size="xs"
            variant="default"
            data-testid="keep-aside"
            disabled={!("judge" in made)}
            onClick={() => "judge" in made && keepAside(made.judge)}
          >
            Keep aside
          </Button>
          <p className="note" role="status">
            {"problem" in made ? made.problem : isHere ? "This judge is in use." : ""}
          </p>
        </div>
      </div>
    </Panel>
  );
}

/** The draft with the first of what can be chosen, where nothing was. */
function withChoice(draft: JudgeDraft, list: JudgeList | null): JudgeDraft {
  const [first] = choicesOf(draft.kind, list);
  return draft.id === "" && first !== undefined ? { ...draft, id: first.value } : draft;
}

function choicesOf(kind: JudgeKind, list: JudgeList | null): { value: string; label: string }[] {
  const found = kind === "program" ? list?.programs : kind === "rewardModel" ? list?.rewardModels : [];
  return (found ?? []).map(({ id, label }) => ({ value: id, label }));
}

interface FieldsProps {
  readonly draft: JudgeDraft;
  readonly list: JudgeList | null;
  readonly onChange: (change: Partial<JudgeDraft>) => void;
}

function DraftFields({ draft, list, onChange }: FieldsProps) {
  switch (draft.kind) {
    case "program":
    case "rewardModel":
      return (
        <NativeSelect
          size="xs"
          label={judgeKinds[draft.kind].label}
          data-testid="judge-id"
          value={draft.id}
          data={choicesOf(draft.kind, list)}
          onChange={({ currentTarget }) => onChange({ id: currentTarget.value })}
        />
      );
    case "words":
      return (
        <TwoLists
          draft={draft}
          labels={["Liked words", "Disliked words"]}
          description="One a line, or with commas."
          onChange={onChange}
        />
      );
    case "contains":
      return (
        <TwoLists
          draft={draft}
          labels={["Wanted texts", "Texts to avoid"]}
          description="One a line."
          onChange={onChange}
        />
      );
    case "length":
      return (
        <NumberInput
          size="xs"
          label="Words"
          data-testid="judge-words"
          min={1}
          max={10_000}
          allowDecimal={false}
          value={draft.words}
          onChange={(value) => onChange({ words: value === "" ? Number.NaN : Number(value) })}
        />
      );
    case "pattern":
      return (
        <TextInput
          size="xs"
          label="Regular expression"
          spellCheck={false}
          data-testid="judge-pattern"
          value={draft.pattern}
          onChange={({ currentTarget }) => onChange({ pattern: currentTarget.value })}
        />
      );
    case "endpoint":
      return list?.endpoint ? null : (
        <p className="note">Type its address in under “Judge at an address” first.</p>
      );
    case "implicit":
    case "person":
      return null;
  }
}

interface TwoListsProps extends Omit<FieldsProps, "list"> {
  readonly labels: readonly [string, string];
  readonly description: string;
}

function TwoLists({ draft, labels, description, onChange }: TwoListsProps) {
  const shared = { size: "xs", autosize: true, minRows: 2, maxRows: 6, description } as const;
  return (
    <>
      <Textarea
        {...shared}
        label={labels[0]}
        data-testid="judge-wanted"
        value={draft.wanted}
        onChange={({ currentTarget }) => onChange({ wanted: currentTarget.value })}
      />
      <Textarea
        {...shared}
        label={labels[1]}
        data-testid="judge-unwanted"
        value={draft.unwanted}
        onChange={({ currentTarget }) => onChange({ unwanted: currentTarget.value })}
      />
    </>
  );
}
