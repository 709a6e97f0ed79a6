/** Coded messages that stay until somebody dismisses them. */
import { create } from "zustand";
import { TrainerError } from "../worker/rpc.ts";
import type { MessageCode } from "../worker/protocol.ts";
import { memoryDetails } from "./memoryRemedies.ts";
import { addLog } from "./runStore.ts";

/** Numbers and names that a message's text needs. */
export type MessageDetails = Readonly<Record<string, string | number | null>>;

/** A message on the page. */
export interface RaisedMessage {
  readonly id: number;
  readonly code: MessageCode;
  readonly details: MessageDetails;
}

interface MessageState {
  readonly messages: readonly RaisedMessage[];
}

let nextId = 1;

/** Messages that are open, oldest first; at most one per code. */
export const useMessageStore = create<MessageState>(() => ({ messages: [] }));

/** Shows a message; a second one of the same code takes the place of the first. */
export function raiseMessage(code: MessageCode, details: MessageDetails = {}): void {
  const known = code === "MEM-1" ? memoryDetails(details["wasActive"] === 1) : {};
  const message = { id: nextId++, code, details: { ...known, ...details } };
  useMessageStore.setState(({ messages }) => ({
    messages: [...messages.filter((other) => other.code !== code), message],
  }));
}

/** Takes messages away by their code. */
export function dismissMessages(...codes: readonly MessageCode[]): void {
  useMessageStore.setState(({ messages }) => ({
    messages: messages.filter(({ code }) => !codes.includes(code)),
  }));
}

/** Shows any error as one message: a trainer's by its own code, anything else as RUN-1. */
export function raiseError(error: unknown, more: MessageDetails = {}): void {
  const { messages } = useMessageStore.getState();
  // A trainer's death is told once, with what it cost; every open question fails with it.
  const isToldAlready = messages.some(({ code }) => code === "WRK-1");
  if (error instanceof TrainerError && error.code === "WRK-1" && isToldAlready) return;
  const code = error instanceof TrainerError ? error.code : "RUN-1";
  const message = error instanceof Error ? error.message : String(error);
  addLog({ level: "error", code, message });
  raiseMessage(code, { ...(error instanceof TrainerError ? error.details : {}), ...more, message });
}
