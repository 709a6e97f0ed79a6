import { NativeSelect } from "@mantine/core";
import type { RoundRecord } from "../../../worker/protocol.ts";

/** What the choice of a round is made of. */
interface RoundChoiceProps {
  readonly label: string;
  readonly rounds: readonly RoundRecord[];
  /** Null follows the newest. */
  readonly round: number | null;
  readonly onChange: (round: number | null) => void;
}

/** Chooses a round; by default the newest is followed. */
export function RoundChoice({ label, rounds, round, onChange }: RoundChoiceProps) {
  return (
    <NativeSelect
      size="xs"
      aria-label={label}
      data-testid="round-choice"
      value={round === null ? "" : String(round)}
      data={[
        { value: "", label: `Newest (round ${(rounds.at(-1)?.round ?? 0) + 1})` },
        ...rounds.map((record) => ({ value: String(record.round), label: `Round ${record.round + 1}` })),
      ]}
      onChange={({ currentTarget: { value } }) => onChange(value === "" ? null : Number(value))}
    />
  );
}

/** The chosen round, or the newest where it is gone or none was chosen. */
export function chosenRound(rounds: readonly RoundRecord[], round: number | null): RoundRecord | null {
  return rounds.find((record) => record.round === round) ?? rounds.at(-1) ?? null;
}
