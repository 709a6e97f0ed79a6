import { Button } from "@mantine/core";
import { downloadZip } from "../../../state/download.ts";
import { raiseError } from "../../../state/messageStore.ts";
import type { ExportedFile } from "../../../worker/protocol.ts";
import { formatBytes } from "../../format.ts";
import { CopyButton } from "../CopyButton.tsx";
import { Icon } from "../Icon.tsx";

/** Files that continue a run elsewhere. */
export interface ProjectFilesProps {
  /** Of the zip file, without its ending. */
  readonly name: string;
  readonly files: readonly ExportedFile[];
}

/** Longest part of a file that is shown; copies and the zip have all of it. */
const shownCharacters = 20_000;

/** The files of a project: to be read, copied one by one, or saved as one zip. */
export function ProjectFiles({ name, files }: ProjectFilesProps) {
  return (
    <div className="project-files">
      <div className="dialog-actions">
        <Button
          size="xs"
          leftSection={<Icon name="save" size={14} />}
          onClick={() => {
            downloadZip(`${name}.zip`, files).catch(raiseError);
          }}
        >
          Save all as .zip
        </Button>
      </div>
      {files.map((file, index) => (
        <File key={file.name} file={file} isOpen={index === 0} />
      ))}
    </div>
  );
}

function File({ file: { name, bytes }, isOpen }: { readonly file: ExportedFile; readonly isOpen: boolean }) {
  const text = textOf(bytes);
  return (
    <details open={isOpen}>
      <summary>
        {name} <span className="note">{formatBytes(bytes.length)}</span>
      </summary>
      {text === null ? (
        <p className="note">Not a text: it is in the .zip.</p>
      ) : (
        <div className="project-file">
          <CopyButton text={text} label={`Copy ${name}`} />
          <pre tabIndex={0} role="region" aria-label={name}>
            {text.slice(0, shownCharacters)}
            {text.length > shownCharacters && "\n…"}
          </pre>
        </div>
      )}
    </details>
  );
}

/** The text of a file; null where it is none. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
