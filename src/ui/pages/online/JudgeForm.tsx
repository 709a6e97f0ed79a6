import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { addJudge, isUsed, judgeList, keepAside } from "../../../state/judges.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { JudgeCard, JudgeField, JudgeList } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { choicesOf, draftOf, judgeOf, type JudgeDraft } from "./judgeDraft.ts";

/** A judge is described here, and then put in use or kept aside. */
export function JudgeForm() {
  const list = judgeList.useStore((state) => state.answer);
  const [kind, setKind] = useState<JudgeCard["kind"] | null>(null);
  const card = list?.kinds.find((candidate) => candidate.kind === kind) ?? list?.kinds[0];
  return (
    <Panel title="Add a judge">
      {list === null || card === undefined ? (
        <p className="note">Asking which judges there are…</p>
      ) : (
        <div className="judge-form">
          <NativeSelect
            size="xs"
            label="Kind"
            data-testid="judge-kind"
            value={card.kind}
            data={list.kinds.map((other) => ({ value: other.kind, label: other.label }))}
            onChange={({ currentTarget }) => setKind(currentTarget.value as JudgeCard["kind"])}
          />
          <KindForm key={card.kind} card={card} list={list} />
        </div>
      )}
    </Panel>
  );
}

function KindForm({ card, list }: { readonly card: JudgeCard; readonly list: JudgeList }) {
  const [typed, setTyped] = useState<JudgeDraft>(() => draftOf(card));
  const setup = useSetupStore();
  const choices = choicesOf(card.kind, list);
  const draft = typed["id"] === "" ? { ...typed, id: choices[0]?.value ?? "" } : typed;
  const program = card.kind === "program" && list.programs.find(({ id }) => id === draft["id"]);
  const made = judgeOf(card, draft);
  const isHere = "judge" in made && isUsed(made.judge, setup);
  return (
    <>
      {card.fields.map((field) => (
        <DraftField
          key={field.key}
          field={field}
          choices={choices}
          value={draft[field.key] ?? ""}
          onChange={(text) => setTyped({ ...draft, [field.key]: text })}
        />
      ))}
      <p className="note">{program ? program.help : card.help}</p>
      {card.needs !== "" && <p className="note">Needs: {card.needs}</p>}
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
          disabled={!("judge" in made) || isHere}
          onClick={() => "judge" in made && keepAside(made.judge)}
        >
          Keep aside
        </Button>
        <p className="note" role="status">
          {"problem" in made ? made.problem : isHere ? "This judge is in use." : ""}
        </p>
      </div>
    </>
  );
}

interface DraftFieldProps {
  readonly field: JudgeField;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly value: string;
  readonly onChange: (text: string) => void;
}

function DraftField({ field: { key, label, help, form }, choices, value, onChange }: DraftFieldProps) {
  const shared = {
    size: "xs",
    label,
    "data-testid": `judge-${key}`,
    value,
    onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
      onChange(event.currentTarget.value),
  } as const;
  if (form === "choice") return <NativeSelect {...shared} data={[...choices]} />;
  if (form === "words") {
    return <Textarea {...shared} description={`${help} One a line.`} autosize minRows={2} maxRows={6} />;
  }
  return (
    <TextInput
      {...shared}
      description={help}
      spellCheck={false}
      inputMode={form === "count" ? "numeric" : "text"}
    />
  );
}
