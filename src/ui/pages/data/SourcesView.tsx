import { Button, SegmentedControl } from "@mantine/core";
import { useEffect } from "react";
import { readEmbedded, useEmbeddedStore } from "../../../state/dataAnswers.ts";
import { chooseData } from "../../../state/editing.ts";
import { localId } from "../../../state/link.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { DataCard } from "../../../worker/description.ts";
import type { DataReading } from "../../../worker/protocol.ts";
import { chooseFiles } from "../../components/FileDoors.tsx";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatBytes, formatCount } from "../../format.ts";
import { ExampleAnswers } from "./ExampleAnswers.tsx";
import { HubSource } from "./HubSource.tsx";

/** Where pairs come from: the studio, a disk, or the Hub. */
export function SourcesView() {
  const sets = useSetupStore((state) => state.description?.datasets);
  return (
    <div className="source-grid">
      {sets?.map((set) => (
        <EmbeddedSource key={set.id} set={set} />
      ))}
      <LocalSource />
      <HubSource />
    </div>
  );
}

function EmbeddedSource({ set }: { readonly set: DataCard }) {
  const { data, objective } = useSetupStore(({ config }) => config);
  const reading = useEmbeddedStore(({ readings }) => readings[set.id]);
  const isUsed = data === set.id;
  useEffect(() => void readEmbedded(set.id), [set.id]);
  return (
    <Panel
      title={set.label}
      className={isUsed ? "source-used" : ""}
      aside={<UseButton label={set.label} isUsed={isUsed} onUse={() => chooseData(set.id, "")} />}
    >
      <p className="source-sentence">{set.sentence}</p>
      {set.objectives.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={`Objective of ${set.label}`}
          data={set.objectives.map(({ id, label }) => ({ value: id, label }))}
          value={isUsed ? objective : ""}
          onChange={(wanted) => chooseData(set.id, wanted)}
        />
      )}
      <Example reading={reading} />
      {typeof reading === "object" && <p className="note">{formatCount(reading.rows)} rows</p>}
    </Panel>
  );
}

function Example({ reading }: { readonly reading: DataReading | string | undefined }) {
  if (reading === undefined) return <p className="note">Reading an example…</p>;
  if (typeof reading === "string") return <p className="note">No example: {reading}</p>;
  const pair = reading.preview.find(({ pair: read }) => read !== null)?.pair;
  if (!pair) return null;
  return (
    <div className="example-pair">
      <p>{pair.prompt}</p>
      <ExampleAnswers pair={pair} />
    </div>
  );
}

function LocalSource() {
  const isUsed = useSetupStore(({ config }) => config.data === localId);
  const files = useSetupStore(({ chosenFiles }) => chosenFiles.data) ?? [];
  return (
    <Panel
      title="Files from your disk"
      className={isUsed ? "source-used" : ""}
      aside={
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="file" size={14} />}
          onClick={() => chooseFiles("data")}
        >
          Choose files
        </Button>
      }
    >
      <p className="source-sentence">
        Drop them anywhere on this page: JSONL, JSON, CSV, TSV, Parquet, each also as .gz or in a .zip. They
        are read here and sent nowhere.
      </p>
      {files.length > 0 && (
        <ul className="plain-list">
          {files.map(({ name, size }) => (
            <li key={name}>
              {name} <span className="note">{formatBytes(size)}</span>
            </li>
          ))}
        </ul>
      )}
      <p className="note">
        Layouts are told by their columns: prompt, chosen and rejected; conversations; ratings; hh-rlhf;
        Ultrafeedback and others. Where that is in doubt, you are asked.
      </p>
    </Panel>
  );
}

interface UseButtonProps {
  readonly label: string;
  readonly isUsed: boolean;
  readonly onUse: () => void;
}

function UseButton({ label, isUsed, onUse }: UseButtonProps) {
  if (isUsed) return <span className="tag source-mark">in use</span>;
  return (
    <Button size="xs" variant="default" aria-label={`Use ${label}`} onClick={onUse}>
      Use
    </Button>
  );
}
