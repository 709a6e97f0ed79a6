/** Which column of a set is which: the dialog's choice with what would be read under it. */
import { create } from "zustand";
import type { DataReading } from "../worker/protocol.ts";
import { createAsker, sentenceOf } from "./asked.ts";
import { asTold, presentSource, readSource, type DataSource, type ReadingChoice } from "./readSource.ts";

interface MappingState {
  readonly isOpen: boolean;
  /** The set that is or was asked about; null before the first. */
  readonly source: DataSource | null;
  readonly choice: ReadingChoice;
  /** What would be read; stays until another reading comes. */
  readonly reading: DataReading | null;
  readonly refusal: string | null;
  readonly isReading: boolean;
  readonly isApplying: boolean;
  /** A set whose columns were not recognised, for the message's button. */
  readonly unrecognised: DataSource | null;
}

const closed: MappingState = {
  isOpen: false,
  source: null,
  choice: asTold,
  reading: null,
  refusal: null,
  isReading: false,
  isApplying: false,
  unrecognised: null,
};

/** The dialog that asks which column is which. */
export const useMappingStore = create<MappingState>(() => closed);

/** Every layout that data sets come in. */
export const dataLayouts = createAsker("listLayouts");

let turn = 0;

/** Asks which column is which; without a reading, the set is read first. */
export function openMapping(source: DataSource, reading: DataReading | null, choice = asTold): void {
  dataLayouts.ensure("all", null);
  turn += 1;
  useMappingStore.setState({
    ...closed,
    isOpen: true,
    source,
    reading,
    choice: reading === null ? choice : choiceOf(reading),
  });
  if (reading === null) void preview(choice);
}

/** Closes the dialog and changes nothing. */
export function closeMapping(): void {
  turn += 1;
  useMappingStore.setState({ isOpen: false, isReading: false, isApplying: false });
}

/** Remembers a set whose columns were not recognised. */
export function asksForColumns(source: DataSource): void {
  useMappingStore.setState({ unrecognised: source });
}

/** Asks for the columns of the set that was refused last, or else of the one that the configuration names. */
export function openUnrecognised(): void {
  openMapping(useMappingStore.getState().unrecognised ?? presentSource(), null);
}

/** Takes another layout, with the columns that fit it best. */
export function chooseLayout(dataLayout: string): void {
  void preview({ dataLayout, dataColumns: {} });
}

/** Takes a column for a role; "" leaves the role without one, and no guess takes its place. */
export function chooseColumn(role: string, column: string): void {
  const { dataLayout, dataColumns } = useMappingStore.getState().choice;
  void preview({ dataLayout, dataColumns: { ...dataColumns, [role]: column } });
}

async function preview(choice: ReadingChoice): Promise<void> {
  const { source } = useMappingStore.getState();
  if (source === null) return;
  const own = ++turn;
  useMappingStore.setState({ choice, refusal: null, isReading: true });
  let change: Partial<MappingState>;
  try {
    const reading = await readSource(source, choice);
    // What the person chose stays as it is, roles without a column included.
    const isGuess = Object.keys(choice.dataColumns).length === 0;
    change = { reading, choice: isGuess ? choiceOf(reading) : { ...choice, dataLayout: reading.layout } };
  } catch (error) {
    change = { refusal: sentenceOf(error) };
  }
  if (own === turn) useMappingStore.setState({ ...change, isReading: false });
}

function choiceOf({ layout, columnsByRole }: DataReading): ReadingChoice {
  return { dataLayout: layout, dataColumns: columnsByRole };
}
