import { NativeSelect } from "@mantine/core";
import { HelpButton } from "./NumberSetting.tsx";

/** One choice of the form. */
export interface ChoiceSettingProps<Value extends string> {
  readonly field: string;
  readonly label: string;
  readonly help: string;
  readonly value: Value;
  readonly choices: Readonly<Record<Value, string>>;
  /** The published choice, or that it is not public. */
  readonly paper?: string | undefined;
  readonly problem?: string | undefined;
  readonly onChange: (value: Value) => void;
}

/** A named choice between a few words. */
export function ChoiceSetting<Value extends string>(props: ChoiceSettingProps<Value>) {
  const { field, label, help, value, choices, paper, problem, onChange } = props;
  const entries = Object.entries(choices) as [Value, string][];
  return (
    <div className="setting">
      <div className="setting-line">
        <span className="setting-label">
          {label}
          <HelpButton label={label} help={help} paper={paper} />
        </span>
        <NativeSelect
          size="xs"
          className="setting-select"
          aria-label={label}
          data-field={field}
          value={value}
          error={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${field}-problem`}
          data={entries.map(([id, text]) => ({ value: id, label: text }))}
          onChange={({ currentTarget }) => {
            onChange(currentTarget.value as Value);
          }}
        />
      </div>
      {problem !== undefined && (
        <p className="setting-problem" id={`${field}-problem`}>
          {problem}
        </p>
      )}
      {paper !== undefined && <p className="setting-paper">{paper}</p>}
    </div>
  );
}
