import { Button, Modal, NativeSelect } from "@mantine/core";
import { applyMapping } from "../../../state/dataSources.ts";
import {
  chooseColumn,
  chooseLayout,
  closeMapping,
  dataLayouts,
  useMappingStore,
} from "../../../state/mapping.ts";
import { nameOf } from "../../../state/readSource.ts";
import type { DataLayout, DataReading } from "../../../worker/protocol.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { ExampleAnswers } from "./ExampleAnswers.tsx";
import "./mapping.css";

/** Asks which column is which: the best guess is filled in, and the first rows show what it makes of them. */
export function MappingDialog() {
  const { isOpen, source, reading, refusal, isReading, isApplying } = useMappingStore();
  const name = source === null ? "" : nameOf(source);
  return (
    <Modal opened={isOpen} onClose={closeMapping} title="Which column is which?" size="xl">
      <div className="mapping" data-testid="mapping" aria-busy={isReading}>
        <p className="note">
          {name}
          {reading !== null &&
            ` · ${formatCount(reading.columns.length)} columns · ${formatCount(reading.rows)} rows`}
          . {introduction(reading)}
        </p>
        <Roles />
        <Refusal title="It cannot be read this way." reason={refusal} />
        {reading === null && refusal === null && <p className="note">Reading the first rows…</p>}
        {reading !== null && <Preview reading={reading} />}
        <div className="dialog-actions">
          <Button
            size="xs"
            data-testid="mapping-apply"
            loading={isApplying}
            disabled={reading === null || isReading || reading.read === 0}
            onClick={() => void applyMapping()}
          >
            Apply
          </Button>
          <Button size="xs" variant="default" onClick={closeMapping}>
            Cancel
          </Button>
        </div>
      </div>
    </Modal>
  );
}

function introduction(reading: DataReading | null): string {
  const isGuessed = reading === null || Object.values(reading.columnsByRole).some((column) => column !== "");
  return isGuessed
    ? "Best guess filled in."
    : "No column has a name that is known here: choose what each one holds.";
}

function Roles() {
  const { choice, reading } = useMappingStore();
  const { answer, refusal } = dataLayouts.useStore();
  const layouts = answer ?? [];
  const layout = layouts.find(({ id }) => id === choice.dataLayout);
  const columns = reading?.columns ?? [];
  const fitting = reading?.alternatives ?? [];
  const fits = ({ id }: DataLayout) => id === choice.dataLayout || fitting.includes(id);
  const options = (list: readonly DataLayout[]) => list.map(({ id, label }) => ({ value: id, label }));
  const others = layouts.filter((known) => !fits(known));
  return (
    <>
      <Refusal title="The layouts could not be listed." reason={refusal} />
      <div className="mapping-roles">
        <NativeSelect
          size="xs"
          label="Layout"
          data-testid="mapping-layout"
          value={choice.dataLayout}
          data={[
            ...(layout === undefined ? [{ value: choice.dataLayout, label: "Not recognised" }] : []),
            { group: "Fit the columns", items: options(layouts.filter(fits)) },
            ...(others.length === 0 ? [] : [{ group: "Others", items: options(others) }]),
          ]}
          onChange={({ currentTarget }) => chooseLayout(currentTarget.value)}
        />
        {layout?.roles.map(({ id, isOptional }) => (
          <NativeSelect
            key={id}
            size="xs"
            label={`${roleNames[id] ?? id}${isOptional ? " (optional)" : ""}`}
            data-testid={`mapping-${id}`}
            value={columns.find((column) => column === choice.dataColumns[id]) ?? ""}
            data={[
              { value: "", label: isOptional ? "none" : "choose a column" },
              ...columns.map((column) => ({ value: column, label: column })),
            ]}
            onChange={({ currentTarget }) => chooseColumn(id, currentTarget.value)}
          />
        ))}
      </div>
      {layout !== undefined && layout.kind !== "pairs" && <p className="note">{kindNotes[layout.kind]}</p>}
    </>
  );
}

const roleNames: Readonly<Record<string, string>> = {
  prompt: "Prompt",
  chosen: "Chosen",
  rejected: "Rejected",
  completion: "Answer",
  instruction: "Instruction",
  input: "Input",
  output: "Answer",
  question: "Question",
  messages: "Messages",
  conversations: "Conversation",
  system: "System prompt",
  text: "Text",
  label: "Label",
  a: "Answer A",
  b: "Answer B",
  better: "Which is better",
  isA: "A is better",
  ratio: "Ratio of scores",
  scoreA: "Score of A",
  scoreB: "Score of B",
  scoreChosen: "Score of chosen",
  scoreRejected: "Score of rejected",
  weight: "Weight",
  objective: "Aim",
};

const kindNotes: Readonly<Record<Exclude<DataLayout["kind"], "pairs">, string>> = {
  unpaired:
    "Its rows are single answers with a label; pairs are made of a good and a bad one to the same prompt.",
  sft: "Its rows have one answer each: there is nothing that it is preferred to.",
  prompts: "Its rows are prompts alone: let the model answer them under Annotate.",
};

function Preview({ reading }: { readonly reading: DataReading }) {
  const { columns, preview, rows, read } = reading;
  return (
    <>
      <p className="mapping-count" role="status" data-testid="mapping-count">
        {`${formatCount(read)} of ${formatCount(rows)} rows can be used.`}
      </p>
      <ol className="mapping-rows" aria-label="The first rows">
        {preview.map((row, place) => (
          <li key={place} className="mapping-row">
            <dl className="mapping-cells" aria-label={`Row ${place + 1} as it is in the file`}>
              {columns.map((column) => (
                <div key={column}>
                  <dt>{column}</dt>
                  <dd>{row.cells[column] ?? ""}</dd>
                </div>
              ))}
            </dl>
            {row.pair === null ? (
              <p className="mapping-reason">Not used: {row.reason}.</p>
            ) : (
              <ReadPair pair={row.pair} />
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function ReadPair({ pair }: { readonly pair: NonNullable<DataReading["preview"][number]["pair"]> }) {
  return (
    <div className="mapping-pair">
      <p>
        <span className="mapping-tag">prompt</span>
        {pair.prompt}
      </p>
      <ExampleAnswers pair={pair} />
    </div>
  );
}
