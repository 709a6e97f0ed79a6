import { Icon } from "./Icon.tsx";

interface TableToggleProps {
  readonly label: string;
  readonly isTable: boolean;
  readonly onChange: (isTable: boolean) => void;
  readonly isDisabled?: boolean;
}

/** Shows a picture's numbers as a table, or the picture again. */
export function TableToggle({ label, isTable, onChange, isDisabled = false }: TableToggleProps) {
  return (
    <button
      type="button"
      className="chart-button"
      aria-label={label}
      aria-pressed={isTable}
      disabled={isDisabled}
      onClick={() => onChange(!isTable)}
    >
      <Icon name={isTable ? "chart" : "table"} />
    </button>
  );
}
