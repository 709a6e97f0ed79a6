import { Button, NumberInput, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { hubData } from "../../../state/dataAnswers.ts";
import { takeSource } from "../../../state/dataSources.ts";
import { hubHost, useHubStore } from "../../../state/hub.ts";
import { nameOf } from "../../../state/readSource.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { Commands } from "../../../worker/protocol.ts";
import { HubWait } from "../../components/HubWait.tsx";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatBytes, formatCount } from "../../format.ts";

type HubAnswer = Commands["inspectHubData"]["answer"];
type HubSplit = HubAnswer["splits"][number];

/** Rows that are taken unless somebody asks for more: enough for a run, and quick to download. */
const usualRows = 1000;

/** Rows that can be asked for where nobody says how many there are. */
const mostRows = 10_000_000;

/** A data set on the Hub: looked into by its id, then as many rows as wanted are taken. */
export function HubSource() {
  const used = useSetupStore(({ config }) => config.data);
  const { answer, refusal, isAsking } = hubData.useStore();
  const hub = useHubStore();
  const [repo, setRepo] = useState("");
  const isUsed = used.startsWith("hub:");
  const look = (event: FormEvent) => {
    event.preventDefault();
    if (repo.trim() !== "") void hubData.ask({ repo: repo.trim() });
  };
  return (
    <Panel
      title="A data set on the Hub"
      className={isUsed ? "source-used" : ""}
      aside={isUsed && <span className="tag source-mark">in use: {nameOf({ id: used, files: null })}</span>}
    >
      <form className="ask-line" onSubmit={look}>
        <TextInput
          size="xs"
          label="Id of the data set"
          placeholder="owner/name"
          data-testid="hub-repo"
          autoComplete="off"
          spellCheck={false}
          value={repo}
          onChange={({ currentTarget }) => setRepo(currentTarget.value)}
        />
        <Button size="xs" type="submit" variant="default" loading={isAsking} disabled={repo.trim() === ""}>
          Look
        </Button>
      </form>
      {isAsking && <HubWait host={hubHost(hub)} onStop={hubData.forget} />}
      <Refusal title="The data set could not be read." reason={refusal} />
      {answer !== null && refusal === null ? (
        <Splits answer={answer} />
      ) : (
        <p className="note">
          Only the rows you ask for are downloaded. Nothing is asked of the Hub before you press Look.
        </p>
      )}
    </Panel>
  );
}

function Splits({ answer: { license, splits } }: { readonly answer: HubAnswer }) {
  return (
    <>
      <p className="note">Licence: {license ?? "none stated; ask its owner before you publish a model."}</p>
      {splits.length === 0 && <p className="note">It has no file of rows that can be read here.</p>}
      <ul className="hub-splits">
        {splits.map((split) => (
          <Split key={split.id} split={split} />
        ))}
      </ul>
    </>
  );
}

function Split({ split }: { readonly split: HubSplit }) {
  const most = split.rows ?? mostRows;
  const [rows, setRows] = useState(Math.min(usualRows, most));
  const [isTaking, setTaking] = useState(false);
  const take = async () => {
    setTaking(true);
    await takeSource({ id: `${split.id}?rows=${rows}`, files: null });
    setTaking(false);
  };
  return (
    <li>
      <span className="hub-split-name">
        {split.label}
        <span className="note">
          {split.rows === null ? "rows are counted while reading" : `${formatCount(split.rows)} rows`} ·{" "}
          {formatBytes(split.bytes)}
        </span>
      </span>
      <NumberInput
        size="xs"
        aria-label={`Rows of ${split.label} to take`}
        min={1}
        max={most}
        value={rows}
        thousandSeparator=","
        onChange={(value) => setRows(Math.min(Math.max(1, Math.round(Number(value)) || 1), most))}
      />
      <Button size="xs" loading={isTaking} onClick={() => void take()}>
        Use
      </Button>
    </li>
  );
}
