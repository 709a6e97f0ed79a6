export type { StoredTensor, StoredTensors, StoredType } from "../files/storedTensors.ts";
