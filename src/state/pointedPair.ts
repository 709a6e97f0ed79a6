/** The held-out pair under the pointer, in a store of its own, so that pointing redraws nothing but who asks for it. */
import { create } from "zustand";

interface PointedPairState {
  /** Index of the pair that is hovered or focused on the Pair Map; null when there is none. */
  readonly pointedPair: number | null;
}

/** What the pointer is at. */
export const usePointedPairStore = create<PointedPairState>(() => ({ pointedPair: null }));

/** Says which pair the pointer or the focus is at. */
export function pointAtPair(pointedPair: number | null): void {
  if (usePointedPairStore.getState().pointedPair !== pointedPair) {
    usePointedPairStore.setState({ pointedPair });
  }
}
