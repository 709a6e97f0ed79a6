import { useSetupStore } from "../../../state/setupStore.ts";
import { isShelfId } from "../../../state/shelfStore.ts";
import { UseModel } from "./UseModel.tsx";

/** The models that come with the studio; they need no storage. */
export function EmbeddedCard() {
  const description = useSetupStore((state) => state.description);
  const models = description?.models.filter(({ id }) => !isShelfId(id)) ?? [];
  return models.map(({ id, label }) => (
    <li key={id} className="shelf-card" data-testid="shelf-card">
      <div className="shelf-card-heading">
        <h3>{label}</h3>
      </div>
      <p className="note">Comes with the studio.</p>
      <UseModel id={id} label={label} />
    </li>
  ));
}
