import { toggleHeld } from "../../../../state/heldSet.ts";
import { featureTable } from "../../../../state/features.ts";
import { namesOf, nameOf, useNameStore } from "../../../../state/featureNames.ts";
import { goTo } from "../../../../state/navigation.ts";
import { saeInUse, saeKey, useSaeStore } from "../../../../state/saes.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { Icon } from "../../../components/Icon.tsx";

/** The features that FPO holds still, as chips, with the way to more. */
export function HeldFeatures() {
  const setup = useSetupStore();
  const held = setup.config.heldFeatures;
  const isOverSeveral = setup.config.saes.length > 1;
  const problem = setupProblems(setup).find(({ field }) => field === "heldFeatures")?.message;
  const sae = useSaeStore(saeInUse);
  const names = useNameStore((state) => namesOf(state, sae === null ? null : saeKey(sae)));
  const suggested = featureTable.useStore(({ answer }) =>
    answer?.sae.id === sae?.id ? answer?.names : null,
  );
  return (
    <div className="setting held-features" data-testid="held-features">
      <span className="setting-label">
        {held.length === 1 ? "1 feature held still" : `${held.length} features held still`}
      </span>
      {held.length > 0 && (
        <ul className="held-chips" aria-label="Held features">
          {held.map((feature) => {
            const ownName = isOverSeveral ? "" : nameOf(names, feature, suggested?.[feature]);
            const name = `#${feature} ${ownName}`.trim();
            return (
              <li key={feature} className="chip">
                <span className="chip-text">{name}</span>
                <button
                  type="button"
                  className="chip-close"
                  aria-label={`Let ${name} go`}
                  onClick={() => toggleHeld(feature)}
                >
                  <Icon name="close" size={12} />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {held.length > 0 && isOverSeveral && (
        <p className="note" role="status">
          Several autoencoders are chosen: these numbers count through all of them, the lowest layer’s first.
          Choose one to hold the features that its screen shows.
        </p>
      )}
      {problem !== undefined && <p className="setting-problem">{problem}</p>}
      <button
        type="button"
        className="link-button"
        data-field="heldFeatures"
        onClick={() => goTo({ screen: "features", tab: held.length > 0 ? "held" : "feature" })}
      >
        {held.length > 0 ? "Change the set" : "Choose features"}
      </button>
    </div>
  );
}
