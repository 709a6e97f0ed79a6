import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { fieldLabel } from "../../../components/fieldLabel.ts";
import { focusSetting } from "../../../components/focusSetting.ts";

const noFields: readonly string[] = [];

/** What keeps the setup from being trained, but for fields that show it themselves; each leads to its setting. */
export function ProblemList({ except = noFields }: { readonly except?: readonly string[] }) {
  const setup = useSetupStore();
  const problems = setupProblems(setup).filter(({ field }) => !except.includes(field));
  if (problems.length === 0) return null;
  return (
    <div className="setup-problems" data-testid="problems">
      <strong>{problems.length === 1 ? "1 problem" : `${problems.length} problems`}</strong>
      <ul>
        {problems.map(({ field, message }) => (
          <li key={`${field} ${message}`}>
            <button
              type="button"
              className="link-button"
              onClick={() => {
                focusSetting(field);
              }}
            >
              {fieldLabel(field, setup.description)}
            </button>
            : {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
