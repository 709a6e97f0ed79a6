import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDeferredValue, useMemo, useState } from "react";
import { wouldLoseWork } from "../../../state/actions.ts";
import { openRound, saveRound } from "../../../state/rounds.ts";
import { isRunActive } from "../../../state/runStore.ts";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { formatCount } from "../../format.ts";
import { PromptList } from "./PromptList.tsx";
import {
  countFates,
  everyPrompt,
  filterPrompts,
  promptRow,
  type PromptFate,
  type PromptFilter,
  type PromptRow,
} from "./promptRows.ts";
import { RoundChoice, chosenRound } from "./RoundChoice.tsx";
import { gapsOf } from "./roundGaps.ts";
import { useOnlineRun } from "./useOnlineRun.ts";

/** The tab: what became of every prompt in a round. */
export function PromptsView() {
  const { rounds, phase } = useOnlineRun();
  const [round, setRound] = useState<number | null>(null);
  const [filter, setFilter] = useState(everyPrompt);
  const record = chosenRound(rounds, round);
  if (record === null) {
    return (
      <p className="panel online-waiting">
        Once a round has drawn its answers, every prompt is listed here with its pair before and now.
      </p>
    );
  }
  const choice = <RoundChoice label="Round" rounds={rounds} round={round} onChange={setRound} />;
  return (
    <section className="panel prompts" aria-label="Prompts">
      <Actions record={record} isBusy={isRunActive(phase)} />
      <Filter choice={choice} filter={filter} onChange={(change) => setFilter({ ...filter, ...change })} />
      <Listed record={record} filter={filter} onClear={() => setFilter({ ...filter, ...noFilter })} />
    </section>
  );
}

const noFilter = { fate: everyPrompt.fate, search: everyPrompt.search };

function Listed({
  record,
  filter,
  onClear,
}: {
  readonly record: RoundRecord;
  readonly filter: PromptFilter;
  readonly onClear: () => void;
}) {
  const wanted = useDeferredValue(filter);
  const rows = useMemo(() => record.prompts.map(promptRow), [record]);
  const listed = useMemo(() => filterPrompts(rows, wanted), [rows, wanted]);
  const isFiltered = filter.fate !== "all" || filter.search !== "";
  return (
    <>
      <p className="note" role="status" data-testid="prompt-count">
        {countSentence(rows, listed.length)}
        {isFiltered && (
          <>
            {" "}
            <button type="button" className="link-button" onClick={onClear}>
              Clear the filter
            </button>
          </>
        )}
      </p>
      {listed.length > 0 && <PromptList rows={listed} />}
    </>
  );
}

function countSentence(rows: readonly PromptRow[], listed: number): string {
  if (listed === 0) return rows.length === 0 ? "The round has no prompts." : "No prompt matches.";
  if (listed < rows.length) return `${formatCount(listed)} of ${formatCount(rows.length)} prompts`;
  const { regenerated, kept, dropped } = countFates(rows);
  return (
    `${formatCount(rows.length)} prompts: ${formatCount(regenerated)} with a new pair, ` +
    `${formatCount(kept)} kept, ${formatCount(dropped)} without a new pair.`
  );
}

function Actions({ record, isBusy }: { readonly record: RoundRecord; readonly isBusy: boolean }) {
  const [isAsking, setAsking] = useState(false);
  const hasPairs = gapsOf(record).length > 0;
  const use = async () => {
    setAsking(false);
    await openRound(record);
  };
  return (
    <>
      <div className="prompt-actions">
        <Button
          size="xs"
          variant="default"
          disabled={!hasPairs}
          data-testid="save-round"
          onClick={() => void saveRound(record)}
        >
          Save these pairs
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={!hasPairs || isBusy}
          data-testid="use-round"
          onClick={() => (wouldLoseWork() ? setAsking(true) : void use())}
        >
          Use as data set
        </Button>
        <span className="note">
          {isBusy
            ? "The pairs can be used as a data set once the run has ended."
            : "The pairs of the round as JSON lines; used as a data set they take the place of the present one."}
        </span>
      </div>
      {isAsking && (
        <div className="refusal" role="alert">
          <p>
            <strong>The run leaves the screen.</strong> What it learned was not saved since its last step, and
            another data set takes its rounds away.
          </p>
          <div className="dialog-actions">
            <Button size="xs" onClick={() => void use()}>
              Use the pairs
            </Button>
            <Button size="xs" variant="default" onClick={() => setAsking(false)}>
              Keep the run
            </Button>
          </div>
        </div>
      )}
    </>
  );
}

const fates: readonly { readonly value: PromptFate | "all"; readonly label: string }[] = [
  { value: "all", label: "All prompts" },
  { value: "regenerated", label: "With a new pair" },
  { value: "kept", label: "Kept" },
  { value: "dropped", label: "Without a new pair" },
];

const orders = [
  { value: "place up", label: "In the order of the set" },
  { value: "change down", label: "Largest gain first" },
  { value: "change up", label: "Largest loss first" },
  { value: "score down", label: "Highest score first" },
  { value: "score up", label: "Lowest score first" },
] as const;

interface FilterProps {
  readonly choice: React.ReactNode;
  readonly filter: PromptFilter;
  readonly onChange: (change: Partial<PromptFilter>) => void;
}

function Filter({ choice, filter, onChange }: FilterProps) {
  return (
    <div className="prompt-filter" role="search">
      <TextInput
        size="xs"
        type="search"
        aria-label="Find prompts and answers"
        placeholder="Text of a prompt or an answer"
        data-testid="prompt-search"
        value={filter.search}
        onChange={({ currentTarget }) => onChange({ search: currentTarget.value })}
      />
      {choice}
      <NativeSelect
        size="xs"
        aria-label="What became of them"
        data-testid="prompt-fate"
        value={filter.fate}
        data={[...fates]}
        onChange={({ currentTarget }) => onChange({ fate: currentTarget.value as PromptFilter["fate"] })}
      />
      <NativeSelect
        size="xs"
        aria-label="Order"
        data-testid="prompt-order"
        value={`${filter.sortBy} ${filter.isDescending ? "down" : "up"}`}
        data={[...orders]}
        onChange={({ currentTarget }) => {
          const [sortBy, direction] = currentTarget.value.split(" ") as [PromptFilter["sortBy"], string];
          onChange({ sortBy, isDescending: direction === "down" });
        }}
      />
    </div>
  );
}
