import { NativeSelect, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { everyRow, filterRows, needRows, useRowsStore, type RowFilter } from "../../../state/dataRows.ts";
import type { HealthCheck } from "../../../engine/data/steps/dataStep.ts";
import { formatCount } from "../../format.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { PairTable } from "./PairTable.tsx";
import { checkNames } from "./stepSentence.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** Long enough for a word to be typed. */
const typingMs = 250;

/** Every pair of the set, searched, filtered and sorted. */
export function PairsView() {
  const { key } = useLoadedData();
  const { filter, matches, refusal } = useRowsStore();
  useEffect(() => {
    if (key !== null) needRows(0, 0);
  }, [key]);
  const isFiltered = filter.search !== "" || filter.split !== "all" || filter.flag !== null;
  const clear = () => filterRows({ ...everyRow, sortBy: filter.sortBy, isDescending: filter.isDescending });
  return (
    <section
      className="panel pairs"
      aria-label="Pairs"
      aria-busy={key !== null && matches === null && refusal === null}
    >
      <Filter />
      <Refusal title="The pairs could not be listed." reason={refusal} onRetry={() => needRows(0, 0)} />
      <p className="note" role="status" data-testid="pair-count">
        {refusal === null && countSentence(key, matches, isFiltered)}
        {isFiltered && (
          <>
            {" "}
            <button type="button" className="link-button" onClick={clear}>
              Clear the filter
            </button>
          </>
        )}
      </p>
      {matches !== null && matches > 0 && <PairTable matches={matches} />}
    </section>
  );
}

function countSentence(key: string | null, matches: number | null, isFiltered: boolean): string {
  if (key === null) return "Choose a set under Sources: its pairs are listed here.";
  if (matches === null) return "Looking through the set…";
  if (matches === 0) return isFiltered ? "No pair matches." : "The set has no pairs left.";
  return `${formatCount(matches)} ${matches === 1 ? "pair" : "pairs"}`;
}

type Order = `${RowFilter["sortBy"]} ${"up" | "down"}`;

const orders: readonly { readonly value: Order; readonly label: string }[] = [
  { value: "row up", label: "In the order of the set" },
  { value: "row down", label: "Last rows first" },
  { value: "gap down", label: "Largest gap first" },
  { value: "gap up", label: "Smallest gap first" },
  { value: "chosenTokens down", label: "Longest chosen first" },
  { value: "chosenTokens up", label: "Shortest chosen first" },
  { value: "rejectedTokens down", label: "Longest rejected first" },
  { value: "rejectedTokens up", label: "Shortest rejected first" },
];

function Filter() {
  const { filter } = useRowsStore();
  const checks = Object.entries(checkNames).map(([value, label]) => ({ value, label }));
  return (
    <div className="pair-filter" role="search">
      <Search />
      <NativeSelect
        size="xs"
        aria-label="Part of the set"
        value={filter.split}
        data={[
          { value: "all", label: "Training and held out" },
          { value: "train", label: "Training" },
          { value: "heldout", label: "Held out" },
        ]}
        onChange={({ currentTarget }) => filterRows({ split: currentTarget.value as RowFilter["split"] })}
      />
      <NativeSelect
        size="xs"
        aria-label="Finding"
        data-testid="pair-flag"
        value={filter.flag ?? ""}
        data={[{ value: "", label: "With and without findings" }, ...checks]}
        onChange={({ currentTarget: { value } }) =>
          filterRows({ flag: value === "" ? null : (value as HealthCheck) })
        }
      />
      <NativeSelect
        size="xs"
        aria-label="Order"
        value={`${filter.sortBy} ${filter.isDescending ? "down" : "up"}`}
        data={[...orders]}
        onChange={({ currentTarget }) => {
          const [sortBy, direction] = currentTarget.value.split(" ") as [RowFilter["sortBy"], string];
          filterRows({ sortBy, isDescending: direction === "down" });
        }}
      />
    </div>
  );
}

/** Asks once somebody has stopped typing. */
function Search() {
  const search = useRowsStore(({ filter }) => filter.search);
  const [text, setText] = useState(search);
  const [known, setKnown] = useState(search);
  if (search !== known) {
    // The filter was cleared elsewhere.
    setKnown(search);
    setText(search);
  }
  useEffect(() => {
    if (text === search) return;
    const timer = setTimeout(() => filterRows({ search: text }), typingMs);
    return () => clearTimeout(timer);
  }, [text, search]);
  return (
    <TextInput
      size="xs"
      type="search"
      aria-label="Find pairs"
      placeholder="Text, or /a regular expression/"
      data-testid="pair-search"
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
    />
  );
}
