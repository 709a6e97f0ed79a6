import { expect, it } from "vitest";
import { readTexts } from "./readTexts.ts";

const read = (name: string, text: string) => readTexts({ name, bytes: new TextEncoder().encode(text) });

it.each([
  ["stories.txt", "Once.\nUpon.\r\n\r\n  A time. \n \n\n<|endoftext|>The end.\n"],
  ["stories.json", JSON.stringify(["Once.\nUpon.", " A time. ", "", { text: "The end.", id: 3 }])],
  ["stories.jsonl", '{"text":"Once.\\nUpon."}\n"A time."\n\n{"text":"The end."}\n'],
])("reads the texts of %s", async (name, source) => {
  expect(await read(name, source)).toEqual(["Once.\nUpon.", "A time.", "The end."]);
});

it.each([
  ["stories.bin", "a,b", '"stories.bin" is not a format I know. Accepted: plain text, or rows'],
  ["stories.json", "{}", "it does not hold one JSON list"],
  ["stories.jsonl", '{"text":"a"}\n{"prompt":"b"}', 'Row 2 of "stories.jsonl" has no text.'],
  ["stories.jsonl", '"a"\nnot json', "Row 2"],
  ["stories.txt", " \n\n ", '"stories.txt" holds no text.'],
])("refuses %s with %j", async (name, source, message) => {
  await expect(read(name, source)).rejects.toThrow(message);
});
