import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { changesByFeature, findFeatures, type FeatureOrder } from "../../../state/featureList.ts";
import { nameOf } from "../../../state/featureNames.ts";
import { changeReport, featureTable } from "../../../state/features.ts";
import { editQuery, useFeatureViewStore } from "../../../state/featureViewStore.ts";
import { isHeldStill } from "../../../state/heldSet.ts";
import { goTo } from "../../../state/navigation.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { FeatureTable } from "../../../worker/protocol.ts";
import { formatChange, formatCount, formatFineShare, formatValue } from "../../format.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { useFeatureNames, useTable } from "../../components/useFeatureLabel.ts";

/** Rows that are drawn at first, and how many more at a time. */
const rowsAtATime = 100;

const orders: readonly { readonly value: FeatureOrder; readonly label: string }[] = [
  { value: "max", label: "Strongest first" },
  { value: "density", label: "Most frequent first" },
  { value: "change", label: "Most changed first" },
  { value: "number", label: "By number" },
];

/** Every feature of the autoencoder in use, searched, filtered and sorted. */
export function FeatureList() {
  const { refusal } = featureTable.useStore();
  const sae = useTable()?.sae.id;
  const table = useTable();
  return (
    <section className="panel feature-list" aria-label="Features" aria-busy={table === null}>
      <Search />
      <Refusal
        title="The features could not be counted."
        reason={refusal}
        {...(sae === undefined ? {} : { onRetry: () => void featureTable.ask({ sae }) })}
      />
      {table !== null && <Rows table={table} />}
      {table === null && refusal === null && (
        <p className="note">Reading the held-out pairs for every feature…</p>
      )}
    </section>
  );
}

function Search() {
  const query = useFeatureViewStore((state) => state.query);
  return (
    <div className="feature-search">
      <TextInput
        size="xs"
        type="search"
        aria-label="Find a feature"
        placeholder="A word or a number"
        data-testid="feature-search"
        value={query.text}
        onChange={({ currentTarget }) => editQuery({ text: currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label="Order"
        value={query.order}
        data={[...orders]}
        onChange={({ currentTarget }) => editQuery({ order: currentTarget.value as FeatureOrder })}
      />
      <Checkbox
        size="xs"
        label="Stronger on chosen"
        checked={query.favoursChosen}
        onChange={({ currentTarget }) => editQuery({ favoursChosen: currentTarget.checked })}
      />
      <Checkbox
        size="xs"
        label="Silent ones too"
        checked={query.withSilent}
        onChange={({ currentTarget }) => editQuery({ withSilent: currentTarget.checked })}
      />
    </div>
  );
}

/** What a row says at its right end. */
type Figure = "max" | "density" | "change";

const figureNames: Record<Figure, string> = {
  max: "largest activation",
  density: "density",
  change: "change",
};

function figureOf(order: FeatureOrder, isReported: boolean): Figure {
  if (order === "density") return "density";
  return order === "change" && isReported ? "change" : "max";
}

function Rows({ table }: { readonly table: FeatureTable }) {
  const query = useFeatureViewStore((state) => state.query);
  const names = useFeatureNames();
  const report = changeReport.useStore(({ answer }) => (answer?.sae === table.sae.id ? answer : null));
  const changes = useMemo(() => changesByFeature(report), [report]);
  const found = useMemo(() => findFeatures({ table, names, changes }, query), [table, names, changes, query]);
  const [count, setCount] = useState(rowsAtATime);
  const figure = figureOf(query.order, report !== null);
  const figures: Record<Figure, (feature: number) => string> = {
    max: (feature) => formatValue(table.max[feature] ?? 0),
    density: (feature) => formatFineShare(table.density[feature] ?? 0),
    change: (feature) => formatChange(changes.get(feature) ?? 0),
  };
  return (
    <>
      <p className="note" role="status">
        {`${formatCount(found.length)} of ${formatCount(table.density.length)} features · ${figureNames[figure]}`}
        {query.order === "change" && report === null && "; changes are known after a run"}
      </p>
      <ul className="feature-rows">
        {found.slice(0, count).map((feature) => (
          <Row
            key={feature}
            feature={feature}
            name={nameOf(names, feature, table.names[feature])}
            figure={figures[figure](feature)}
          />
        ))}
      </ul>
      {found.length === 0 && (
        <p className="note">
          No feature has “{query.text}” in its name.{" "}
          <button type="button" className="link-button" onClick={() => editQuery({ text: "" })}>
            Clear the search
          </button>
        </p>
      )}
      {found.length > count && (
        <button type="button" className="link-button" onClick={() => setCount(count + rowsAtATime)}>
          Show {formatCount(Math.min(rowsAtATime, found.length - count))} more
        </button>
      )}
    </>
  );
}

interface RowProps {
  readonly feature: number;
  readonly name: string;
  readonly figure: string;
}

function Row({ feature, name, figure }: RowProps) {
  const isOpen = usePlaceStore((place) => place.feature === feature);
  const isHeld = useSetupStore(({ config }) => isHeldStill(config, feature));
  return (
    <li>
      <button
        type="button"
        className="feature-row"
        data-testid={`feature-row-${feature}`}
        aria-current={isOpen}
        onClick={() => goTo({ feature })}
      >
        <span className="feature-number">#{feature}</span>
        <span className="feature-row-name">{name === "" ? "silent" : name}</span>
        {isHeld && <span className="tag">held</span>}
        <span className="feature-figure">{figure}</span>
      </button>
    </li>
  );
}
