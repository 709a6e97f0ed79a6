/** What holding the model's matrices in fewer bits costs on the held-out answers. */
import { createAsker } from "./asked.ts";
import { useSetupStore } from "./setupStore.ts";

/** Perplexity with the weights as they lie on the device, and with those of the file. */
export const weightsPerplexity = createAsker("weightsPerplexity");

/** Forgets what was measured with the model and the pairs that it belongs to; the answer ends that. */
export function watchWeights(): () => void {
  const subject = () => {
    const { loaded } = useSetupStore.getState();
    return loaded && JSON.stringify(loaded);
  };
  let known = subject();
  return useSetupStore.subscribe(() => {
    if (subject() === known) return;
    known = subject();
    weightsPerplexity.forget();
  });
}
