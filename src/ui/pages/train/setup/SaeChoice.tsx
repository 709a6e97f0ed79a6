import { Checkbox } from "@mantine/core";
import { goTo } from "../../../../state/navigation.ts";
import { compareSaes } from "../../../../state/saes.ts";
import { offeredSaes, useSaeStore } from "../../../../state/saeStore.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";

/** The autoencoders whose features the method compares: one, or several of different layers. */
export function SaeChoice() {
  const setup = useSetupStore();
  const { saes } = setup.config;
  const offered = offeredSaes(useSaeStore());
  const problem = setupProblems(setup).find(({ field }) => field === "saes")?.message;
  const [first] = offered;
  const known = saes.filter((id) => offered.some((sae) => sae.id === id));
  // None named means the one in use.
  const chosen = saes.length > 0 || first === undefined ? known : [first.id];
  const toggle = (id: string) => {
    void compareSaes(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  };
  return (
    <div className="setting sae-choice" data-field="saes" role="group" aria-label="Autoencoders">
      <span className="setting-label">Features of</span>
      {offered.map(({ id, label }) => (
        <Checkbox
          key={id}
          size="xs"
          label={label}
          checked={chosen.includes(id)}
          // At least one is compared.
          disabled={chosen.length === 1 && chosen[0] === id}
          onChange={() => toggle(id)}
        />
      ))}
      {problem !== undefined && <p className="setting-problem">{problem}</p>}
      <button type="button" className="link-button" onClick={() => goTo({ screen: "features" })}>
        {offered.length === 0 ? "Open or train an autoencoder" : "Look at features"}
      </button>
    </div>
  );
}
