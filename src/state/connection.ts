/** The page's one trainer: made, asked, listened to, and made again after it died. */
import { connect, type Connection, type WorkerPort } from "../worker/rpc.ts";
import type { CommandName, Commands, WorkerEvent } from "../worker/protocol.ts";

/** What the page does with what a trainer says and with its death. */
export interface TrainerListeners {
  readonly onEvent: (event: WorkerEvent) => void;
  readonly onDeath: (reason: string) => void;
}

let createPort: (() => WorkerPort) | null = null;
let listeners: TrainerListeners | null = null;
let connection: Connection | null = null;

/** Says how trainers are made and who listens to them; called once, before the first trainer. */
export function configureTrainer(factory: () => WorkerPort, trainerListeners: TrainerListeners): void {
  createPort = factory;
  listeners = trainerListeners;
}

/** Starts a trainer, in place of the present one if there is one. */
export function openTrainer(): void {
  if (createPort === null || listeners === null) throw new Error("No trainer was configured.");
  connection?.terminate();
  connection = connect(createPort());
  connection.onEvent(listeners.onEvent);
  connection.onDeath(listeners.onDeath);
}

/** Asks the trainer and waits for its answer; what is in `transfer` moves there. Rejects with `TrainerError`. */
export function callTrainer<Name extends CommandName>(
  name: Name,
  question: Commands[Name]["question"],
  transfer: readonly Transferable[] = [],
): Promise<Commands[Name]["answer"]> {
  if (connection === null) throw new Error("The trainer was asked before it was started.");
  return connection.call(name, question, transfer);
}
